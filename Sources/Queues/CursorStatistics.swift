/// What went through a cursor since the broker's start.
public struct CursorStatistics: Equatable, Sendable {
    public internal(set) var delivered: Int64 = 0
    public internal(set) var accepted: Int64 = 0
    /// By attempt number: index 0 is the first attempt, the last index that and all later ones.
    public internal(set) var attempts = [AttemptCount](repeating: AttemptCount(), count: CursorStatistics.attemptRows)

    public static let attemptRows = 17

    static func row(_ attempt: Int32) -> Int { min(max(Int(attempt), 1), attemptRows) - 1 }
}

/// What became of deliveries with one attempt number.
public struct AttemptCount: Equatable, Sendable {
    public var delivered: Int64 = 0
    public var succeeded: Int64 = 0
    public var died: Int64 = 0

    public init() {}
}
