import Model

/// What an operator sees of a broker at one instant: the same value in the broker's own console, in an attached one, in `weir snapshot`
/// and in `weir frame`.
///
/// Every number has one source, the broker's own counters. A number that is not known is nil and is shown as `n/a`, never as 0.
/// Rates are per second, ages and times in ms; lists are filtered, sorted and cut by the broker, as the ``SnapshotQuery`` asks.
public struct Snapshot: Codable, Equatable, Sendable {
    public var broker: BrokerInfo
    public var totals: Totals
    /// Broker totals, one point a second, oldest first; at most 15 minutes.
    public var history: History
    /// Worst first.
    public var attention: [Attention]
    public var topics: Page<TopicRow>
    public var groups: Page<GroupRow>
    /// The topic and group asked for by name, whole; nil when not asked for or not there.
    public var topic: TopicDetail?
    public var group: GroupDetail?
    /// The newest last.
    public var events: [Event]
    /// Queues and what hangs on them; each empty or nil when not asked for.
    public var queues = Page<QueueRow>()
    public var queue: QueueDetail?
    public var delay: DelayOverview?
    /// The messages asked for by ``SnapshotQuery/messages``, and the one by ``SnapshotQuery/message``.
    public var messages = Page<MessageRow>()
    public var message: MessageDetail?
    public var deadQueues = Page<DeadQueueRow>()
    public var dead: DeadDetail?
    /// The newest first.
    public var jobs = Page<JobRow>()
    /// The job asked for by ``SnapshotQuery/job``; nil when not asked for or not there.
    public var job: JobDetail?
    public var audit = Page<AuditRow>()
    public var clients = Page<ClientRow>()

    public init(
        broker: BrokerInfo, totals: Totals, history: History, attention: [Attention] = [], topics: Page<TopicRow> = .init(),
        groups: Page<GroupRow> = .init(), topic: TopicDetail? = nil, group: GroupDetail? = nil, events: [Event] = []
    ) {
        self.broker = broker
        self.totals = totals
        self.history = history
        self.attention = attention
        self.topics = topics
        self.groups = groups
        self.topic = topic
        self.group = group
        self.events = events
    }
}

public struct BrokerInfo: Codable, Equatable, Sendable {
    public var name: String
    public var version: String
    /// Wall time of the snapshot, ms since 1970.
    public var nowMs: Int64
    public var uptimeMs: Int64
    public var readOnly: Bool
    /// HOST:PORT of each door; nil when it is closed.
    public var kafka: String?
    public var http: String?
    /// The data directory, or `memory`.
    public var data: String
    public var diskFreeBytes: Int64?
    public var diskTotalBytes: Int64?
    public var residentBytes: Int64?
    /// Processor time used in the last second, in cores.
    public var cpuCores: Double?
    /// Below this much free space, and above this much memory, publishers are held; nil: there is no such mark.
    public var diskLowBytes: Int64?
    public var memoryHighBytes: Int64?
    /// Set while they are.
    public var publishHold: PublishHold?
    /// Records refused while they were held, since the start.
    public var heldPublishes: Int64 = 0
    public var brokenShards: [BrokenShardRow] = []
    /// What the levels of `delay.level` stand for, level 1 first.
    public var delayLevelsMs = DelayLevels.standard.ms

    public init(
        name: String, version: String, nowMs: Int64, uptimeMs: Int64, readOnly: Bool, kafka: String?, http: String?, data: String,
        diskFreeBytes: Int64? = nil, diskTotalBytes: Int64? = nil, residentBytes: Int64? = nil, cpuCores: Double? = nil
    ) {
        self.name = name
        self.version = version
        self.nowMs = nowMs
        self.uptimeMs = uptimeMs
        self.readOnly = readOnly
        self.kafka = kafka
        self.http = http
        self.data = data
        self.diskFreeBytes = diskFreeBytes
        self.diskTotalBytes = diskTotalBytes
        self.residentBytes = residentBytes
        self.cpuCores = cpuCores
    }
}

/// Sums over the whole broker.
public struct Totals: Codable, Equatable, Sendable {
    public var topics = 0
    public var partitions = 0
    public var groups = 0
    public var connections = 0
    /// Records that can be read, and the bytes of all segments.
    public var records: Int64 = 0
    public var bytes: Int64 = 0
    public var inRate = 0.0
    public var inBytesRate = 0.0
    public var outRate = 0.0
    public var outBytesRate = 0.0
    /// Records not yet committed by some group, summed over groups.
    public var lag: Int64 = 0
    /// Net change of `lag` per second.
    public var lagRate = 0.0
    public var inPeak = 0.0
    public var outPeak = 0.0
    /// Queues, and their messages by state; `dead` counts what lies in dead-letter queues.
    public var queues = 0
    public var ready: Int64 = 0
    public var unacked: Int64 = 0
    public var delayed: Int64 = 0
    public var retrying: Int64 = 0
    public var dead: Int64 = 0
    /// Jobs that are not over.
    public var jobs = 0
    /// Requests answered with an error, and connections closed for a malformed frame, since the start.
    public var errors: Int64 = 0
    public var malformed: Int64 = 0
    /// Records and their batches' bytes taken in and given out since the start; they only grow.
    public var recordsIn: Int64 = 0
    public var bytesIn: Int64 = 0
    public var recordsOut: Int64 = 0
    public var bytesOut: Int64 = 0

