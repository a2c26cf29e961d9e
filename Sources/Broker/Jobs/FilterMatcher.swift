import Control
import Model
import NIOCore
import Queues

/// A message filter made ready for many messages.
struct FilterMatcher {
    private let filter: MessageFilter
    private let headers: [(name: String, value: ByteBuffer?)]
    private let pattern: TextPattern?
    /// Offsets named by id, by partition; nil when none are named.
    let named: [Int32: Set<Offset>]?

    /// Bytes of a key or value that a regular expression is tried on.
    private static let matchBytes = 16 << 10

    init(_ filter: MessageFilter, of queue: QueueName) throws(ControlError) {
        self.filter = filter
        headers = filter.headers.map { ($0.name, $0.value.map { ByteBuffer(string: $0) }) }
        if let pattern = filter.match {
            do throws(TextPattern.Problem) { self.pattern = try TextPattern(pattern) } catch {
                throw ControlError(.invalid, "'\(pattern)' is not a regular expression: \(error)")
            }
        } else {
            pattern = nil
        }
        guard !filter.ids.isEmpty else {
            named = nil
            return
        }
        var offsets: [Int32: Set<Offset>] = [:]
        for id in filter.ids {
            let (key, offset) = try queue.place(id)
            offsets[key.partition.index, default: []].insert(offset)
        }
        named = offsets
    }

    /// Every message matches, so none needs to be looked into.
    var takesAll: Bool {
        named == nil && filter.reason == nil && headers.isEmpty && pattern == nil && filter.fromMs == nil && filter.toMs == nil
    }

    func matches(_ record: Record, partition: Int32, stamp: DeadLetterStamp? = nil) -> Bool {
        if let named, named[partition]?.contains(record.offset) != true { return false }
        if let from = filter.fromMs, record.timestamp.ms < from { return false }
        if let to = filter.toMs, record.timestamp.ms >= to { return false }
        if let reason = filter.reason, !(stamp ?? DeadLetterStamp(record.headers)).group.hasPrefix(reason) { return false }
        for wanted in headers where !record.headers.contains(where: { $0.name == wanted.name && $0.value == wanted.value }) { return false }
        guard let pattern else { return true }
        return [record.key, record.value].contains { bytes in
            guard let bytes else { return false }
            return pattern.matches(String(decoding: bytes.readableBytesView.prefix(Self.matchBytes), as: UTF8.self))
        }
    }
}
