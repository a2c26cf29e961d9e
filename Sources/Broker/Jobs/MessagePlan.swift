import Control
import Model
import NIOCore
import Queues

/// Decides for each message of a source whether a job sends it, and where to: what a dry run counts and a run does are the same decisions.
struct MessagePlan {
    enum Verdict {
        case send(PartitionID, headers: [Record.Header])
        case skip(String)
        /// It does not match the filter: no business of the job.
        case pass
    }
    static let withoutOrigin = "no origin"

    private let matcher: FilterMatcher
    private let topics: Catalog.View
    private let target: Topic?
    private let source: Topic
    private let skipIfRedriven: Int?
    private let jobHeader: Record.Header
    /// A redrive counts on the message that it was sent on; a copy by replay does not.
    private let counts: Bool

    /// - Parameter target: nil: back to each message's origin.
    init(filter: MessageFilter, source: QueueName, target: Topic?, skipIfRedriven: Int?, job: Int64, counts: Bool, topics: Catalog.View)
        throws(ControlError)
    {
        matcher = try FilterMatcher(filter, of: source)
        self.topics = topics
        self.target = target
        self.source = source.topic
        self.skipIfRedriven = skipIfRedriven
        jobHeader = .init(name: DeadLetterHeader.redrive, value: ByteBuffer(string: String(job)))
        self.counts = counts
    }

    /// Offsets the filter names in a partition; nil: all.
    func named(_ partition: Int32) -> Set<Offset>? { matcher.named.map { $0[partition] ?? [] } }

    func verdict(_ record: Record, partition: Int32) -> Verdict {
        let stamp = DeadLetterStamp(record.headers)
        guard matcher.takesAll || matcher.matches(record, partition: partition, stamp: stamp) else { return .pass }
        if let limit = skipIfRedriven, stamp.redriven >= limit { return .skip("redriven \(stamp.redriven) times") }
        let id: PartitionID?
        let origin = stamp.topic.flatMap { topics[$0] }
        if let target {
            // A dead letter has the priority it had where it died.
            if target.config.priorities != nil, let origin, origin.config.priorities != nil, let died = stamp.partition {
                id = target.home(of: died, from: origin)
            } else {
                id = target.home(of: partition, from: source)
            }
        } else {
            guard let name = stamp.topic else { return .skip(Self.withoutOrigin) }
            guard let origin else { return .skip("origin \(name) is gone") }
            id = origin.home(of: stamp.partition ?? partition, from: stamp.partition == nil ? source : origin)
        }
        guard let id else { return .skip(Self.withoutOrigin) }
        return .send(id, headers: headers(of: record, redriven: stamp.redriven))
    }

    /// The copy keeps what the message was published with and its history of deaths; what describes only its last one goes.
    private func headers(of record: Record, redriven: Int) -> [Record.Header] {
        guard counts else { return record.headers }
        var headers: [Record.Header] = []
        // Those that are left, two here, and two that the move adds.
        headers.reserveCapacity(record.headers.count + 4)
        for header in record.headers where !DeadLetterHeader.tellsOfLastDeath(header) { headers.append(header) }
        headers.append(jobHeader)
        headers.append(.init(name: DeadLetterHeader.redriven, value: ByteBuffer(string: String(redriven + 1))))
        return headers
    }
}
