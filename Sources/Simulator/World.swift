import Broker
import Model
import NIOCore
import Storage

/// A seeded world: one machine, clients that publish and consume, an operator, kills and disk faults, and an oracle that knows what must be
/// true. The same seed gives the same world, job by job.
final class World {
    let seed: UInt64
    let turns: Turns
    let machine: Machine
    let oracle = Oracle()
    private let isTold: Bool
    private var random: SeededRandom
    private(set) var problem: String?

    init(seed: UInt64, isTold: Bool) {
        self.seed = seed
        self.isTold = isTold
        turns = Turns(seed: seed)
        machine = Machine(turns: turns, seed: seed &* 31 &+ 7)
        random = SeededRandom(seed: seed ^ 0x5EED)
    }

    func tell(_ text: @autoclosure () -> String) {
        if isTold { print("\(turns.nowNs / 1_000_000) ms  \(text())") }
    }

    /// - Returns: what did not hold; nil when all did.
    func run(rounds: Int) -> String? {
        TaskTurns.current = turns
        restart()
        for round in 1...rounds where problem == nil {
            if random.below(6) == 0 {
                machine.arm(killIn: 1 + random.below(60))
                tell("round \(round): the plug will be pulled at point \(machine.disk.faults.killAt ?? 0)")
            }
            act()
            turns.run(forMs: Int64(1 + random.below(400))) { machine.isDown }
            if machine.isDown || random.below(12) == 0 { crash() }
        }
        if problem == nil { finish() }
        if let broker = machine.broker { close(broker) }
        return problem
    }

    // MARK: Crashes

    private func crash() {
        let loss: FaultyFileSystem.Loss =
            machine.isDown && random.below(2) == 0 ? .power(seed: random.next()) : .process
        tell("crash, \(loss)")
        machine.crash(loss)
        oracle.crashed(powerLost: { if case .power = loss { true } else { false } }())
        restart()
    }

    /// Starts the broker, and again where the start itself was killed, then compares what it found with the oracle.
    private func restart() {
        for attempt in 1...5 {
            if attempt < 5, machine.starts > 0, random.below(8) == 0 { machine.arm(killIn: 1 + random.below(20)) }
            let outcome = Outcome()
            machine.start { outcome.result = $0 }
            turns.run(forMs: 60_000) { outcome.result != nil || machine.isDown }
            if case .success = outcome.result, !machine.isDown { break }
            guard machine.isDown else { return fail("the broker did not start: \(outcome.result.map { "\($0)" } ?? "no answer in 60 s")") }
            tell("killed while starting")
            machine.crash(.process)
        }
        machine.setFaults { $0.killAt = nil }
        guard let broker = machine.broker else { return fail("the broker did not start in five attempts") }
        prepare(broker)
        check(broker)
    }

    private final class Outcome: @unchecked Sendable {
        var result: Result<Broker, any Error>?
    }

    private func prepare(_ broker: Broker) {
        wait { done in
            Task {
                for name in Oracle.topics where broker.catalog.current[name] == nil {
                    _ = try? await broker.createTopic(name, partitions: 2, config: .defaults)
                }
                done()
            }
        }
    }

    /// Runs the world until `body` has called back.
    func wait(_ body: (@escaping @Sendable () -> Void) -> Void) {
        let flag = Flag()
        body { flag.isSet = true }
        turns.run(forMs: 60_000) { flag.isSet || machine.isDown }
        if !flag.isSet && !machine.isDown { fail("no answer within 60 s") }
    }

    private final class Flag: @unchecked Sendable { var isSet = false }

    func fail(_ text: String) {
        if problem == nil { problem = "\(text) (at \(turns.nowNs / 1_000_000) ms, step \(turns.steps), start \(machine.starts))" }
    }

    // MARK: Work

    private func act() {
        guard let broker = machine.broker else { return }
        for _ in 0..<(1 + random.below(8)) { publish(broker) }
    }

    private func publish(_ broker: Broker) {
        guard let topic = broker.catalog.current[Oracle.topics[random.below(Oracle.topics.count)]] else { return }
        let id = PartitionID(topic: topic.id, index: Int32(random.below(Int(topic.partitions))))
        let messages = (0...random.below(4)).map { _ in self.oracle.newMessage(in: id) }
        var builder = RecordBatchBuilder()
        for message in messages {
            let padding = String(repeating: "x", count: random.below(3) == 0 ? 2_000 : 20)
            builder.append(timestamp: broker.clock.now, value: ByteBuffer(string: "\(message) \(padding)"))
        }
        let batch = builder.finish()
        guard let header = try? RecordBatchHeader.parse(batch) else { return fail("a batch of the simulator's own does not parse") }
        let wants: Acknowledge = random.below(2) == 0 ? .durable : .written
        let shard = broker.shard(of: id)
        let oracle = oracle
        shard.produce([ProduceItem(slot: 0, partition: id, header: header, batch: batch)], wants: wants, replyLoop: shard.loop) { results in
            guard results[0].error == nil else { return }
            oracle.confirmed(messages, at: results[0].baseOffset, in: id, isDurable: wants == .durable)
        }
    }

    // MARK: Checks

    /// Reads every log whole and lets the oracle judge.
    private func check(_ broker: Broker) {
        for name in Oracle.topics {
            guard let topic = broker.catalog.current[name] else { continue }
            for id in topic.partitionIDs {
                guard let found = LogReading(broker: broker, id: id).all(in: self) else {
                    if !machine.isDown { fail("partition \(id) can't be read") }
                    return
                }
                if let wrong = oracle.judge(found, in: id) { fail(wrong) }
            }
        }
    }

    private func finish() {
        turns.run(forMs: 5_000)
        if let broker = machine.broker { check(broker) }
        tell("\(oracle.count) messages, \(machine.starts) starts, \(turns.steps) steps")
    }

    private func close(_ broker: Broker) {
        wait { done in
            Task {
                await broker.close()
                done()
            }
        }
        turns.cut()
    }
}
