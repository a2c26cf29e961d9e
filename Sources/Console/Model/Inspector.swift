import Control

/// The message that is looked at, over the screen it was opened from.
public struct Inspector: Equatable, Sendable {
    public enum Tab: String, CaseIterable, Sendable { case text, hex, headers, death, timeline }

    public var name: MessageName
    public var tab = Tab.text
    /// First line shown.
    public var top = 0

    public init(_ name: MessageName) { self.name = name }
}

extension ConsoleModel {
    /// The inspected message, once it was answered.
    var inspected: MessageDetail? {
        guard let inspector, let message = shown?.message, isFrozen || answered?.message == nil || answered?.message == inspector.name
        else { return nil }
        return message
    }

    /// Whether the broker was asked for it and had none.
    var isInspectedGone: Bool { inspector != nil && shown?.message == nil && answered?.message == inspector?.name }

    /// The message that `i`, enter and the keys that change one message mean.
    var messageUnderCursor: MessageName? {
        if let inspector { return inspector.name }
        switch (screen, activeList) {
        case (_, .messages):
            return messagesPage.flatMap { browse.messages.row(in: $0) }.map { MessageName(queue: $0.queue, id: $0.id) }
        case (.groups, .detail):
            guard groups.tab == 0, let rows = groupDetail?.partitions, rows.indices.contains(groups.detail.cursor) else { return nil }
            return rows[groups.detail.cursor].firstUnread
        case (.groups, .list):
            let worst = groupDetail?.partitions.max { ($0.status, $0.lag ?? 0) < ($1.status, $1.lag ?? 0) }
            return worst?.firstUnread
        case (.topics, .detail):
            guard topics.tab == 0, let rows = topicDetail?.partitions, rows.indices.contains(topics.detail.cursor) else { return nil }
            let row = rows[topics.detail.cursor]
            return row.end > row.start ? MessageName(queue: row.topic, id: "\(row.partition)/\(row.end - 1)") : nil
        default: return nil
        }
    }
}

extension GroupPartitionRow {
    /// The next record that the group will read.
    fileprivate var firstUnread: MessageName? {
        guard let committed, (lag ?? 0) > 0 else { return nil }
        return MessageName(queue: topic, id: "\(partition)/\(committed)")
    }
}
