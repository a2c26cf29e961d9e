import Broker
import Model

/// What consumers see and answer.
extension Oracle {
    /// What a consumer was given.
    struct Delivered {
        var number: Int
        var place: Place
        /// The how many-th time it is, as the broker says.
        var count: Int
        var member: String
        /// Nobody else gets it before.
        var until: Monotonic
    }

    /// - Returns: why it should not have been.
    func delivered(_ delivery: Delivered, now: Timestamp, _ ticks: Monotonic) -> String? {
        let (number, member) = (delivery.number, delivery.member)
        guard messages.indices.contains(number), messages[number].topic != Topics.plain else {
            return "an unknown message was delivered: \(number) at \(delivery.place.offset)"
        }
        let message = messages[number]
        onEvent?(number, "delivered at \(delivery.place.offset), \(delivery.count). time, to \(member)")
        if case .sure(let end) = message.end { return "message \(number) was \(end) for sure and is delivered again" }
        if message.cancel == .sure { return "message \(number) was cancelled for sure and is delivered" }
        // A replay brings back what lies elsewhere too: then it is in two places.
        if let holder = message.holder, holder.until > ticks, message.answering[holder.member] == nil,
            replays == 0 || holder.place == delivery.place
        {
            return "message \(number) is held by \(holder.member) and was given to \(member)"
        }
        if let due = message.due, now < due { return "message \(number) is delivered \(due - now) ms before it is due" }
        if let notBefore = message.notBefore, now < notBefore, replays == 0 {
            return "message \(number) is delivered \(notBefore - now) ms too early"
        }
        let limit = Topics.line(message.topic)?.deliveryLimit ?? 0
        if delivery.count < 1 || delivery.count > limit { return "message \(number): delivery \(delivery.count) of at most \(limit)" }
        delivered[delivery.place, default: 0] += 1
        if let times = delivered[delivery.place], times > limit, replays == 0 {
            return "message \(number) was delivered \(times) times since the start, at most \(limit) are allowed"
        }
        messages[number].holder = (member, delivery.place, delivery.until)
        messages[number].deliveries += 1
        messages[number].notBefore = nil
        deliveries += 1
        return nil
    }

    /// What the member had may be given to others; that it left in order takes none of the deliveries it was given away from them.
    func lost(_ member: String, inOrder: Bool) {
        for index in messages.indices {
            guard let holder = messages[index].holder, holder.member == member else { continue }
            if inOrder { delivered[holder.place] = 0 }
            messages[index].holder = nil
        }
    }

    /// What reached a consumer that was gone is nobody's.
    func cameTooLate(_ number: Int, _ place: Place) {
        messages[number].holder = nil
        delivered[place] = 0
    }

    /// `member` answers. The broker takes it for whatever of the message the member has when the answer gets there, also for a delivery
    /// that is under way to it, and others may have the message from then on, by a release, a redrive of the dead or a replay of what is
    /// settled.
    func answering(_ number: Int, by member: String) { messages[number].answering[member, default: 0] += 1 }

    /// The answer has come to `member`. One to a delivery whose lock ran out takes nothing away from who has the message now.
    func came(_ number: Int, to member: String, _ error: ShareError?) {
        let left = messages[number].answering[member, default: 0] - 1
        messages[number].answering[member] = left > 0 ? left : nil
        if let error { onEvent?(number, "was not taken: \(error)") }
        // Only then it has changed nothing for sure.
        if error != .invalidRecordState, messages[number].holder?.member == member { messages[number].holder = nil }
    }

    /// A consumer asks to end a message; what becomes of it is open until it is answered.
    func asked(_ number: Int, _ end: Acknowledged) {
        onEvent?(number, "is to be \(end)")
        if case .sure = messages[number].end { return }
        messages[number].end = .maybe(end)
    }

    func answered(_ number: Int, _ end: Acknowledged) {
        onEvent?(number, "was \(end)")
        let mayComeBack = replays > 0 || end == .rejected && wasRedriven
        messages[number].end = mayComeBack ? .maybe(end) : .sure(end)
    }

    func released(_ number: Int, attempt: Int, at now: Timestamp) {
        onEvent?(number, "was released after \(attempt)")
        let topic = messages[number].topic
        // After its last delivery it is dead, and may come back at once.
        guard attempt < Topics.line(topic)?.deliveryLimit ?? 0, replaying + editingRetries == 0 else { return }
        messages[number].notBefore = now + Topics.backoffMs(after: attempt, in: topic)
    }
}
