/// What a snapshot should hold. The empty query gives broker, totals, history and attention.
public struct SnapshotQuery: Codable, Equatable, Sendable {
    public var topics: ListQuery?
    public var groups: ListQuery?
    /// Names of the topic and the group to give whole.
    public var topic: String?
    public var group: String?
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
}
