import Control

/// The lists that have a cursor.
public enum ListID: Equatable, Sendable {
    case topics, groups, detail, attention, backlog, log
}

extension ConsoleModel {
    /// The list that has the keys.
    var activeList: ListID {
        switch screen {
        case .overview: overview.pane == .attention ? .attention : .backlog
        case .topics: topics.opened == nil ? .topics : .detail
        case .groups: groups.opened == nil ? .groups : .detail
        case .log: .log
        }
    }

    func state(_ list: ListID) -> ListState {
        switch list {
        case .topics: topics.list
        case .groups: groups.list
        case .detail: screen == .groups ? groups.detail : topics.detail
        case .attention: overview.attention
        case .backlog: overview.backlog
        case .log: log
        }
    }

    mutating func change(_ list: ListID, _ body: (inout ListState) -> Void) {
        switch list {
        case .topics: body(&topics.list)
        case .groups: body(&groups.list)
        case .detail: if screen == .groups { body(&groups.detail) } else { body(&topics.detail) }
        case .attention: body(&overview.attention)
        case .backlog: body(&overview.backlog)
        case .log: body(&log)
        }
    }

    /// Rows of a list, the whole of it.
    func count(_ list: ListID) -> Int {
        guard let shown else { return 0 }
        switch list {
        case .topics: return shown.topics.matched
        case .groups: return shown.groups.matched
        case .detail: return detailCount
        case .attention: return shown.attention.count
        case .backlog: return shown.groups.rows.count
        case .log: return logLines.count
        }
    }

    /// The detail's tables, in the order of Tab.
    var detailTabs: [String] { screen == .groups ? ["partitions", "members"] : ["partitions", "groups", "config"] }

    var detailCount: Int {
        switch (screen, screen == .groups ? groups.tab : topics.tab) {
        case (.topics, 0): topicDetail?.partitions.count ?? 0
        case (.topics, 1): topicDetail?.groups.count ?? 0
        case (.topics, _): topicDetail?.configs.count ?? 0
        case (.groups, 0): groupDetail?.partitions.count ?? 0
        case (.groups, _): groupDetail?.members.count ?? 0
        default: 0
        }
    }

    /// The detail of the selected topic, once it was answered.
    var topicDetail: TopicDetail? {
        guard let detail = shown?.topic, detail.row.name == selectedTopic else { return nil }
        return detail
    }

    var groupDetail: GroupDetail? {
        guard let detail = shown?.group, detail.row.group == selectedGroup else { return nil }
        return detail
    }

    /// The broker's events that pass the log's filter.
    var logLines: [Event] {
        guard let events = live?.events else { return [] }
        guard !log.filter.isEmpty else { return events }
        let needle = log.filter.lowercased()
        return events.filter { $0.text.lowercased().contains(needle) || $0.level.contains(needle) }
    }

    /// The name of a list's row, where it has one.
    func name(_ list: ListID, at index: Int) -> String? {
        guard let shown else { return nil }
        switch list {
        case .topics: return topics.list.row(index, in: shown.topics)?.name
        case .groups: return groups.list.row(index, in: shown.groups)?.group
        case .backlog: return shown.groups.rows.indices.contains(index) ? shown.groups.rows[index].group : nil
        case .attention: return shown.attention.indices.contains(index) ? shown.attention[index].select : nil
        default: return nil
        }
    }
}
