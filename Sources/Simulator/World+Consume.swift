import Broker
import Model
import NIOCore
import Storage

/// A message in a consumer's hands.
struct HeldMessage {
    var key: ShareKey
    var member: String
    var offset: Offset
    var number: Int
    var attempt: Int
}

/// The queue's consumers: three of them compete.
extension World {
    func poll(_ broker: Broker) {
        guard let topic = broker.catalog.current["queue"] else { return }
        let id = PartitionID(topic: topic.id, index: Int32(random.below(Int(topic.partitions))))
        acquire(broker, id, member: member(random.below(3)), maxRecords: 1 + random.below(20))
    }

    /// A consumer's name: another one after each time it was lost.
    private func member(_ number: Int) -> String { "c\(number).\(incarnations[number])" }

    private func acquire(_ broker: Broker, _ id: PartitionID, member: String, maxRecords: Int) {
        let key = ShareKey(group: "queue", partition: id)
        let shard = broker.shard(of: id)
        let run = machine.starts
        let item = AcquireItem(slot: 0, key: key, maxBytes: 64 << 10)
        shard.acquire(
            [item], member: member, maxRecords: maxRecords, minBytes: 0, maxBytes: 64 << 10, wantsRegion: false, waiter: nil,
            replyLoop: shard.loop
        ) { [unowned self] parts in
            guard run == machine.starts, let part = parts.first, part.error == nil else { return }
            take(part, key: key, member: member, clock: broker.clock)
        }
    }

    private func take(_ part: AcquiredPart, key: ShareKey, member: String, clock: any Clock) {
        guard !part.acquired.isEmpty else { return }
        guard case .bytes(let bytes) = part.slice?.content, let records = LogReading.records(bytes) else {
            return fail("messages were acquired without their records")
        }
        let numbers = Dictionary(records.map { ($0.offset, $0.message) }, uniquingKeysWith: { first, _ in first })
        // What reaches a consumer that is gone is nobody's: the broker has been told.
        let isGone = member != "drain" && !(0..<3).contains { self.member($0) == member }
        let until = clock.monotonic.advanced(byMs: part.lockMs)
        for range in part.acquired {
            for offset in range.first.value...range.last.value {
                guard let number = numbers[Offset(offset)] else {
                    return fail("offset \(offset) was acquired and is not among the records")
                }
                let wrong = oracle.delivered(
                    number, at: Offset(offset), count: Int(range.deliveryCount), to: member, until: until, now: clock.now, clock.monotonic)
                if let wrong { return fail(wrong) }
                if isGone {
                    oracle.messages[number].holder = nil
                    continue
                }
                held.append(
                    HeldMessage(key: key, member: member, offset: Offset(offset), number: number, attempt: Int(range.deliveryCount)))
            }
        }
    }

    /// Answers some of what is held: accept mostly, else release, reject, or nothing until the lock runs out.
    func acknowledge(_ broker: Broker) {
        guard !held.isEmpty else { return }
        let message = held.remove(at: random.below(held.count))
        switch random.below(10) {
        case 0...5: answer(message, .accept, broker)
        case 6, 7: answer(message, .release, broker)
        case 8: answer(message, .reject, broker)
        default: break
        }
    }

    func answer(_ message: HeldMessage, _ kind: AcknowledgeItem.Kind, _ broker: Broker) {
        let shard = broker.shard(of: message.key.partition)
        let run = machine.starts
        let oracle = oracle
        if kind == .accept { oracle.asked(message.number, .accepted) }
        if kind == .reject { oracle.asked(message.number, .rejected) }
        // From now on it may be given to others.
        if kind == .release { oracle.messages[message.number].holder = nil }
        let askedAt = broker.clock.now
        let batch = AcknowledgeItem.Batch(first: message.offset, last: message.offset, kinds: [kind])
        shard.acknowledge(
            [AcknowledgeItem(slot: 0, key: message.key, batches: [batch])], member: message.member, replyLoop: shard.loop
        ) { [unowned self] results in
            guard run == machine.starts, results.first?.error == nil else { return }
            switch kind {
            case .accept: oracle.answered(message.number, .accepted)
            case .reject: oracle.answered(message.number, .rejected)
            default: oracle.released(message.number, attempt: message.attempt, at: askedAt)
            }
        }
    }

    /// A consumer goes: its session is closed, or it was never heard of again.
    func loseConsumer(_ broker: Broker) {
        guard let topic = broker.catalog.current["queue"] else { return }
        let number = random.below(3)
        let member = member(number)
        incarnations[number] += 1
        let wasLost = random.below(2) == 0
        for id in topic.partitionIDs {
            let shard = broker.shard(of: id)
            shard.releaseShare(member: member, keys: [ShareKey(group: "queue", partition: id)], wasLost: wasLost)
        }
        oracle.lost(member)
        held.removeAll { $0.member == member }
    }

    /// Consumes until nothing comes any more: locks run out, retries come due.
    func drain(_ broker: Broker) {
        guard let topic = broker.catalog.current["queue"] else { return }
        var quiet = 0
        while quiet < 40, problem == nil {
            let before = oracle.deliveries
            for id in topic.partitionIDs { acquire(broker, id, member: "drain", maxRecords: 500) }
            turns.run(forMs: 1_000)
            let taken = held
            held = []
            for message in taken where message.member == "drain" { answer(message, .accept, broker) }
            turns.run(forMs: 1_000)
            quiet = oracle.deliveries == before ? quiet + 1 : 0
        }
    }
}
