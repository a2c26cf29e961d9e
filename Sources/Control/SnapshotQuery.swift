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

    /// Fields left out take the initialiser's values, so that `{}` and `{"topics":{}}` are queries.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            topics: try fields.decodeIfPresent(ListQuery.self, forKey: .topics),
            groups: try fields.decodeIfPresent(ListQuery.self, forKey: .groups),
            topic: try fields.decodeIfPresent(String.self, forKey: .topic),
            group: try fields.decodeIfPresent(String.self, forKey: .group),
            historyPoints: try fields.decodeIfPresent(Int.self, forKey: .historyPoints) ?? 300)
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
