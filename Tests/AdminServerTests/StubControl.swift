import Control
import Synchronization

/// A broker with two topics and one group that remembers what it was asked.
final class StubControl: Control {
    let commands = Mutex<[Command]>([])
    let queries = Mutex<[SnapshotQuery]>([])
    private let failure: ControlError?
    /// What is wrong with the broker.
    let trouble: @Sendable (inout BrokerInfo) -> Void

    init(failure: ControlError? = nil, trouble: @escaping @Sendable (inout BrokerInfo) -> Void = { _ in }) {
        self.failure = failure
        self.trouble = trouble
    }

    static let orders = TopicRow(name: "orders", partitions: 3, records: 1204, bytes: 98_304, inRate: 4.5, groups: 1, lag: 7)
    static let odd = TopicRow(name: "a/b \"c\"", partitions: 1, records: 0, bytes: 0)
    static let billing = GroupRow(
        group: "billing", state: "Stable", status: .warn, members: 2, topics: ["orders"], lag: 7, behindMs: 1500, trend: [nil, 7])

    func snapshot(_ query: SnapshotQuery) async throws(ControlError) -> Snapshot {
        queries.withLock { $0.append(query) }
        if let failure { throw failure }
        var broker = BrokerInfo(
            name: "prod-a", version: "0.1.0", nowMs: 1_000_000, uptimeMs: 61_500, readOnly: false, kafka: "127.0.0.1:9092",
            http: "127.0.0.1:15672", data: "memory", residentBytes: 12_345_678)
        trouble(&broker)
        var totals = Totals()
        totals.recordsIn = 1204
        totals.bytesIn = 98_304
        totals.inRate = .nan
        let detail = TopicDetail(
            row: Self.orders, id: "AAAA",
            partitions: [PartitionRow(topic: "orders", partition: 0, start: 0, end: 1204, bytes: 98_304, inRate: 0)],
            groups: [Self.billing], configs: [], history: History())
        return Snapshot(
            broker: broker, totals: totals, history: History(inRate: [nil, 1.5]),
            topics: query.topics == nil ? .init() : Page(rows: [Self.orders, Self.odd], matched: 2, total: 5),
            groups: query.groups == nil ? .init() : Page(rows: [Self.billing], matched: 1, total: 1),
            topic: query.topic == "orders" || query.topic == "a/b" ? detail : nil,
            group: query.group == "billing" ? GroupDetail(row: Self.billing, protocolName: "range", members: [], partitions: []) : nil)
    }

    func perform(_ command: Command) async throws(ControlError) -> CommandOutcome {
        if let failure { throw failure }
        commands.withLock { $0.append(command) }
        return CommandOutcome(message: command.commandLine)
    }
}
