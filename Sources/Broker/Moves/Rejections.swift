import Compression
import Control
import Model
import NIOCore
import Queues
import Storage

/// Publishes that full queues refuse and pass on to their dead-letter targets (`overflow=reject-publish-dlx`), on one shard: all that wait
/// go together, one append under way at a time.
///
/// ```
/// orders: max.depth 2, overflow reject-publish-dlx, dead.letter auto; two messages ready
/// produce [c]  → c is appended to orders.dlq, reason maxlen, __dlq.errors.offset −1: it never was in orders
///              → then answered POLICY_VIOLATION, as RabbitMQ sends its publisher a nack (x-overflow, "Queue Length Limit")
/// ```
/// A batch is refused whole, as Kafka answers it whole. The sequence of an idempotent producer is not used up, and its batch is remembered
/// (``RejectedPublishes``), so that the same batch sent again is refused again and not put there twice. What is remembered is forgotten at
/// a restart, and other producers can't be told apart: a batch of theirs that is sent again because its answer was lost is there twice.
struct Rejections {
    struct Waiting {
        var item: ProduceItem
        var cursor: HostedCursor
        var ticket: ProduceTicket?
        /// The answer when it has been passed on.
        var answer: ProduceResult
    }
    private var waiting: [Waiting] = []
    private(set) var running: [Waiting] = []
    private var bytes = 0

    /// False when too much waits.
    mutating func add(_ publish: Waiting, limit: Int) -> Bool {
        guard bytes + publish.item.batch.readableBytes <= limit || waiting.isEmpty else { return false }
        waiting.append(publish)
        bytes += publish.item.batch.readableBytes
        return true
    }

    /// Starts with all that waits; nil when there is nothing, or the last is not over yet.
    mutating func start() -> [Waiting]? {
        guard running.isEmpty, !waiting.isEmpty else { return nil }
        (running, waiting, bytes) = (waiting, [], 0)
        return running
    }

    mutating func finish() { running = [] }
}

/// Batches of idempotent producers that were refused and passed on, the newest of each producer; bounded, the oldest go first.
struct RejectedPublishes {
    private struct Mark: Equatable {
        var epoch: Int16
        var sequence: Int32
        /// The checksum tells a batch that is sent again from the next one, which uses its sequence.
        var crc: UInt32

        init(_ header: RecordBatchHeader) {
            (epoch, sequence, crc) = (header.producerEpoch, header.baseSequence, header.crc)
        }
    }
    private var marks: [ProducerID: Mark] = [:]
    private var order: [ProducerID] = []

    func knows(_ header: RecordBatchHeader) -> Bool { !marks.isEmpty && marks[header.producerID] == Mark(header) }

    mutating func note(_ header: RecordBatchHeader, limit: Int) {
        guard header.producerID != .none else { return }
        if marks.updateValue(Mark(header), forKey: header.producerID) == nil { order.append(header.producerID) }
        while order.count > limit { marks[order.removeFirst()] = nil }
    }

    mutating func forget(_ header: RecordBatchHeader) {
        guard knows(header) else { return }
        marks[header.producerID] = nil
        order.removeAll { $0 == header.producerID }
    }
}

extension Shard {
    /// Answers a publish that is not taken, where its queue says so after it has been put into the dead-letter target.
    func refuse(_ item: ProduceItem, in partition: Partition, _ refusal: ProduceResult, ticket: ProduceTicket?) {
        guard case .overLimit = refusal.error, !item.isMove, let mover, let own = partition.own, own.rejectsToDeadLetters,
            own.overflow(of: item) != nil, !own.rejected.knows(item.header)
        else { return finish([(ticket, refusal)]) }
        guard
            mover.rejections.add(
                .init(item: item, cursor: own, ticket: ticket, answer: refusal), limit: options.limits.rejectedBytes)
        else {
            let text = "\(own.key.group) is full, and what it refused before is still on its way to the dead-letter target; try again"
            return finish([(ticket, ProduceResult(slot: item.slot, error: .storage(text)))])
        }
        own.rejected.note(item.header, limit: options.limits.rejectedPublishes)
        mover.passOn()
    }
}

