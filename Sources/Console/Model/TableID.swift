import Control
import Terminal

/// The tables whose columns can be chosen (`w`).
public enum TableID: String, CaseIterable, Sendable {
    case queues, topics, groups, dead, clients, jobs, audit
    /// Messages of a queue, of a bucket of the release schedule, of a dead-letter queue.
    case messages, delayed, deadMessages

    /// Titles of its columns, and whether each may be hidden: the name always stays.
    var columns: [(title: String, mayHide: Bool)] {
        func titles<Row>(_ columns: [Column<Row>]) -> [(title: String, mayHide: Bool)] { columns.map { ($0.title, $0.priority > 0) } }
        let glyphs = Glyphs(.ascii)
        return switch self {
        case .queues: titles(QueueColumns.all(glyphs))
        case .topics: titles(TopicColumns.all(glyphs))
        case .groups: titles(GroupColumns.all(glyphs))
        case .dead: titles(DeadColumns.queues)
        case .clients: titles(ClientColumns.all(nowMs: 0))
        case .jobs: titles(JobColumns.all(glyphs, offset: 0))
        case .audit: titles(AuditColumns.all(offset: 0))
        case .messages: titles(MessageColumns.queue(nowMs: 0))
        case .delayed: titles(MessageColumns.delay(nowMs: 0, offset: 0))
        case .deadMessages: titles(MessageColumns.dead(nowMs: 0, offset: 0))
        }
    }
}

/// The columns of a table being chosen.
public struct ColumnPick: Equatable, Sendable {
    public var table: TableID
    public var cursor = 0
}

extension ConsoleModel {
    /// The table that has the keys.
    var activeTable: TableID? {
        switch (screen, activeList) {
        case (.queues, .list): .queues
        case (.topics, .list): .topics
        case (.groups, .list): .groups
        case (.dead, .list): .dead
        case (.clients, .list): .clients
        case (.jobs, .list): .jobs
        case (.audit, .list): .audit
        case (.queues, .messages): .messages
        case (.delay, .messages): .delayed
        case (.dead, .messages): .deadMessages
        default: nil
        }
    }

    /// The columns that were not hidden. Which of them fit is the table's to find out.
    func visible<Row>(_ columns: [Column<Row>], of table: TableID) -> [Column<Row>] {
        guard let hidden = hiddenColumns[table] else { return columns }
        return columns.filter { !hidden.contains($0.title) }
    }

    /// `cols 11/14 (w)` where some are hidden.
    var columnsNote: String? {
        guard let table = activeTable, let hidden = hiddenColumns[table], !hidden.isEmpty else { return nil }
        let count = table.columns.count
        return "cols \(count - hidden.count)/\(count) (w)"
    }
}
