import Control

/// The lists that have a cursor; `list`, `detail` and `messages` are those of the screen that is open.
public enum ListID: Equatable, Sendable {
    case list, detail, messages, attention, backlog, log
}

extension ConsoleModel {
    /// The list that has the keys.
    var activeList: ListID {
        switch screen {
        case .overview: return overview.pane == .attention ? .attention : .backlog
        case .log: return .log
        default:
            guard isDetailOpened else { return .list }
            return showsMessages ? .messages : .detail
        }
    }

    /// Whether the opened detail's table is one of messages.
    var showsMessages: Bool {
        switch screen {
        case .queues: queues.opened != nil && queues.tab == 0
        case .delay: delay.opened != nil
        case .dead: dead.opened != nil && dead.tab == 1
        default: false
        }
    }

    func state(_ list: ListID) -> ListState {
        switch list {
        case .list: browse.list
        case .detail: browse.detail
        case .messages: browse.messages
        case .attention: overview.attention
        case .backlog: overview.backlog
        case .log: log
        }
    }

    mutating func change(_ list: ListID, _ body: (inout ListState) -> Void) {
        switch list {
        case .list: changeBrowse { body(&$0.list) }
        case .detail: changeBrowse { body(&$0.detail) }
        case .messages: changeBrowse { body(&$0.messages) }
        case .attention: body(&overview.attention)
        case .backlog: body(&overview.backlog)
        case .log: body(&log)
        }
    }

    /// Rows of a list, the whole of it.
    func count(_ list: ListID) -> Int {
        guard let shown else { return 0 }
        switch list {
        case .list: return listCount(shown)
        case .detail: return detailCount
        case .messages: return messagesPage?.matched ?? 0
        case .attention: return shown.attention.count
        case .backlog: return BacklogRow.rows(shown).count
        case .log: return logLines.count
        }
    }

    private func listCount(_ shown: Snapshot) -> Int {
        switch screen {
        case .queues: shown.queues.matched
        case .topics: shown.topics.matched
        case .groups: shown.groups.matched
        case .delay: shown.delay?.buckets.count ?? 0
        case .dead: shown.deadQueues.matched
        case .clients: shown.clients.matched
        case .jobs: shown.jobs.matched
        case .audit: shown.audit.matched
        case .overview, .log: 0
        }
    }

    /// The detail's tables, in the order of Tab.
    var detailTabs: [String] {
        switch screen {
        case .queues: ["messages", "consumers", "partitions", "attempts", "config", "undo"]
        case .topics: ["partitions", "groups", "config"]
        case .groups: ["partitions", "members"]
        case .delay: ["delayed", "retrying"]
        case .dead: ["why", "messages"]
        default: []
        }
    }

    var detailCount: Int {
        switch (screen, browse.tab) {
        case (.topics, 0): topicDetail?.partitions.count ?? 0
        case (.topics, 1): topicDetail?.groups.count ?? 0
        case (.topics, _): topicDetail?.configs.count ?? 0
        case (.groups, 0): groupDetail?.partitions.count ?? 0
        case (.groups, _): groupDetail?.members.count ?? 0
        case (.queues, 1): queueDetail?.consumers.count ?? 0
        case (.queues, 2): queueDetail?.partitions.count ?? 0
        case (.queues, 3): queueDetail?.attempts.count ?? 0
        case (.queues, 4): queueDetail?.configs.count ?? 0
        case (.queues, 5): queueDetail?.undos.count ?? 0
        case (.dead, 0): deadDetail?.reasons.count ?? 0
        case (.jobs, _): jobDetail?.outcomes.matched ?? 0
        default: 0
        }
    }

    /// The opened job, once it was answered.
    var jobDetail: JobDetail? {
        guard let detail = shown?.job, jobs.opened == String(detail.row.id) else { return nil }
        return detail
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

    var queueDetail: QueueDetail? {
        guard let detail = shown?.queue, detail.row.name == selectedQueue else { return nil }
        return detail
    }

    var deadDetail: DeadDetail? {
        guard let detail = shown?.dead, detail.row.name == selectedDeadQueue else { return nil }
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
        case .list: return name(of: screen, at: index)
        case .messages: return messagesPage.flatMap { browse.messages.row(index, in: $0) }?.markName
        case .backlog:
            let rows = BacklogRow.rows(shown)
            return rows.indices.contains(index) ? rows[index].name : nil
        case .attention: return shown.attention.indices.contains(index) ? shown.attention[index].select : nil
        case .detail, .log: return nil
        }
    }

    /// The name of a row of a screen's list, where the page holds it.
    func name(of screen: ScreenID, at index: Int) -> String? {
        guard let shown else { return nil }
        switch screen {
        case .queues: return queues.list.row(index, in: shown.queues)?.name
        case .topics: return topics.list.row(index, in: shown.topics)?.name
        case .groups: return groups.list.row(index, in: shown.groups)?.group
        case .dead: return dead.list.row(index, in: shown.deadQueues)?.name
        case .clients: return clients.list.row(index, in: shown.clients).map { String($0.id) }
        case .jobs: return jobs.list.row(index, in: shown.jobs).map { String($0.id) }
        case .audit: return audit.list.row(index, in: shown.audit).map { String($0.id) }
        case .delay:
            let buckets = shown.delay?.buckets ?? []
            return buckets.indices.contains(index) ? buckets[index].label : nil
        case .overview, .log: return nil
        }
    }
}
