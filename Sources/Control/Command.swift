/// What an operator can do to a broker. The console's keys and the command line's verbs both send these.
public enum Command: Codable, Equatable, Sendable {
    case createTopic(name: String, partitions: Int, configs: [String: String])
    case deleteTopic(name: String)
    /// Deletes records below `before` (−1: up to the end) in one partition, or in all of the topic's.
    case deleteRecords(topic: String, partition: Int32?, before: Int64)
    case resetOffsets(OffsetReset)
    case deleteGroup(name: String)
    /// Changes settings of a topic, queue or share group.
    case alter(SettingsChange)
    /// Closes a client's connection; ``ClientRow/id`` names it.
    case killClient(id: Int64)
    /// Takes a member out of a consumer or share group, and closes the connections that are known to carry it.
    case removeMember(group: String, member: String)
    case queue(QueueCommand)

    /// The `weir …` command line that does the same.
    public var commandLine: String {
        switch self {
        case .createTopic(let name, let partitions, let configs):
            let settings = configs.sorted { $0.key < $1.key }.map { " --config \(quoted("\($0.key)=\($0.value)"))" }.joined()
            return "weir topic create \(quoted(name)) --partitions \(partitions)\(settings)"
        case .deleteTopic(let name): return "weir topic delete \(quoted(name)) --yes"
        case .deleteRecords(let topic, let partition, let before):
            let which = partition.map { " --partition \($0)" } ?? ""
            return "weir topic purge \(quoted(topic))\(which)\(before >= 0 ? " --before \(before)" : "") --yes"
        case .resetOffsets(let reset): return reset.commandLine
        case .deleteGroup(let name): return "weir group delete \(quoted(name)) --yes"
        case .alter(let change): return change.commandLine
        case .killClient(let id): return "weir client kill \(id) --yes"
        case .removeMember(let group, let member): return "weir client kill \(quoted(member)) --group \(quoted(group)) --yes"
        case .queue(let command): return command.commandLine
        }
    }

    /// Whether it only says what would happen, so that a read-only broker lets it through.
    public var onlyPreviews: Bool {
        switch self {
        case .resetOffsets(let reset): reset.dryRun
        case .queue(.redrive(let redrive)): redrive.dryRun
        case .queue(.replay(let replay)): replay.dryRun
        default: false
        }
    }
}

/// Moves a group's committed offsets, or a share group's cursors. The group must be empty, as Kafka demands, unless its members are taken
/// out.
public struct OffsetReset: Codable, Equatable, Sendable {
    public enum Target: Codable, Equatable, Sendable {
        case earliest, latest
        case offset(Int64)
        /// The first record at or after this wall time, ms since 1970.
        case time(ms: Int64)
    }
    public var group: String
    /// nil: every topic the group has offsets for.
    public var topic: String?
    public var partition: Int32?
    public var target: Target
    /// Only says what would happen.
    public var dryRun: Bool
    /// Takes members out first; they join again and go on from the new offsets.
    public var force: Bool

    public init(
        group: String, topic: String? = nil, partition: Int32? = nil, target: Target, dryRun: Bool, force: Bool = false
    ) {
        self.force = force
        self.group = group
        self.topic = topic
        self.partition = partition
        self.target = target
        self.dryRun = dryRun
    }

    /// Without `force` is not forced.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            group: try fields.decode(String.self, forKey: .group), topic: try fields.decodeIfPresent(String.self, forKey: .topic),
            partition: try fields.decodeIfPresent(Int32.self, forKey: .partition),
            target: try fields.decode(Target.self, forKey: .target), dryRun: try fields.decode(Bool.self, forKey: .dryRun),
            force: try fields.decodeIfPresent(Bool.self, forKey: .force) ?? false)
    }

    public var commandLine: String {
        var line = "weir group reset \(quoted(group))"
        if let topic { line += " --topic \(quoted(topic))" }
        if let partition { line += " --partition \(partition)" }
        switch target {
        case .earliest: line += " --to earliest"
        case .latest: line += " --to latest"
        case .offset(let offset): line += " --to \(offset)"
        case .time(let ms): line += " --to-time \(ms)"
        }
        return line + (force ? " --force" : "") + (dryRun ? " --dry-run" : "")
    }
}

/// What became of a command.
public struct CommandOutcome: Codable, Equatable, Sendable {
    /// One line for the operator: `orders: 1,204 records deleted in 3 partitions`.
    public var message: String
    /// For offset resets: what moves where.
    public var moves: [OffsetMove]
    /// For redrive, replay and purge: the counts.
    public var preview: Preview?
    /// By which ``QueueCommand/undo(id:)`` takes it back.
    public var undo: String?
    /// The job that was started.
    public var job: Int64?

    public init(message: String, moves: [OffsetMove] = [], preview: Preview? = nil, undo: String? = nil, job: Int64? = nil) {
        self.message = message
        self.moves = moves
        self.preview = preview
        self.undo = undo
        self.job = job
    }
}

public struct OffsetMove: Codable, Equatable, Sendable {
    public var topic: String
    public var partition: Int32
    public var from: Int64?
    public var to: Int64
    public var end: Int64

    public init(topic: String, partition: Int32, from: Int64?, to: Int64, end: Int64) {
        self.topic = topic
        self.partition = partition
        self.from = from
        self.to = to
        self.end = end
    }
}

/// A command or query that was not carried out: what, and what to do next.
public struct ControlError: Error, Codable, Equatable, Sendable {
    public enum Code: String, Codable, Sendable {
        /// The command makes no sense or an argument is out of range.
        case invalid
        case notFound
        /// The thing exists already, or is in a state that forbids it (a group with members).
        case conflict
        /// The broker or this door is read-only.
        case readOnly
        /// The broker can't be reached.
        case unreachable
        case failed
    }
    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension ControlError: CustomStringConvertible {
    public var description: String { message }
}
