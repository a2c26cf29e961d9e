import Control
import Synchronization
import Terminal

/// What tasks hand to the console's thread. Posting wakes it.
final class Mailbox: Sendable {
    enum Message: Sendable {
        case snapshot(Snapshot)
        case failure(ControlError)
        case outcome(Result<CommandOutcome, ControlError>, id: Int)
        case stop
    }

    /// One snapshot is under way at a time and commands come from a hand on a keyboard; past this the oldest are dropped.
    static let capacity = 256

    private let messages = Mutex<[Message]>([])

    func post(_ message: Message) {
        messages.withLock {
            if $0.count >= Self.capacity { $0.removeFirst() }
            $0.append(message)
        }
        Screen.wake()
    }

    func take() -> [Message] {
        messages.withLock { queue in
            let taken = queue
            queue = []
            return taken
        }
    }
}
