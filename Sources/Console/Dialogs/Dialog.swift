import Control
import Terminal

/// A line of text in one colour.
public struct Note: Equatable, Sendable {
    public var text: String
    public var key: ThemeKey

    public init(_ text: String, _ key: ThemeKey = .text) {
        self.text = text
        self.key = key
    }
}

/// A question the console asks before it acts. Names verb, object and count; shows the equivalent command line.
public struct Dialog: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// Runs the commands once `expected` was typed.
        case confirm(expected: String, commands: [Command])
        case createTopic
        case reset(ResetPlan)
        case quit
        /// The theme to return to when cancelled.
        case themes(before: String)
        /// Lists what a dry run would move; goes back to the dialog below.
        case moves([OffsetMove], top: Int, below: [Dialog])
        /// Lines of a dry run; goes back to the dialog below.
        case listing([Note], top: Int, below: [Dialog])
        /// Redrive, move and replay: the broker counts before anything is done.
        case counted(CountedPlan)
        /// Which columns a table has.
        case columns(ColumnPick)
        /// A form whose fields make one command a name.
        case form(FormAction)
    }

    public var kind: Kind
    public var title: String
    /// What will happen, above the fields.
    public var notes: [Note]
    public var form: Form
    /// What is wrong with the input, or what the broker answered.
    public var message: Note?
    public var commandLine: String?

    /// Whether `d` shows what a dry run found.
    var hasDryRun: Bool {
        switch kind {
        case .reset, .counted: true
        default: false
        }
    }

    public init(kind: Kind, title: String, notes: [Note], form: Form, commandLine: String? = nil) {
        self.kind = kind
        self.title = title
        self.notes = notes
        self.form = form
        self.commandLine = commandLine
    }
}

/// What an offset reset is about, and the preview of exactly what the form says now.
public struct ResetPlan: Equatable, Sendable {
    public var group: String
    public var topics: [String]
    /// nil: all.
    public var partition: Int32?
    /// The command that the last preview was for.
    public var previewed: OffsetReset?
    public var moves: [OffsetMove] = []
    public var previewedAtMs: Int64 = 0
    /// The dry run that is under way.
    public var asked: OffsetReset?

    public init(group: String, topics: [String], partition: Int32? = nil) {
        self.group = group
        self.topics = topics
        self.partition = partition
    }

    /// Records that would be read again, and that would be skipped.
    public var again: Int64 { moves.reduce(0) { $0 + max(0, ($1.from ?? $1.to) - $1.to) } }
    public var skipped: Int64 { moves.reduce(0) { $0 + max(0, $1.to - ($1.from ?? $1.to)) } }
    /// Partitions whose commit changes.
    public var changed: Int { moves.count { $0.from != $0.to } }
}