extension HostedCursor {
    fileprivate var rejectsToDeadLetters: Bool {
        machine.policy.overflow == .rejectPublishDLX && machine.policy.deadLetter != .none
    }
}

extension Mover {
    /// A refused publish as it goes to its target.
    private struct Refused: Sendable {
        var item: ProduceItem
        var key: ShareKey
    }

    /// Puts what was refused into dead-letter targets, then answers its publishers. Call on the shard's loop.
    func passOn() {
        shard.loop.preconditionInEventLoop()
        guard let started = rejections.start() else { return }
        let refused = started.map { Refused(item: $0.item, key: $0.cursor.key) }
        Task {
            let problems = await self.append(refused)
            self.shard.run { self.passedOn(problems) }
        }
    }

    /// What could not be put there is not refused for good: its publisher is told to try again, and it is taken or refused anew.
    private func passedOn(_ problems: [PartitionError?]) {
        var answers: [(ProduceTicket?, ProduceResult)] = []
        for (publish, problem) in zip(rejections.running, problems) {
            if let problem {
                publish.cursor.rejected.forget(publish.item.header)
                answers.append((publish.ticket, ProduceResult(slot: publish.item.slot, error: problem)))
            } else {
                answers.append((publish.ticket, publish.answer))
            }
        }
        rejections.finish()
        shard.finish(answers)
        passOn()
    }

    /// Appends all; nil for what is durable in its target.
    private func append(_ publishes: [Refused]) async -> [PartitionError?] {
        guard let broker else { return publishes.map { _ in .storage("the broker is closing") } }
        var problems = [PartitionError?](repeating: nil, count: publishes.count)
        var parts: [MoveOrder.Part] = []
        var owners: [Int] = []
        for (index, publish) in publishes.enumerated() {
            do throws(PartitionError) {
                for part in try await rewrite(publish, broker) {
                    parts.append(part)
                    owners.append(index)
                }
            } catch { problems[index] = error }
        }
        for (answer, owner) in zip(await append(parts, obeysAdmission: false, broker), owners) {
            guard let error = answer.error else { continue }
            problems[owner] = .storage("the dead-letter target of \(publishes[owner].key.group) could not take it: \(error)")
        }
        return problems
    }

    /// A refused batch as it will stand in its target.
    private func rewrite(_ publish: Refused, _ broker: Broker) async throws(PartitionError) -> [MoveOrder.Part] {
        let key = publish.key
        guard let topic = broker.catalog.current[key.partition.topic] else { throw .unknownPartition }
        var found: Topic?
        do throws(BurialProblem) { found = try await Burial(mover: self, broker: broker, key: key).target(of: topic, areOld: false) } catch
        {
            throw .storage(error.text)
        }
        // The target was taken back meanwhile: then it is refused and no more.
        guard let target = found, let id = target.home(of: key.partition.index, from: topic) else { return [] }
        let records: [Record]
        do throws(UnpackError) { records = try Records.open(header: publish.item.header, batch: publish.item.batch) } catch {
            throw .invalidRecord("the batch can't be unpacked: \(error)")
        }
        let now = shard.clock.now
        let letter = DeadLetter(topic: topic.name, partition: key.partition.index, group: key.group)
        let identity = MoveIdentity(shard: shard.id, number: nextNumber(), source: key.partition)
        var batcher = MoveBatcher(identity: identity, limits: limits, now: now)
        for var record in records {
            // A publisher's own story of deaths is none.
            record.headers.removeAll { $0.name == DeadLetterHeader.move }
            let message = DeadMessage(offset: Offset(-1), attempts: 0, reason: .maxlen)
            guard let headers = letter.headers(of: record, dying: message, to: target.name, at: now) else { continue }
            batcher.add(record, to: id, headers: headers)
        }
        return batcher.finish()
    }
}
