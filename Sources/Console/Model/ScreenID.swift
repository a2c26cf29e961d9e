/// The screens there are. Others come with the things they show.
public enum ScreenID: String, CaseIterable, Sendable {
    case overview, queues, topics, groups, delay, dead, clients, jobs, audit, log

    /// The key that opens it; nil for screens of the palette.
    public var digit: Character? {
        switch self {
        case .overview: "1"
        case .queues: "2"
        case .topics: "3"
        case .groups: "4"
        case .delay: "5"
        case .dead: "6"
        case .clients: "7"
        case .jobs: "8"
        case .audit: "9"
        case .log: nil
        }
    }

    public var title: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }
}