    public init() {}
}

/// Series of equal length, one point every `stepMs`, oldest first. A gap (the broker was away) is nil.
public struct History: Codable, Equatable, Sendable {
    public var stepMs: Int64
    /// Wall time of the newest point.
    public var endMs: Int64
    public var inRate: [Double?]
    public var outRate: [Double?]
    public var backlog: [Double?]
    /// Messages of all queues, by state.
    public var ready: [Double?] = []
    public var unacked: [Double?] = []
    public var delayed: [Double?] = []
    public var dead: [Double?] = []

    public init(stepMs: Int64 = 1000, endMs: Int64 = 0, inRate: [Double?] = [], outRate: [Double?] = [], backlog: [Double?] = []) {
        self.stepMs = stepMs
        self.endMs = endMs
        self.inRate = inRate
        self.outRate = outRate
        self.backlog = backlog
    }
}

/// One window of a list that the broker filtered and sorted.
public struct Page<Row: Codable & Equatable & Sendable>: Codable, Equatable, Sendable {
    public var rows: [Row]
    /// Index of the first row within the matches.
    public var start: Int
    /// Rows that match the filter, and rows there are.
    public var matched: Int
    public var total: Int

    public init(rows: [Row] = [], start: Int = 0, matched: Int = 0, total: Int = 0) {
        self.rows = rows
        self.start = start
        self.matched = matched
        self.total = total
    }
}

public struct TopicRow: Codable, Equatable, Sendable {
    public var name: String
    public var partitions: Int
    public var records: Int64
    public var bytes: Int64
    public var inRate: Double
    public var inBytesRate: Double
    public var outRate: Double
    public var groups: Int
    /// The largest lag of a group on this topic; nil when no group reads it.
    public var lag: Int64?
    /// Age of the oldest record that can be read; nil when empty.
    public var oldestMs: Int64?
    /// Records in per second, the last minute, oldest first.
    public var trend: [Double?]

    public init(
        name: String, partitions: Int, records: Int64, bytes: Int64, inRate: Double = 0, inBytesRate: Double = 0, outRate: Double = 0,
        groups: Int = 0, lag: Int64? = nil, oldestMs: Int64? = nil, trend: [Double?] = []
    ) {
        self.name = name
        self.partitions = partitions
        self.records = records
        self.bytes = bytes
        self.inRate = inRate
        self.inBytesRate = inBytesRate
        self.outRate = outRate
        self.groups = groups
        self.lag = lag
        self.oldestMs = oldestMs
        self.trend = trend
    }
}

/// A group's health over a sliding window of its commits, as Burrow's evaluator rules it.
public enum GroupStatus: String, Codable, Sendable, CaseIterable, Comparable {
    /// Lag is zero or falling.
    case ok = "OK"
    /// Commits move but lag does not fall.
    case warn = "WARN"
    /// A committed offset went back.
    case rewind = "REWIND"
    /// No commits at all while lag > 0.
    case stop = "STOP"
    /// Commits arrive but do not move while lag > 0.
    case stall = "STALL"

    public var severity: Int {
        switch self {
        case .ok: 0
        case .warn: 1
        case .rewind: 2
        case .stop: 3
        case .stall: 4
        }
    }
    public static func < (left: GroupStatus, right: GroupStatus) -> Bool { left.severity < right.severity }
}

public struct GroupRow: Codable, Equatable, Sendable {
    public var group: String
    /// Kafka's state names: Empty, PreparingRebalance, CompletingRebalance, Stable, Dead.
    public var state: String
    public var status: GroupStatus
    public var members: Int
    public var topics: [String]
    public var lag: Int64?
    /// Age of the next unread record, the largest of its partitions; 0 when all is read.
    public var behindMs: Int64?
    /// Records committed per second, and lag's net change per second.
    public var rate: Double
    public var lagRate: Double
    /// Until the slowest partition is drained; nil with `drains` false means never.
    public var etaMs: Int64?
    public var drains: Bool
    /// Lag, the last five minutes in 60 points, oldest first.
    public var trend: [Double?]

    public init(
        group: String, state: String, status: GroupStatus, members: Int, topics: [String] = [], lag: Int64? = nil, behindMs: Int64? = nil,
        rate: Double = 0, lagRate: Double = 0, etaMs: Int64? = nil, drains: Bool = true, trend: [Double?] = []
    ) {
        self.group = group
        self.state = state
        self.status = status
        self.members = members
        self.topics = topics
        self.lag = lag
        self.behindMs = behindMs
        self.rate = rate
        self.lagRate = lagRate
        self.etaMs = etaMs
        self.drains = drains
        self.trend = trend
    }
}

