import Control
import Model
import NIOCore
import Queues
import Storage

/// Windows of messages, and single ones, as screens show them.
extension Broker {
    /// Messages that a filter other than a reason looks at, newest first, before it gives up on older ones.
    private static let scanLimit = 100_000
    /// How long it looks, at most.
    private static let scanMs: Int64 = 2_000
    /// The furthest that a window by index may begin.
    private static let windowLimit = 100_000

    /// Messages that are not settled, newest first, that match the query's filter.
    func newest(
        _ queue: QueueName, _ query: MessageQuery, _ open: [(partition: Int32, ranges: [Range<Offset>])], total: Int
    ) async throws(ControlError) -> Page<MessageRow> {
        let start = max(0, min(query.start, Self.windowLimit))
        let count = max(0, min(query.count, limits.listRows))
        let matcher = try FilterMatcher(query.filter, of: queue)
        var page = Page<MessageRow>(start: start, matched: total, total: total)
        if matcher.takesAll {
            page.rows = try await rows(queue, Self.newest(open, count: start + count), skipping: start)
            return page
        }
        var onlyReason = MessageFilter()
        onlyReason.reason = query.filter.reason
        if let reason = query.filter.reason, query.filter == onlyReason {
            var found: [(partition: Int32, offset: Offset)] = []
            page.matched = 0
            for (partition, ranges) in open {
                let (offsets, matched) = deadQueues.index(of: queue.topic.id).offsets(
                    partition, ranges, reason: reason, limit: start + count)
                found += offsets.map { (partition, $0) }
                page.matched += Int(clamping: matched)
            }
            page.rows = try await rows(queue, Array(found.prefix(start + count)), skipping: start)
            return page
        }
        return try await scan(queue, matcher, open, start: start, count: count, total: total)
    }

    /// The newest messages, partition by partition in turn where there are several.
    private static func newest(
        _ open: [(partition: Int32, ranges: [Range<Offset>])], count: Int
    ) -> [(partition: Int32, offset: Offset)] {
        var result: [(partition: Int32, offset: Offset)] = []
        for (partition, ranges) in open {
            var left = count
            for range in ranges.reversed() where left > 0 {
                var offset = range.upperBound + -1
                while offset >= range.lowerBound, left > 0 {
                    result.append((partition, offset))
                    offset = offset + -1
                    left -= 1
                }
            }
        }
        return Array(result.prefix(count))
    }

    /// Looks into messages from the newest back, in stretches, until the window is full and the limit reached.
    private func scan(
        _ queue: QueueName, _ matcher: FilterMatcher, _ open: [(partition: Int32, ranges: [Range<Offset>])], start: Int, count: Int,
        total: Int
    ) async throws(ControlError) -> Page<MessageRow> {
        var page = Page<MessageRow>(start: start, matched: 0, total: total)
        var seen = 0
        let started = clock.monotonic
        for (partition, ranges) in open {
            guard let key = queue.key(partition) else { continue }
            for range in ranges.reversed() {
                var end = range.upperBound
                while end > range.lowerBound, seen < Self.scanLimit, clock.monotonic.ms(since: started) < Self.scanMs {
                    let from = max(range.lowerBound, end + -2_000)
                    var found: [Record] = []
                    do throws(LogError) {
                        _ = try await StreamReader(log: log).read(.partition(key.partition), ranges: [from..<end]) { record in
                            seen += 1
                            if matcher.matches(record, partition: partition) { found.append(record) }
                        }
                    } catch { throw ControlError(.failed, "the log of \(queue.text) could not be read: \(error)") }
                    for record in found.reversed() {
                        if page.matched >= start, page.rows.count < count {
                            page.rows.append(MessageRow(record, queue: queue.text, partition: partition, state: .ready))
                        }
                        page.matched += 1
                    }
                    end = from
                }
            }
        }
        return page
    }

