import Glibc

/// The question before something is destroyed.
enum Confirmation {
    /// Returns when `yes` was said on the command line or the person types `name`; throws ``CommandFailure`` otherwise.
    ///
    /// - Parameter act: `deletes topic 'orders' with its 1,204 records`
    static func ask(act: String, name: String, yes: Bool) throws(CommandFailure) {
        if yes { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw CommandFailure("this \(act): say --yes to do it without being asked")
        }
        StandardError.write("This \(act).\nType the name '\(name)' to go on: ")
        guard readLine() == name else { throw CommandFailure("not confirmed: nothing was changed") }
    }
}
