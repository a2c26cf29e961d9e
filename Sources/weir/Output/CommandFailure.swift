import Control

/// A verb that was refused or failed: one line for standard error that says what, where and what to do next. Exit code 1.
struct CommandFailure: Error, Equatable, Sendable, CustomStringConvertible {
    var message: String

    init(_ message: String) { self.message = message }

    init(_ error: ControlError) { message = error.message }

    var description: String { message }
}