    /// Reads messages and shows them in the order in which they are named.
    private func rows(
        _ queue: QueueName, _ places: [(partition: Int32, offset: Offset)], skipping: Int
    ) async throws(ControlError) -> [MessageRow] {
        let wanted = places.dropFirst(skipping)
        var records: [Int32: [Offset: Record]] = [:]
        for partition in Set(wanted.map(\.partition)) {
            guard let key = queue.key(partition) else { continue }
            let ranges = Burial.ranges(wanted.filter { $0.partition == partition }.map(\.offset))
            do throws(LogError) {
                _ = try await StreamReader(log: log).read(.partition(key.partition), ranges: ranges) { record in
                    records[partition, default: [:]][record.offset] = record
                }
            } catch { throw ControlError(.failed, "the log of \(queue.text) could not be read: \(error)") }
        }
        return wanted.compactMap { place in
            records[place.partition]?[place.offset].map {
                MessageRow($0, queue: queue.text, partition: place.partition, state: .ready)
            }
        }
    }

    /// A window of a queue's messages by offset: ready and acquired ones, or those in one state. What waits in the delay store is not here.
    public func messagePage(_ query: MessageQuery) async throws(ControlError) -> Page<MessageRow> {
        let queue = try queue(query.queue)
        let states: [CursorMessage.State] =
            switch query.state {
            case nil: [.ready, .acquired]
            case .ready: [.ready]
            case .acquired: [.acquired]
            case .waiting: [.waiting]
            case .settled: [.settled]
            case .expired, .purged:
                throw ControlError(.invalid, "how messages of \(queue.text) were settled is not kept for each; ask for 'settled'")
            case .dead: [.moving]
            case .delayed: []
            }
        let matcher = try FilterMatcher(query.filter, of: queue)
        let start = max(0, min(query.start, Self.windowLimit))
        let wanted = start + max(0, min(query.count, limits.listRows))
        let looked = matcher.takesAll ? wanted : Self.scanLimit
        var page = Page<MessageRow>(start: start)
        for key in queue.keys {
            if let counts = await counts(of: key) { page.total += Int(clamping: counts.total(states)) }
            var messages: [CursorMessage] = []
            for state in states {
                messages += await withCheckedContinuation { continuation in
                    shard(of: key.partition).listMessages(key, state, from: .zero, count: looked) { continuation.resume(returning: $0) }
                }
            }
            if let from = query.fromMs { messages.removeAll { ($0.due?.ms ?? from) < from } }
            if let to = query.toMs { messages.removeAll { ($0.due?.ms ?? 0) >= to } }
            messages.sort { $0.offset < $1.offset }
            let places = Dictionary(messages.map { ($0.offset, $0) }, uniquingKeysWith: { first, _ in first })
            do throws(LogError) {
                _ = try await StreamReader(log: log).read(.partition(key.partition), ranges: Burial.ranges(messages.map(\.offset))) {
                    record in
                    guard let place = places[record.offset], matcher.takesAll || matcher.matches(record, partition: key.partition.index)
                    else {
                        return
                    }
                    page.matched += 1
                    guard page.matched > start, page.matched <= wanted else { return }
                    var row = MessageRow(record, queue: queue.text, partition: key.partition.index, state: .init(place.state))
                    row.attempts = place.attempts
                    row.dueMs = place.due?.ms
                    page.rows.append(row)
                }
            } catch { throw ControlError(.failed, "the log of \(queue.text) could not be read: \(error)") }
        }
        if matcher.takesAll { page.matched = page.total }
        return page
    }
}

extension CursorCounts {
    func total(_ states: [CursorMessage.State]) -> Int64 {
        states.reduce(0) { sum, state in
            switch state {
            case .ready: sum + ready
            case .acquired: sum + acquired
            case .waiting: sum + waiting
            case .moving: sum + moving
            case .settled: sum + max(0, (end - start) - holes - open)
            }
        }
    }
}

extension MessageRow.State {
    init(_ state: CursorMessage.State) {
        switch state {
        case .ready: self = .ready
        case .acquired: self = .acquired
        case .waiting: self = .waiting
        case .moving: self = .dead
        case .settled: self = .settled
        }
    }
}
