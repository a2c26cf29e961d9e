import Model
import Queues

/// What must be true of a world, by the plainest bookkeeping there is. Knows messages by number.
///
/// `@unchecked Sendable`: a world has one thread.
final class Oracle: @unchecked Sendable {
    /// Topics by name, with their settings. `queue` is one, `queue.dlq` gets its dead.
    static let topics: [String: [String: String]] = [
        "plain": [:],
        "queue": [
            "queue": "true", "delivery.limit": "\(deliveryLimit)", "retry.backoff": "\(retryMs)ms,2,\(8 * retryMs)ms",
            "dead.letter": "queue.dlq",
            "delay.enable": "true",
        ],
        "queue.dlq": ["queue": "true"],
    ]
    static let deliveryLimit = 4
    static let retryMs: Int64 = 300

    /// How a message ended, as far as its consumer was told.
    enum End: Equatable {
        case open
        /// Asked for, not answered (yet): it may be so or not.
        case maybe(Acknowledged)
        case sure(Acknowledged)
    }
    enum Acknowledged { case accepted, rejected }

    struct Message {
        var partition: PartitionID
        var isInQueue: Bool
        var isConfirmed = false
        /// Known when the broker has confirmed it, unless it was delayed.
        var offset: Offset?
        /// Not to be seen before.
        var due: Timestamp?
        var isDurable = false
        /// A power cut may have taken what was only confirmed as written.
        var mayBeLost = false
        var end = End.open
        var deliveries = 0
        /// Who has it and until when.
        var holder: (member: String, until: Monotonic)?
        /// A purge may have settled it, and nobody has undone that.
        var mayBePurged = false
        /// After a release with back-off.
        var notBefore: Timestamp?
    }

    var messages: [Message] = []
    var count: Int { messages.count }
    var deliveries = 0

    /// Purges that were asked for and not answered: what is published meanwhile may go with the rest.
    var purging = 0
    /// Redrives bring the dead back: from then on a rejected message may live again.
    var wasRedriven = false

    func newMessage(in partition: PartitionID, isInQueue: Bool, due: Timestamp?) -> Int {
        messages.append(Message(partition: partition, isInQueue: isInQueue, due: due))
        if isInQueue, purging > 0 { messages[messages.count - 1].mayBePurged = true }
        return messages.count - 1
    }

    /// The messages of one batch; those that are delayed got no offset yet.
    func confirmed(_ numbers: [Int], at base: Offset, isDurable: Bool) {
        var next = base
        for number in numbers {
            messages[number].isConfirmed = true
            messages[number].isDurable = isDurable
            guard messages[number].due == nil else { continue }
            messages[number].offset = next
            next = next + 1
        }
    }

    /// Everything confirmed but not synced is in doubt after a power cut; nobody holds anything any more.
    func crashed(powerLost: Bool) {
        purging = 0
        for index in messages.indices {
            messages[index].holder = nil
            if powerLost, !messages[index].isDurable { messages[index].mayBeLost = true }
        }
    }

    // MARK: Logs

    /// The records of a plain partition as they are found: offset and message number, in order.
    func judge(_ found: [(offset: Offset, message: Int)], in partition: PartitionID) -> String? {
        var copies: [Int: Int] = [:]
        for (offset, number) in found {
            guard messages.indices.contains(number), messages[number].partition == partition else {
                return "partition \(partition) holds a message at \(offset) that was never published there: \(number)"
            }
            copies[number, default: 0] += 1
            if copies[number] == 1, let promised = messages[number].offset, promised != offset, !messages[number].mayBeLost {
                return "message \(number) was confirmed at \(promised) and is found at \(offset)"
            }
            if !messages[number].isInQueue, copies[number] != 1 { return "message \(number) is there twice, again at \(offset)" }
        }
        for (number, message) in messages.enumerated() where message.partition == partition {
            if let offset = message.offset, !message.mayBeLost, copies[number] == nil {
                return "message \(number), confirmed at \(offset) \(message.isDurable ? "durably" : "as written"), is lost"
            }
        }
        return nil
    }

