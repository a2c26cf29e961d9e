import Control
import Glibc
import Terminal

/// The console as one call: what `weir serve --console` and `weir console --attach` run.
public enum ConsoleApp {
    /// Shows the broker behind `control` until the user leaves, the terminal goes away, or the task is cancelled; the terminal is then
    /// as it was found.
    ///
    /// Drawing and keys live on a thread of their own: the caller's executor is never blocked, and a terminal that stalls holds up
    /// nobody. Never ends the process; ``ConsoleEnd/stopBroker`` is a wish of the user's that the caller carries out.
    public static func run(control: any Control, options: ConsoleOptions) async -> ConsoleEnd {
        let mailbox = Mailbox()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                startThread {
                    continuation.resume(returning: runOnThisThread(control: control, options: options, mailbox: mailbox))
                }
            }
        } onCancel: {
            mailbox.post(.stop)
        }
    }

    private static func runOnThisThread(control: any Control, options: ConsoleOptions, mailbox: Mailbox) -> ConsoleEnd {
        let redirect = ErrorRedirect(file: options.errorFile)
        do throws(ScreenError) {
            let end = try ConsoleLoop(control: control, options: options, mailbox: mailbox).run()
            // Text for a terminal that is gone stays in the file.
            if end != .terminalLost { redirect?.undo() }
            return end
        } catch {
            redirect?.undo()
            return .failed(error.message)
        }
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private static func startThread(_ run: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let body = Unmanaged.passRetained(Body(run))
        let result = pthread_create(
            &thread, nil,
            { raw in
                guard let raw else { return nil }
                Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        precondition(result == 0, "no thread for the console: errno \(result)")
        pthread_detach(thread)
    }
}

/// Standard error goes to a file while the console has the terminal: a stray line would tear the picture.
private struct ErrorRedirect {
    private let saved: Int32

    /// nil when standard error is no terminal, or nothing can be opened.
    init?(file: String?) {
        guard Locale.isTerminal(2) else { return nil }
        let target = open(file ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard target >= 0 else { return nil }
        saved = fcntl(2, F_DUPFD_CLOEXEC, 3)
        dup2(target, 2)
        close(target)
    }

    func undo() {
        guard saved >= 0 else { return }
        dup2(saved, 2)
        close(saved)
    }
}
