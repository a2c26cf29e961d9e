/// The screens there are. Others come with the things they show.
public enum ScreenID: String, CaseIterable, Sendable {
    case overview, topics, groups, log

    /// The key that opens it; nil for screens of the palette.
    public var digit: Character? {
        switch self {
        case .overview: "1"
        case .topics: "3"
        case .groups: "4"
        case .log: nil
        }
    }

    public var title: String {
        switch self {
        case .overview: "Overview"
        case .topics: "Topics"
        case .groups: "Groups"
        case .log: "Log"
        }
    }

    /// What a digit will open once it exists.
    static func later(_ digit: Character) -> String? {
        switch digit {
        case "2": "2 Queues comes with queues"
        case "5": "5 Delay comes with delayed messages and retry"
        case "6": "6 Dead comes with dead letters"
        case "7": "7 Clients comes with users and sessions"
        case "8": "8 Jobs comes with redrive jobs"
        case "9": "9 Audit comes with the audit log; :log shows events"
        default: nil
        }
    }
}
