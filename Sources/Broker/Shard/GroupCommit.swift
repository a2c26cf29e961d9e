import Model
import NIOCore
import Storage

/// Gathers a shard's appends into frames: one frame is in flight, the rest wait and go together in the next.
///
/// ```
/// append A, append B        → frame 1 = [A]  (B arrived while 1 was in flight)
/// frame 1 written, durable  → frame 2 = [B, C, D]
/// ```
/// A pure value: it decides what goes into a frame and who is told; the shard talks to the log.
struct GroupCommit {
    /// What an append's completion means to its owner.
    enum Owner {
        case partition(Partition, ticket: ProduceTicket?, slot: Int, appendTime: Timestamp)
        /// Delayed messages, for the shard's delay store.
        case delayed(DelayedPart)
        /// Facts of a machine; called on the shard's loop.
        case facts(done: (LogError?) -> Void)
    }

    struct Entry {
        var append: Append
        var owner: Owner
        var wants: Acknowledge
    }

    private(set) var waiting: [Entry] = []
    private(set) var inFlight: [Entry] = []
    private(set) var pendingBytes = 0
    private(set) var frame: FrameID?
    /// Entries that were ever added, and those that have ended one way or the other: the first `ended` of all that were added.
    private(set) var added: UInt64 = 0
    private(set) var ended: UInt64 = 0
    private var nextFrame: UInt64 = 1

    var isIdle: Bool { waiting.isEmpty && frame == nil }

    mutating func add(_ entry: Entry) {
        pendingBytes += entry.append.bytes.readableBytes
        added += 1
        waiting.append(entry)
    }

    /// The next frame, if none is in flight and something waits (or `sync` asks for an empty, durable one).
    mutating func nextFrame(epoch: Epoch, frameBytes: Int, syncs: (Entry) -> Bool, sync: Bool) -> Frame? {
        guard frame == nil, !waiting.isEmpty || sync else { return nil }
        var bytes = 0
        var count = 0
        for entry in waiting {
            bytes += entry.append.bytes.readableBytes
            if count > 0 && bytes > frameBytes { break }
            count += 1
        }
        if count == waiting.count {
            swap(&inFlight, &waiting)
        } else {
            inFlight.append(contentsOf: waiting[..<count])
            waiting.removeFirst(count)
        }
        let id = FrameID(nextFrame)
        nextFrame += 1
        frame = id
        let appends = inFlight.map { entry in
            var append = entry.append
            append.needsSync = sync || entry.wants == .durable && syncs(entry)
            return append
        }
        return Frame(id: id, epoch: epoch, appends: appends, durable: sync || appends.contains(where: \.needsSync))
    }

    /// Ends the frame in flight; its entries go back to the caller.
    mutating func finish() -> [Entry] {
        frame = nil
        let done = inFlight
        ended += UInt64(done.count)
        inFlight.removeAll(keepingCapacity: true)
        for entry in done { pendingBytes -= entry.append.bytes.readableBytes }
        return done
    }

    /// Takes back what waits for a stream that is being removed; what is in flight goes on.
    mutating func withdraw(_ stream: StreamID) -> [Entry] {
        let withdrawn = waiting.filter { $0.append.stream == stream }
        guard !withdrawn.isEmpty else { return [] }
        waiting.removeAll { $0.append.stream == stream }
        // Those that stay are numbered anew: nobody is told too early.
        added -= UInt64(withdrawn.count)
        for entry in withdrawn { pendingBytes -= entry.append.bytes.readableBytes }
        return withdrawn
    }

    /// Gives up all that waits: after a failed frame its offsets are void.
    mutating func abandonWaiting() -> [Entry] {
        let abandoned = waiting
        ended += UInt64(abandoned.count)
        waiting.removeAll()
        for entry in abandoned { pendingBytes -= entry.append.bytes.readableBytes }
        return abandoned
    }
}
