import Control
import Synchronization

/// A broker that is the same every time: fixed clock, three topics with a story, or a thousand of them.
final class FakeControl: Control {
    struct State {
        var nowMs: Int64 = FakeControl.startMs
        var hold: PublishHold?
        var broken: [BrokenShardRow] = []
        var isReachable = true
        var performed: [Command] = []
        var topics: [TopicRow]
        var groups: [GroupRow]
        var queues: [QueueRow] = FakeControl.storyQueues
        var jobs: [JobRow] = []
        var audit: [AuditRow] = []
        var undos: [UndoRow] = []
        /// Messages that a purge took away, by queue, and messages that are gone, by id.
        var purged: [String: Int64] = [:]
        var cancelled: Set<String> = []
        /// Every query, in order.
        var queries: [SnapshotQuery] = []
    }

    /// 2026-11-22 12:04:31 UTC.
    static let startMs: Int64 = 1_795_349_071_000

    let state: Mutex<State>

    /// - Parameter queues: that many besides the story's; −1 for a broker without any.
    init(topics: Int = 0, queues: Int = 0) {
        var rows = Self.story
        for index in 0..<topics {
            rows.append(
                TopicRow(
                    name: "load-\(index)", partitions: 1 + index % 12, records: Int64(index) * 1_204, bytes: Int64(index) * 240_800,
                    inRate: Double(index % 50), inBytesRate: Double(index % 50) * 200, outRate: Double(index % 40), groups: index % 3,
                    lag: index % 3 == 0 ? nil : Int64(index), oldestMs: 60_000, trend: Self.wave(60, seed: index, scale: Double(index % 50))
                ))
        }
        var state = State(topics: rows, groups: Self.storyGroups)
        if queues < 0 { state.queues = [] }
        for index in 0..<max(0, queues) {
            state.queues.append(
                Self.queue(
                    "load.\(index)", ready: Int64(index % 997), unacked: Int64(index % 7), inRate: Double(index % 50),
                    outRate: Double(index % 40), consumers: index % 4, oldestMs: 1_000, trend: Self.wave(60, seed: index, scale: 20)))
        }
        self.state = Mutex(state)
    }

    func snapshot(_ query: SnapshotQuery) async throws(ControlError) -> Snapshot {
        let result: Snapshot? = state.withLock {
            $0.queries.append(query)
            return $0.isReachable ? Self.snapshot(query, $0) : nil
        }
        guard let result else { throw ControlError(.unreachable, "127.0.0.1:15672 does not answer: is the broker up?") }
        return result
    }

    func perform(_ command: Command) async throws(ControlError) -> CommandOutcome {
        try state.withLock { state throws(ControlError) in
            state.performed.append(command)
            let outcome = try Self.outcome(command, &state)
            if !command.onlyPreviews {
                var row = AuditRow()
                (row.id, row.atMs, row.actor) = (Int64(state.audit.count + 1), state.nowMs, "console")
                (row.command, row.outcome, row.undo) = (command.commandLine, outcome.message, outcome.undo)
                state.audit.insert(row, at: 0)
            }
            return outcome
        }
    }

    var performed: [Command] { state.withLock { $0.performed } }

    // MARK: answers

    private static func outcome(_ command: Command, _ state: inout State) throws(ControlError) -> CommandOutcome {
        switch command {
        case .queue(let command): return try outcome(command, &state)
        case .createTopic(let name, let partitions, _):
            guard !state.topics.contains(where: { $0.name == name }) else {
                throw ControlError(.conflict, "topic \(name) exists already")
            }
            state.topics.append(TopicRow(name: name, partitions: partitions, records: 0, bytes: 0))
            return CommandOutcome(message: "\(name): created with \(partitions) partitions")
        case .deleteTopic(let name):
            state.topics.removeAll { $0.name == name }
            return CommandOutcome(message: "\(name): deleted")
        case .deleteRecords(let topic, _, _): return CommandOutcome(message: "\(topic): 31,204 records deleted in 12 partitions")
        case .deleteGroup(let name):
            state.groups.removeAll { $0.group == name }
            return CommandOutcome(message: "\(name): forgotten")
        case .alter(let change):
            return CommandOutcome(message: "\(change.name): \(change.set.count + change.unset.count) settings changed")
        case .killClient(let id): return CommandOutcome(message: "client \(id): connection closed")
        case .removeMember(let group, let member): return CommandOutcome(message: "\(group): member \(member) removed, 1 connection closed")
        case .resetOffsets(let reset):
            guard reset.group != "billing" else {
                throw ControlError(.conflict, "group billing has 2 members; stop them first: offsets move only while nobody reads")
            }
            let moves = (0..<3).map { OffsetMove(topic: "orders", partition: $0, from: 4_000, to: 1_000, end: 5_000) }
            return CommandOutcome(message: "\(reset.group): 3 partitions moved", moves: moves)
        }
    }