    /// A message lies in the queue once and once more for each redrive, among the dead once for each death: more copies in the queue than
    /// deaths by one at most, and never fewer.
    func judgeMoves(queue: [(offset: Offset, message: Int)], dead: [(offset: Offset, message: Int)], now: Timestamp) -> String? {
        let (copies, deaths) = (Self.count(queue), Self.count(dead))
        for (number, message) in messages.enumerated() where message.isInQueue {
            let (lives, ends) = (copies[number] ?? 0, deaths[number] ?? 0)
            if !(0...1).contains(lives - ends) { return "message \(number) lies \(lives) times in the queue and died \(ends) times" }
            if lives > 0, let due = message.due, now < due { return "message \(number) was appended \(due - now) ms before it was due" }
        }
        return nil
    }

    private static func count(_ found: [(offset: Offset, message: Int)]) -> [Int: Int] {
        found.reduce(into: [:]) { $0[$1.message, default: 0] += 1 }
    }

    // MARK: Deliveries

    /// A consumer was given a message.
    func delivered(_ number: Int, at offset: Offset, count: Int, to member: String, until: Monotonic, now: Timestamp, _ ticks: Monotonic)
        -> String?
    {
        guard messages.indices.contains(number), messages[number].isInQueue else {
            return "an unknown message was delivered: \(number) at \(offset)"
        }
        let message = messages[number]
        if case .sure(let end) = message.end { return "message \(number) was \(end) for sure and is delivered again" }
        if let holder = message.holder, holder.until > ticks {
            return "message \(number) is held by \(holder.member) and was given to \(member)"
        }
        if let due = message.due, now < due { return "message \(number) is delivered \(due - now) ms before it is due" }
        if let notBefore = message.notBefore, now < notBefore { return "message \(number) is delivered \(notBefore - now) ms too early" }
        if count < 1 || count > Self.deliveryLimit { return "message \(number): delivery \(count) of at most \(Self.deliveryLimit)" }
        messages[number].holder = (member, until)
        messages[number].deliveries += 1
        messages[number].notBefore = nil
        deliveries += 1
        return nil
    }

    /// What the member had may be given to others.
    func lost(_ member: String) {
        for index in messages.indices where messages[index].holder?.member == member { messages[index].holder = nil }
    }

    /// A consumer asks to end a message; what becomes of it is open until it is answered.
    func asked(_ number: Int, _ end: Acknowledged) {
        if case .sure = messages[number].end { return }
        messages[number].end = .maybe(end)
    }

    func answered(_ number: Int, _ end: Acknowledged) {
        messages[number].end = end == .rejected && wasRedriven ? .maybe(end) : .sure(end)
        messages[number].holder = nil
    }

    func released(_ number: Int, attempt: Int, at now: Timestamp) {
        messages[number].holder = nil
        let backoff = Oracle.retryMs << Int64(min(attempt, 4) - 1)
        messages[number].notBefore = now + min(backoff, 8 * Oracle.retryMs)
    }

    // MARK: Operators

    func redriveAsked() {
        wasRedriven = true
        for index in messages.indices where messages[index].end == .sure(.rejected) { messages[index].end = .maybe(.rejected) }
    }

    /// - Returns: the messages that a purge may take.
    func purgeAsked() -> [Int] {
        let open = messages.indices.filter { messages[$0].isInQueue && !messages[$0].mayBePurged }
        for index in open { messages[index].mayBePurged = true }
        return open
    }

    func purgeUndone(_ numbers: [Int]) {
        for number in numbers { messages[number].mayBePurged = false }
    }

    /// After everything was drained: each message that was promised ended once, as its consumer was told.
    func judgeEnd(queue: [(offset: Offset, message: Int)], dead: [(offset: Offset, message: Int)]) -> String? {
        let (copies, deaths) = (Self.count(queue), Self.count(dead))
        for (number, message) in messages.enumerated() where message.isInQueue && message.isConfirmed && !message.mayBeLost {
            let (lives, ends) = (copies[number] ?? 0, deaths[number] ?? 0)
            if lives == 0 { return "message \(number) was confirmed\(message.due == nil ? "" : " with a delay") and never appended" }
            switch message.end {
            case .sure(.accepted) where lives == ends: return "message \(number) was accepted for sure and is dead"
            case .sure(.rejected) where lives != ends: return "message \(number) was rejected for sure and is not dead"
            case .open where lives != ends && !message.mayBePurged:
                return "message \(number) was confirmed, delivered \(message.deliveries) times, and is in nobody's hands"
            default: break
            }
        }
        return nil
    }
}
