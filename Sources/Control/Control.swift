/// The one way to see and steer a broker: implemented by the broker itself (embedded console, admin door) and by
/// the attached client over HTTP. Calls never block a broker's loops for longer than a batch of work.
public protocol Control: Sendable {
    func snapshot(_ query: SnapshotQuery) async throws(ControlError) -> Snapshot
    func perform(_ command: Command) async throws(ControlError) -> CommandOutcome
}
