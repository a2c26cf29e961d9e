import Control

/// Why the console ended.
public enum ConsoleEnd: Equatable, Sendable {
    /// Closed by its user (embedded: the broker goes on).
    case closed
    /// The user asked to stop the broker too (embedded only).
    case stopBroker
    /// The terminal is gone: SSH dropped, window closed. Never a reason to end a broker.
    case terminalLost
    /// Whoever started the console asked it to end.
    case cancelled
    /// The terminal can't be used; the message says why and what to do.
    case failed(String)
}

/// What the model wants done; performed by the loop.
public enum Effect: Equatable, Sendable {
    /// Sends a command; its outcome comes back under the same number.
    case perform(Command, id: Int)
    case end(ConsoleEnd)
    /// To the user's clipboard.
    case copy(String)
    /// Writes the shown instant to a file as JSON.
    case export(Snapshot)
    /// Steps back to the shell (attached consoles only).
    case suspend
    /// Draws everything anew.
    case redraw
    /// Asks the broker now.
    case fetch
}
