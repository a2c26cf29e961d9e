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
        /// Set when the broker has confirmed it.
        var offset: Offset?
        var isDurable = false
        /// A power cut may have taken what was only confirmed as written.
        var mayBeLost = false
        var end = End.open
        var deliveries = 0
        /// Who has it and until when.
        var holder: (member: String, until: Monotonic)?
        /// After a release with back-off.
        var notBefore: Timestamp?
    }

    var messages: [Message] = []
    var count: Int { messages.count }
    var deliveries = 0

    func newMessage(in partition: PartitionID, isInQueue: Bool) -> Int {
        messages.append(Message(partition: partition, isInQueue: isInQueue))
        return messages.count - 1
    }

    func confirmed(_ numbers: [Int], at base: Offset, isDurable: Bool) {
        for (index, number) in numbers.enumerated() {
            messages[number].offset = base + Int64(index)
            messages[number].isDurable = isDurable
        }
    }

    /// Everything confirmed but not synced is in doubt after a power cut; nobody holds anything any more.
    func crashed(powerLost: Bool) {
        for index in messages.indices {
            messages[index].holder = nil
            if powerLost, !messages[index].isDurable { messages[index].mayBeLost = true }
        }
    }

    // MARK: Logs

    /// A partition's records as they are found: offset and message number, in order.
    func judge(_ found: [(offset: Offset, message: Int)], in partition: PartitionID) -> String? {
        var seen: [Int: Offset] = [:]
        for (offset, number) in found {
            guard messages.indices.contains(number), messages[number].partition == partition else {
                return "partition \(partition) holds a message at \(offset) that was never published there: \(number)"
            }
            if let first = seen.updateValue(offset, forKey: number) { return "message \(number) is there twice: at \(first) and \(offset)" }
            if let promised = messages[number].offset, promised != offset, !messages[number].mayBeLost {
                return "message \(number) was confirmed at \(promised) and is found at \(offset)"
            }
        }
        for (number, message) in messages.enumerated() where message.partition == partition {
            if let offset = message.offset, !message.mayBeLost, seen[number] == nil {
                return "message \(number), confirmed at \(offset) \(message.isDurable ? "durably" : "as written"), is lost"
            }
        }
        return nil
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
        messages[number].end = .sure(end)
        messages[number].holder = nil
    }

    func released(_ number: Int, attempt: Int, at now: Timestamp) {
        messages[number].holder = nil
        let backoff = Oracle.retryMs << Int64(min(attempt, 4) - 1)
        messages[number].notBefore = now + min(backoff, 8 * Oracle.retryMs)
    }

    /// After everything was drained: each message that was promised ended once, as its consumer was told.
    func judgeEnd(dead: [(offset: Offset, message: Int)]) -> String? {
        var deaths: [Int: Int] = [:]
        for (_, number) in dead { deaths[number, default: 0] += 1 }
        if let twice = deaths.first(where: { $0.value > 1 }) { return "message \(twice.key) died \(twice.value) times" }
        for (number, message) in messages.enumerated() where message.isInQueue && message.offset != nil && !message.mayBeLost {
            let isDead = deaths[number] != nil
            switch message.end {
            case .sure(.accepted) where isDead: return "message \(number) was accepted for sure and lies in the dead-letter queue"
            case .sure(.rejected) where !isDead: return "message \(number) was rejected for sure and is not in the dead-letter queue"
            case .open where !isDead:
                return "message \(number) was confirmed, delivered \(message.deliveries) times, and is in nobody's hands"
            default: break
            }
        }
        return nil
    }
}