    static func snapshot(_ query: SnapshotQuery, _ state: State) -> Snapshot {
        let topics = page(state.topics, query.topics, name: \.name) {
            query.topics?.sort == "inRate" ? $0.inRate < $1.inRate : $0.lag ?? -1 < $1.lag ?? -1
        }
        let groups = page(state.groups, query.groups, name: \.group) { $0.lag ?? -1 < $1.lag ?? -1 }
        var totals = Totals()
        totals.topics = state.topics.count
        totals.partitions = state.topics.reduce(0) { $0 + $1.partitions }
        totals.groups = state.groups.count
        totals.connections = 14
        totals.records = 2_431_200
        totals.bytes = 486_240_000
        totals.inRate = 12_400
        totals.inBytesRate = 2_480_000
        totals.outRate = 11_900
        totals.outBytesRate = 2_380_000
        totals.lag = 48_200
        totals.lagRate = 500
        totals.inPeak = 14_100
        totals.outPeak = 13_800
        count(state, &totals)
        var broker = BrokerInfo(
            name: "prod-a", version: "0.1.0", nowMs: state.nowMs, uptimeMs: 273_600_000, readOnly: false, kafka: "127.0.0.1:9092",
            http: "127.0.0.1:15672", data: "/var/lib/weir", diskFreeBytes: 120_000_000_000, diskTotalBytes: 500_000_000_000,
            residentBytes: 38_000_000, cpuCores: 0.42)
        (broker.publishHold, broker.brokenShards) = (state.hold, state.broken)
        var snapshot = Snapshot(
            broker: broker, totals: totals, history: history(state.nowMs, points: query.historyPoints), attention: attention(state),
            topics: topics, groups: groups, topic: query.topic.flatMap { detail(topic: $0, state) },
            group: query.group.flatMap { detail(group: $0, state) },
            events: [
                Event(atMs: state.nowMs - 200_000, level: "info", text: "kafka door open on 127.0.0.1:9092"),
                Event(atMs: state.nowMs - 12_000, level: "warning", text: "billing: commits on orders/3 do not move"),
            ])
        snapshot.queues = page(state.queues, query.queues, name: \.name) {
            query.queues?.sort == "delayed" ? $0.delayed < $1.delayed : $0.ready < $1.ready
        }
        snapshot.queue = query.queue.flatMap { detail(queue: $0, state) }
        snapshot.delay = query.delay.map { delay($0, state) }
        snapshot.messages = query.messages.map { messages($0, state) } ?? Page()
        snapshot.message = query.message.flatMap { message($0, state) }
        snapshot.deadQueues = page(deadQueues(state), query.deadQueues, name: \.name) { $0.messages < $1.messages }
        snapshot.dead = query.dead.flatMap { dead($0, state) }
        snapshot.jobs = page(state.jobs, query.jobs, name: \.source) { $0.id < $1.id }
        snapshot.clients = page(Self.clients, query.clients, name: \.client) {
            query.clients?.sort == "inBytesRate" ? $0.inBytesRate < $1.inBytesRate : $0.id < $1.id
        }
        snapshot.job = query.job.flatMap { job($0, state) }
        snapshot.audit = page(state.audit, query.audit, name: \.command) { $0.id < $1.id }
        return snapshot
    }

    private static func count(_ state: State, _ totals: inout Totals) {
        totals.queues = state.queues.count
        totals.ready = state.queues.reduce(0) { $0 + ($1.isDeadLetter ? 0 : $1.ready) }
        totals.unacked = state.queues.reduce(0) { $0 + $1.unacked }
        totals.delayed = state.queues.reduce(0) { $0 + $1.delayed }
        totals.retrying = state.queues.reduce(0) { $0 + $1.retrying }
        totals.dead = state.queues.reduce(0) { $0 + ($1.isDeadLetter ? $1.ready : 0) }
        totals.jobs = state.jobs.count { $0.state == .running || $0.state == .waiting }
    }

    private static func page<Row>(
        _ rows: [Row], _ query: ListQuery?, name: (Row) -> String, lagIsLess: (Row, Row) -> Bool
    ) -> Page<Row> {
        guard let query else { return Page(total: rows.count) }
        var matched = rows.filter { query.filter.isEmpty || name($0).contains(query.filter) }
        matched.sort { query.sort != "name" ? lagIsLess($0, $1) : name($0) < name($1) }
        if query.descending { matched.reverse() }
        let part = matched.dropFirst(query.start).prefix(query.count)
        return Page(rows: Array(part), start: query.start, matched: matched.count, total: rows.count)
    }
}
