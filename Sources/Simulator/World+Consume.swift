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

    var place: Oracle.Place { .init(partition: key.partition, offset: offset) }
}

/// The queues' consumers: three of them compete.
extension World {
    func poll(_ broker: Broker) {
        let name = temper.expires && random.below(3) == 0 ? "brief" : "queue"
        guard let topic = broker.catalog.current[name] else { return }
        let id = PartitionID(topic: topic.id, index: Int32(random.below(Int(topic.partitions))))
        acquire(broker, name, id, member: member(random.below(3)), maxRecords: 1 + random.below(20))
    }

    /// A consumer's name: another one after each time it was lost.
    private func member(_ number: Int) -> String { "c\(number).\(incarnations[number])" }

    private func acquire(_ broker: Broker, _ queue: String, _ id: PartitionID, member: String, maxRecords: Int) {
        let key = ShareKey(group: queue, partition: id)
        let shard = broker.shard(of: id)
        let run = machine.starts
        let asked = broker.clock.monotonic
        let item = AcquireItem(slot: 0, key: key, maxBytes: 64 << 10)
        shard.acquire(
            [item], member: member, maxRecords: maxRecords, minBytes: 0, maxBytes: 64 << 10, wantsRegion: false, waiter: nil,
            replyLoop: shard.loop
        ) { [unowned self] parts in
            guard run == machine.starts, let part = parts.first, part.error == nil else { return }
            take(part, key: key, member: member, clock: broker.clock, until: asked.advanced(byMs: part.lockMs))
        }
    }

    private func take(_ part: AcquiredPart, key: ShareKey, member: String, clock: any Clock, until: Monotonic) {
        guard !part.acquired.isEmpty else { return }
        guard case .bytes(let bytes) = part.slice?.content, let records = LogReading.records(bytes) else {
            return isDecayed ? () : fail("messages were acquired without their records")
        }
        let numbers = Dictionary(records.map { ($0.offset, $0.message ?? -1) }, uniquingKeysWith: { first, _ in first })
        // What reaches a consumer that is gone is nobody's: the broker has been told.
        let isGone = member != "drain" && !(0..<3).contains { self.member($0) == member }
        for range in part.acquired {
            for value in range.first.value...range.last.value {
                let offset = Offset(value)
                guard let number = numbers[offset] else { return fail("offset \(offset) was acquired and is not among the records") }
                let message = HeldMessage(key: key, member: member, offset: offset, number: number, attempt: Int(range.deliveryCount))
                if isDecayed {
                    // What it was is not known any more; only that it is whole.
                    if !oracle.messages.indices.contains(number) { fail("what was never published was delivered at \(offset)") }
                } else {
                    let delivery = Oracle.Delivered(
                        number: number, place: message.place, count: message.attempt, member: member, until: until)
                    if let wrong = oracle.delivered(delivery, now: clock.now, clock.monotonic) { return fail(wrong) }
                    if isGone {
                        oracle.cameTooLate(number, message.place)
                        continue
                    }
                }
                held.append(message)
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
        if !isDecayed {
            oracle.answering(message.number, by: message.member)
            if kind == .accept { oracle.asked(message.number, .accepted) }
            if kind == .reject { oracle.asked(message.number, .rejected) }
        }
        let askedAt = broker.clock.now
        let batch = AcknowledgeItem.Batch(first: message.offset, last: message.offset, kinds: [kind])
        shard.acknowledge(
            [AcknowledgeItem(slot: 0, key: message.key, batches: [batch])], member: message.member, replyLoop: shard.loop
        ) { [unowned self] results in
            guard !isDecayed, run == machine.starts else { return }
            let error = results.first?.error
            oracle.came(message.number, to: message.member, error)
            guard error == nil else { return }
            switch kind {
            case .accept: oracle.answered(message.number, .accepted)
            case .reject: oracle.answered(message.number, .rejected)
            default: oracle.released(message.number, attempt: message.attempt, at: askedAt)
            }
        }
    }

    /// A consumer goes: its session is closed, or it was never heard of again.
    func loseConsumer(_ broker: Broker) {
        let number = random.below(3)
        let member = member(number)
        incarnations[number] += 1
        let wasLost = random.below(2) == 0
        for line in Topics.lines {
            for id in broker.catalog.current[line.queue]?.partitionIDs ?? [] {
                broker.shard(of: id).releaseShare(member: member, keys: [ShareKey(group: line.queue, partition: id)], wasLost: wasLost)
            }
        }
        tell("consumer \(member) \(wasLost ? "is lost" : "leaves")")
        oracle.lost(member, inOrder: !wasLost)
        held.removeAll { $0.member == member }
    }

    /// Consumes until nothing comes any more: locks run out, retries come due.
    func drain(_ broker: Broker) {
        var quiet = 0
        while quiet < 40, problem == nil {
            let before = oracle.deliveries
            for line in Topics.lines {
                for id in broker.catalog.current[line.queue]?.partitionIDs ?? [] {
                    acquire(broker, line.queue, id, member: "drain", maxRecords: 500)
                }
            }
            turns.run(forMs: 1_000)
            let taken = held
            held = []
            for message in taken where message.member == "drain" { answer(message, .accept, broker) }
            turns.run(forMs: 1_000)
            quiet = oracle.deliveries == before ? quiet + 1 : 0
        }
    }
}