public struct TopicDetail: Codable, Equatable, Sendable {
    public var row: TopicRow
    public var id: String
    public var partitions: [PartitionRow]
    public var groups: [GroupRow]
    /// Settings that differ from the broker's defaults, and the defaults worth knowing.
    public var configs: [ConfigRow]
    public var history: History

    public init(row: TopicRow, id: String, partitions: [PartitionRow], groups: [GroupRow], configs: [ConfigRow], history: History) {
        self.row = row
        self.id = id
        self.partitions = partitions
        self.groups = groups
        self.configs = configs
        self.history = history
    }
}

public struct PartitionRow: Codable, Equatable, Sendable {
    public var topic: String
    public var partition: Int32
    public var start: Int64
    public var end: Int64
    public var bytes: Int64
    public var inRate: Double

    public init(topic: String, partition: Int32, start: Int64, end: Int64, bytes: Int64, inRate: Double) {
        self.topic = topic
        self.partition = partition
        self.start = start
        self.end = end
        self.bytes = bytes
        self.inRate = inRate
    }
}

public struct ConfigRow: Codable, Equatable, Sendable {
    public var name: String
    public var value: String
    public var isDefault: Bool

    public init(name: String, value: String, isDefault: Bool) {
        self.name = name
        self.value = value
        self.isDefault = isDefault
    }
}

public struct GroupDetail: Codable, Equatable, Sendable {
    public var row: GroupRow
    public var protocolName: String?
    public var members: [MemberRow]
    public var partitions: [GroupPartitionRow]

    public init(row: GroupRow, protocolName: String?, members: [MemberRow], partitions: [GroupPartitionRow]) {
        self.row = row
        self.protocolName = protocolName
        self.members = members
        self.partitions = partitions
    }
}

public struct MemberRow: Codable, Equatable, Sendable {
    public var id: String
    public var client: String
    public var host: String
    public var partitions: Int

    public init(id: String, client: String, host: String, partitions: Int) {
        self.id = id
        self.client = client
        self.host = host
        self.partitions = partitions
    }
}

public struct GroupPartitionRow: Codable, Equatable, Sendable {
    public var topic: String
    public var partition: Int32
    /// nil when nothing is committed.
    public var committed: Int64?
    /// nil when the topic is gone.
    public var end: Int64?
    public var lag: Int64?
    public var behindMs: Int64?
    public var inRate: Double
    public var outRate: Double
    public var etaMs: Int64?
    public var drains: Bool
    public var status: GroupStatus
    /// The client that owns the partition now.
    public var member: String?
    /// When the committed offset last moved, ms since 1970.
    public var movedMs: Int64?

    public init(
        topic: String, partition: Int32, committed: Int64?, end: Int64?, lag: Int64?, behindMs: Int64?, inRate: Double = 0,
        outRate: Double = 0, etaMs: Int64? = nil, drains: Bool = true, status: GroupStatus = .ok, member: String? = nil,
        movedMs: Int64? = nil
    ) {
        self.topic = topic
        self.partition = partition
        self.committed = committed
        self.end = end
        self.lag = lag
        self.behindMs = behindMs
        self.inRate = inRate
        self.outRate = outRate
        self.etaMs = etaMs
        self.drains = drains
        self.status = status
        self.member = member
        self.movedMs = movedMs
    }
}

/// A line of the "needs attention" list.
public struct Attention: Codable, Equatable, Sendable {
    public enum Severity: String, Codable, Sendable { case crit = "CRIT", warn = "WARN", info }
    public var severity: Severity
    /// What kind of thing: `lag`, `disk`, `memory`, `group`, `broker`.
    public var kind: String
    /// Its name: a group and topic as `group@topic`, a directory.
    public var subject: String
    /// The facts, short: `31.2k  4m12s behind  +120/s  never`.
    public var text: String
    /// When it began, ms since 1970, where that is known: what is shown by the clock of who looks.
    public var sinceMs: Int64?
    /// The screen that shows more, and the name to select there.
    public var screen: String
    public var select: String

    public init(
        severity: Severity, kind: String, subject: String, text: String, screen: String, select: String, sinceMs: Int64? = nil
    ) {
        self.sinceMs = sinceMs
        self.severity = severity
        self.kind = kind
        self.subject = subject
        self.text = text
        self.screen = screen
        self.select = select
    }
}

/// Something that happened: for the status line and `:log`.
public struct Event: Codable, Equatable, Sendable {
    public var atMs: Int64
    /// `info`, `warning` or `error`.
    public var level: String
    public var text: String

    public init(atMs: Int64, level: String, text: String) {
        self.atMs = atMs
        self.level = level
        self.text = text
    }
}
