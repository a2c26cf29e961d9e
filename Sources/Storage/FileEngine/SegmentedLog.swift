import Model
import NIOCore
import Synchronization

/// One stream's segments. The thread of its shard alone changes it; any thread may read.
///
/// Locking: ``state`` is held for the length of a look-up in memory or of publishing a frame, never while a file is touched. A reader
/// takes it once per call, copies what it needs (segment base, published bytes, where to begin) and then works on the file: bytes below
/// the published end never change.
final class SegmentedLog: Sendable {
    let id: StreamID
    /// The directory's own name, which checkpoint and journal use too.
    let name: String
    let directory: String
    /// Tells streams apart in the cache of open files; never reused while the engine lives.
    let number: UInt32
    let state: Mutex<State>

    struct State: Sendable {
        /// Ascending, never empty; the last one is written to.
        var segments: [Segment]
        /// Set when the stream was dropped: readers that still hold it get `unknownStream`.
        var isDropped = false

        var active: Segment { segments[segments.count - 1] }

        var extent: StreamExtent { StreamExtent(segments) }

        /// The place of the segment that holds `offset`, which lies in the stream; where it lies in a hole, the one before the hole.
        func segmentIndex(holding offset: Offset) -> Int {
            var low = 0
            var high = segments.count
            while high - low > 1 {
                let middle = (low + high) / 2
                if segments[middle].base <= offset { low = middle } else { high = middle }
            }
            return low
        }

        /// The segment's place; nil when it was removed or rewritten.
        func segmentIndex(of name: SegmentName) -> Int? {
            let index = segmentIndex(holding: name.base)
            return segments[index].name == name ? index : nil
        }
    }

    /// - Parameter parent: the shard's directory.
    init(id: StreamID, parent: String, number: UInt32, segments: [Segment]) {
        precondition(!segments.isEmpty)
        self.id = id
        name = StreamName.encode(id)
        directory = parent + "/" + name
        self.number = number
        state = Mutex(State(segments: segments))
    }

    var extent: StreamExtent { state.withLock { $0.extent } }

    func path(_ segment: SegmentName, _ kind: SegmentFileKind) -> String { directory + "/" + kind.name(segment) }

    func key(_ segment: SegmentName) -> OpenFiles.Key { OpenFiles.Key(stream: number, segment: segment) }
}

/// Directory names of streams: by identity, never by topic name, so that a rename or a strange name touches no file.
/// ```
/// partition 3 of topic 0123…      0123456789abcdef0123456789abcdef-3
/// facts of the groups machine     facts-groups
/// delayed messages of band 2      delay-bodies-2
/// ```
enum StreamName {
    static func encode(_ id: StreamID) -> String {
        switch id {
        case .partition(let partition): "\(partition.topic)-\(partition.index)"
        case .facts(_, let stream): "facts-\(stream.rawValue)"
        case .delay(_, let stream): "delay-\(stream)"
        }
    }

    static func decode(_ name: String, shard: ShardID) -> StreamID? {
        if name.hasPrefix("facts-") { return FactStream(rawValue: String(name.dropFirst(6))).map { .facts(shard, $0) } }
        if name.hasPrefix("delay-") { return DelayStream(name.dropFirst(6)).map { .delay(shard, $0) } }
        guard name.utf8.count > 33, let topic = TopicID(hex: name.prefix(32)), name.dropFirst(32).first == "-",
            let index = Int32(name.dropFirst(33)), index >= 0
        else { return nil }
        return .partition(PartitionID(topic: topic, index: index))
    }
}
