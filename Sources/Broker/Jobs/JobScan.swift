import Control
import Model
import Queues
import Storage

/// A stretch of a job's source, read and decided on ahead of its sending: a slow job takes a few messages at a time out of it and need not
/// read their batch again for each.
///
/// ```
/// window [40, 60)   send 41, skip 44, send 47, send 52
/// take(2)           sends 41 47, skips 44, window [40, 48)    left: [48, 60) with 52
/// take(2)           sends 52, window [48, 60)
/// ```
struct JobScan {
    enum Item {
        case send(Record, PartitionID, [Record.Header])
        case skip(Offset, String)

        var offset: Offset {
            switch self {
            case .send(let record, _, _): record.offset
            case .skip(let offset, _): offset
            }
        }
    }
    struct Taken {
        var sends: [(Record, PartitionID, [Record.Header])] = []
        var skips: [(Offset, String)] = []
        /// What of the source is decided with these.
        var window: Range<Offset>
    }
    let key: ShareKey
    /// What is left of the stretch.
    private(set) var window: Range<Offset>
    private var items: [Item]
    private var next = 0

    init(key: ShareKey, window: Range<Offset>, items: [Item]) {
        self.key = key
        self.window = window
        self.items = items
    }

    /// Whether it is about the beginning of this stretch, as nothing came between.
    func begins(_ gap: Range<Offset>, of key: ShareKey) -> Bool {
        self.key == key && !window.isEmpty && window.lowerBound == gap.lowerBound && window.upperBound <= gap.upperBound
    }

    /// The next messages: up to `count` to send, with what is skipped among them.
    mutating func take(_ count: Int) -> Taken {
        var taken = Taken(window: window)
        while next < items.count, taken.sends.count < count {
            switch items[next] {
            case .send(let record, let target, let headers): taken.sends.append((record, target, headers))
            case .skip(let offset, let reason): taken.skips.append((offset, reason))
            }
            next += 1
        }
        if next < items.count { taken.window = window.lowerBound..<(items[next - 1].offset + 1) }
        window = taken.window.upperBound..<window.upperBound
        return taken
    }

    /// Reads of the log for one stretch at most.
    private static let readsPerScan = 4

    /// Looks at the beginning of `gap`; where its task is cancelled meanwhile, at nothing of it.
    static func look(
        _ key: ShareKey, _ gap: Range<Offset>, _ plan: MessagePlan, _ mover: Mover, settled: Bool
    ) async throws(LogError) -> JobScan {
        let partition = key.partition.index
        let stretch = await mover.stretch(
            key, gap, count: mover.limits.moveRecords, settled: settled, named: plan.named(partition))
        guard let last = stretch.ranges.last else { return JobScan(key: key, window: gap.lowerBound..<stretch.end, items: []) }
        var items: [Item] = []
        let next = try await StreamReader(log: mover.shard.log).read(
            .partition(key.partition), ranges: stretch.ranges, reads: Task.isCancelled ? 0 : readsPerScan
        ) { record in
            switch plan.verdict(record, partition: partition) {
            case .send(let target, let headers): items.append(.send(record, target, headers))
            case .skip(let reason): items.append(.skip(record.offset, reason))
            case .pass: break
            }
        }
        // A read may end before the stretch does.
        return JobScan(key: key, window: gap.lowerBound..<(next < last.upperBound ? next : stretch.end), items: items)
    }

    /// The messages whose offsets lie in the ranges; both in order.
    static func inside(
        _ ranges: [Range<Offset>], _ sends: [(Record, PartitionID, [Record.Header])]
    ) -> [(Record, PartitionID, [Record.Header])] {
        var index = 0
        return sends.filter { send in
            while index < ranges.count, ranges[index].upperBound <= send.0.offset { index += 1 }
            return index < ranges.count && ranges[index].contains(send.0.offset)
        }
    }
}
