import Model
import NIOCore
import Queues
import Storage
import Synchronization

/// Why and when the messages of one dead-letter queue died, six bytes a message: what the Dead screen counts from, so that it need not read
/// a million records. Follows the log from behind; in memory only, so a start reads the log again, in the background. Any thread.
///
/// ```
/// partition 0   base 1000   reasons [0, 0, 1, 0 …]   seconds [1700000000, …]   next 1_001_000
/// groups        0 = (delivery_limit: gateway timeout, payments)   1 = (expired, email.out)
/// ```
/// Which of these messages are still there is asked of the cursor when counting.
final class DeadIndex: Sendable {
    struct Group: Hashable, Sendable {
        var reason: String
        var origin: String?
    }
    struct Counted: Sendable {
        var group: Group
        var count: Int64 = 0
        var firstMs = Int64.max
        var lastMs = Int64.min
    }
    fileprivate struct Part {
        var base: Offset
        var reasons: [UInt16] = []
        var seconds: [UInt32] = []
        var next: Offset { base + Int64(reasons.count) }
    }
    fileprivate struct State {
        var parts: [Int32: Part] = [:]
        var groups: [Group] = []
        var numbers: [Group: UInt16] = [:]
    }
    private let state = Mutex(State())
    private let gate = AsyncGate()
    private let log: any Log
    private let limit: Int

    /// Groups that are told apart; all others are one.
    private static let groupLimit = 1_000
    private static let other = UInt16.max
    /// No record: a gap in the log.
    private static let none = UInt16.max - 1

    /// - Parameter limit: messages of one partition that are indexed, the newest ones.
    init(log: any Log, limit: Int) {
        self.log = log
        self.limit = limit
    }

    /// Reads on to `end`, or until `isEnough` says so; whether it got there. One reader at a time; others wait for it, so none should read
    /// for long at a stretch.
    @discardableResult
    func follow(
        _ partition: PartitionID, from start: Offset, to end: Offset, until isEnough: () -> Bool = { false }
    ) async throws(LogError) -> Bool {
        try await gate.enter { () async throws(LogError) -> Bool in
            var next = state.withLock { state -> Offset in
                let first = max(start, end + -Int64(limit))
                var part = state.parts[partition.index] ?? Part(base: first)
                if part.base < first {
                    let gone = Int(min(first - part.base, Int64(part.reasons.count)))
                    part.reasons.removeFirst(gone)
                    part.seconds.removeFirst(gone)
                    part.base = first
                }
                state.parts[partition.index] = part
                return part.next
            }
            let reader = StreamReader(log: log)
            while next < end, !isEnough() {
                let chunk = try await reader.read(.partition(partition), from: next, to: end)
                state.withLock { Self.take(chunk, of: partition.index, &$0) }
                next = chunk.next
            }
            return next >= end
        }
    }

    private static func take(_ chunk: StreamReader.Chunk, of index: Int32, _ state: inout State) {
        guard var part = state.parts.removeValue(forKey: index) else { return }
        for record in chunk.records where record.offset >= part.next {
            while part.next < record.offset { part.add(none, 0) }
            let stamp = DeadLetterStamp(record.headers)
            let group = Group(reason: stamp.group, origin: stamp.topic)
            part.add(number(of: group, &state), UInt32(clamping: record.timestamp.ms / 1_000))
        }
        while part.next < chunk.next { part.add(none, 0) }
        state.parts[index] = part
    }

    private static func number(of group: Group, _ state: inout State) -> UInt16 {
        if let number = state.numbers[group] { return number }
        guard state.groups.count < groupLimit else { return other }
        let number = UInt16(state.groups.count)
        state.groups.append(group)
        state.numbers[group] = number
        return number
    }

    // MARK: Counting

    /// Counts the messages of these ranges by group, the largest first; those of no known group; and those it has not read yet.
    func count(_ open: [(partition: Int32, ranges: [Range<Offset>])]) -> (groups: [Counted], others: Int64, unread: Int64) {
        state.withLock { state in
            var counted = state.groups.map { Counted(group: $0) }
            var others: Int64 = 0
            var unread: Int64 = 0
            for (partition, ranges) in open {
                guard let part = state.parts[partition] else {
                    unread += ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }
                    continue
                }
                for range in ranges {
                    others += part.count(range, &counted)
                    unread += max(0, range.upperBound - max(range.lowerBound, part.next))
                }
            }
            counted.removeAll { $0.count == 0 }
            counted.sort { ($1.count, $0.group.reason) < ($0.count, $1.group.reason) }
            return (counted, others, unread)
        }
    }

    /// Offsets in these ranges, newest first, whose group's reason begins with `prefix`.
    func offsets(_ partition: Int32, _ ranges: [Range<Offset>], reason prefix: String, limit: Int) -> (offsets: [Offset], matched: Int64) {
        state.withLock { state in
            guard let part = state.parts[partition] else { return ([], 0) }
            let wanted = state.groups.map { $0.reason.hasPrefix(prefix) }
            var offsets: [Offset] = []
            var matched: Int64 = 0
            for range in ranges.reversed() {
                let first = max(range.lowerBound, part.base)
                var offset = min(range.upperBound, part.next) + -1
                while offset >= first {
                    let number = Int(part.reasons[Int(offset - part.base)])
                    if number < wanted.count, wanted[number] {
                        matched += 1
                        if offsets.count < limit { offsets.append(offset) }
                    }
                    offset = offset + -1
                }
            }
            return (offsets, matched)
        }
    }
}

extension DeadIndex.Part {
    fileprivate mutating func add(_ reason: UInt16, _ second: UInt32) {
        reasons.append(reason)
        seconds.append(second)
    }

    /// Adds the messages of a range to their groups; how many have none.
    fileprivate func count(_ range: Range<Offset>, _ counted: inout [DeadIndex.Counted]) -> Int64 {
        let first = max(range.lowerBound, base)
        let end = min(range.upperBound, next)
        // Older than what is indexed.
        var others = max(0, min(range.upperBound, base) - range.lowerBound)
        guard first < end else { return others }
        for index in Int(first - base)..<Int(end - base) {
            let number = Int(reasons[index])
            guard number < counted.count else {
                others += 1
                continue
            }
            let ms = Int64(seconds[index]) * 1_000
            counted[number].count += 1
            counted[number].firstMs = min(counted[number].firstMs, ms)
            counted[number].lastMs = max(counted[number].lastMs, ms)
        }
        return others
    }
}
