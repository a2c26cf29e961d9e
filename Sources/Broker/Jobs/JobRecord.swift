import Control
import FoundationEssentials
import Model
import NIOCore
import Queues

/// A job as the store keeps it, as JSON under `jobs/NUMBER`: what it is to do, how far it is, what came of it.
///
/// What was sent is known exactly from the facts of its moves; positions, skips and outcomes are as of the last time this was written, at
/// most a second before a crash.
struct JobRecord: Codable, Sendable, Equatable {
    enum Task: Codable, Sendable, Equatable {
        case redrive(Redrive)
        case replay(Replay)
    }
    static let prefix = "jobs/"

    var row: JobRow
    var task: Task
    /// First offset and end of the job's part of each source partition.
    var from: [Int64]
    var watermark: [Int64]
    /// Where the scan of each partition goes on.
    var position: [Int64]
    /// What became of single messages; nil before the first.
    var results: JobOutcomes?
    /// Who started it.
    var actor: String
    /// Where earlier versions kept ``JobRow/other``.
    private var other: Int64?

    init(row: JobRow, task: Task, from: [Int64], watermark: [Int64], position: [Int64], results: JobOutcomes? = nil, actor: String) {
        self.row = row
        self.task = task
        self.from = from
        self.watermark = watermark
        self.position = position
        self.results = results
        self.actor = actor
    }

    /// Copies whose outcome is known.
    var settled: Int64 { row.sent - row.open }

    var key: String { Self.prefix + String(row.id) }
    var isLive: Bool { row.state == .running || row.state == .waiting }

    func encoded() -> ByteBuffer {
        do { return ByteBuffer(bytes: try JSONEncoder().encode(self)) } catch { preconditionFailure("a job always encodes: \(error)") }
    }

    static func decode(_ bytes: ByteBuffer) throws -> JobRecord {
        var job = try JSONDecoder().decode(JobRecord.self, from: Data(bytes.readableBytesView))
        job.row.other = job.row.other ?? job.other
        job.other = nil
        return job
    }

    mutating func skip(_ partition: Int32, _ offset: Offset, _ reason: String, limit: Int) {
        row.skipped += 1
        row.skips[reason, default: 0] += 1
        results = results ?? JobOutcomes()
        results?.skipped(partition, offset, reason: reason, limit: limit)
    }

    /// A part of a move has landed.
    mutating func land(_ part: MoveOrder.Part, of partition: Int32, at base: Offset, limit: Int) {
        row.sent += part.count
        results = results ?? JobOutcomes()
        results?.sent(partition, part.ranges, to: part.target, at: base, limit: limit)
    }
}

extension Redrive {
    var rules: RedriveJob.Rules {
        var rules = RedriveJob.Rules()
        rules.rate = rate
        rules.rampFrom = rampFrom
        rules.holdAbove = holdAbove
        rules.canary = canary.map { Int64($0) }
        rules.canaryWaitMs = canaryWaitMs
        rules.stopIfDead = stopIfDead
        return rules
    }
}
