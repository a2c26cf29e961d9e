/// What a snapshot should hold. The empty query gives broker, totals, history and attention.
public struct SnapshotQuery: Codable, Equatable, Sendable {
    public var topics: ListQuery?
    public var groups: ListQuery?
    /// Names of the topic and the group to give whole.
    public var topic: String?
    public var group: String?
    public var queues: ListQuery?
    public var queue: String?
    public var delay: DelayQuery?
    /// A window of one queue's messages, and one message by its id.
    public var messages: MessageQuery?
    public var message: MessageName?
    public var deadQueues: ListQuery?
    /// The dead-letter queue to give whole; its messages are those of this query.
    public var dead: MessageQuery?
    public var jobs: ListQuery?
    /// The job to give whole.
    public var job: JobQuery?
    public var audit: ListQuery?
    public var clients: ListQuery?
    /// Points of broker history, at most 900.
    public var historyPoints: Int

    public init(
        topics: ListQuery? = nil, groups: ListQuery? = nil, topic: String? = nil, group: String? = nil, historyPoints: Int = 300
    ) {
        self.topics = topics
        self.groups = groups
        self.topic = topic
        self.group = group
        self.historyPoints = historyPoints
    }

    /// A window of every list, the same filter for all where it names things, and what waits.
    public static func everything(_ list: ListQuery, historyPoints: Int = 300) -> SnapshotQuery {
        var query = SnapshotQuery(topics: list, groups: list, historyPoints: historyPoints)
        query.queues = list
        query.delay = DelayQuery()
        query.deadQueues = list
        query.jobs = list
        query.audit = list
        query.clients = list
        return query
    }

    /// Fields left out take the initialiser's values, so that `{}` and `{"topics":{}}` are queries.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            topics: try fields.decodeIfPresent(ListQuery.self, forKey: .topics),
            groups: try fields.decodeIfPresent(ListQuery.self, forKey: .groups),
            topic: try fields.decodeIfPresent(String.self, forKey: .topic),
            group: try fields.decodeIfPresent(String.self, forKey: .group),
            historyPoints: try fields.decodeIfPresent(Int.self, forKey: .historyPoints) ?? 300)
        queues = try fields.decodeIfPresent(ListQuery.self, forKey: .queues)
        queue = try fields.decodeIfPresent(String.self, forKey: .queue)
        delay = try fields.decodeIfPresent(DelayQuery.self, forKey: .delay)
        messages = try fields.decodeIfPresent(MessageQuery.self, forKey: .messages)
        message = try fields.decodeIfPresent(MessageName.self, forKey: .message)
        deadQueues = try fields.decodeIfPresent(ListQuery.self, forKey: .deadQueues)
        dead = try fields.decodeIfPresent(MessageQuery.self, forKey: .dead)
        jobs = try fields.decodeIfPresent(ListQuery.self, forKey: .jobs)
        job = try fields.decodeIfPresent(JobQuery.self, forKey: .job)
        audit = try fields.decodeIfPresent(ListQuery.self, forKey: .audit)
        clients = try fields.decodeIfPresent(ListQuery.self, forKey: .clients)
    }
}

/// The delay store and waiting retries: of all queues, or of one.
public struct DelayQuery: Codable, Equatable, Sendable {
    public var queue: String?

    public init(queue: String? = nil) { self.queue = queue }
}

/// A window of a queue's messages: in a queue by offset, delayed ones by due time, dead ones newest first.
public struct MessageQuery: Codable, Equatable, Sendable {
    public var queue = ""
    /// nil: those that wait to be delivered (ready and acquired). `delayed` and `waiting` list what is on screen Delay.
    public var state: MessageRow.State?
    public var filter = MessageFilter()
    /// For delayed and waiting ones: due in [fromMs, toMs) wall time.
    public var fromMs: Int64?
    public var toMs: Int64?
    public var start = 0
    public var count = 100

    public init() {}
    public init(queue: String, state: MessageRow.State? = nil) {
        self.queue = queue
        self.state = state
    }
}

/// One job by its number, and a window of what became of its messages.
public struct JobQuery: Codable, Equatable, Sendable {
    public var id: Int64
    /// nil: whatever became of them.
    public var outcome: JobOutcomeRow.Outcome?
    public var start = 0
    public var count = 100

    public init(id: Int64) { self.id = id }
}

/// One message: a queue (or topic) and an id as ``MessageRow/id`` has it.
public struct MessageName: Codable, Equatable, Sendable {
    public var queue: String
    public var id: String

    public init(queue: String, id: String) {
        self.queue = queue
        self.id = id
    }
}

/// A window of a list.
public struct ListQuery: Codable, Equatable, Sendable {
    /// Keeps names that contain this, without regard to case; `~` before it makes it a regular expression.
    public var filter: String
    /// A column's field name (`name`, `records`, `bytes`, `inRate`, `lag`, `behindMs`, `status`, …); ties go by name.
    public var sort: String
    public var descending: Bool
    public var start: Int
    public var count: Int

    public init(filter: String = "", sort: String = "name", descending: Bool = false, start: Int = 0, count: Int = 100) {
        self.filter = filter
        self.sort = sort
        self.descending = descending
        self.start = start
        self.count = count
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            filter: try fields.decodeIfPresent(String.self, forKey: .filter) ?? "",
            sort: try fields.decodeIfPresent(String.self, forKey: .sort) ?? "name",
            descending: try fields.decodeIfPresent(Bool.self, forKey: .descending) ?? false,
            start: try fields.decodeIfPresent(Int.self, forKey: .start) ?? 0,
            count: try fields.decodeIfPresent(Int.self, forKey: .count) ?? 100)
    }
}
