import Broker
import Model
import NIOCore
import Storage

/// A seeded world: one machine, clients that publish and consume, an operator, kills and disk faults, and an oracle that knows what must be
/// true. The same seed gives the same world, job by job.
///
/// `@unchecked Sendable`: a world has one thread.
final class World: @unchecked Sendable {
    let seed: UInt64
    let turns: Turns
    let machine: Machine
    let oracle = Oracle()
    private let isTold: Bool
    var random: SeededRandom
    /// What consumers have in their hands.
    var held: [HeldMessage] = []
    var incarnations = [0, 0, 0]
    private(set) var problem: String?
    var tally = Tally()

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
            if random.below(12) == 0 { breakDisk() }
            act()
            turns.run(forMs: Int64(1 + random.below(400))) { machine.isDown }
            if machine.isDown || random.below(12) == 0 { crash() }
        }
        if problem == nil { finish() }
        if let broker = machine.broker { close(broker) }
        if problem == nil, turns.ghosts > 0 { fail("\(turns.ghosts) jobs came for runs of the broker that were over") }
        tally["messages"] = oracle.count
        tally["deliveries"] = oracle.deliveries
        tally["starts"] = machine.starts
        tally["steps"] = turns.steps
        tell("digest \(String(turns.digest, radix: 16))")
        return problem
    }

    // MARK: Crashes

    /// One change of the disk fails, syncs fail for a while, or space runs out. A shard whose disk failed takes no more writes until the
    /// broker is started again, which the next crash does.
    private func breakDisk() {
        let points = machine.disk.points
        switch random.below(3) {
        case 0:
            let at = points + 1 + random.below(30)
            machine.setFaults { $0.errorAt = [at] }
            tell("the disk will fail at point \(at)")
        case 1:
            machine.setFaults { $0.syncErrorsFrom = points + 1 }
            tell("syncs fail from now on")
        default:
            machine.setFaults { $0.capacityBytes = 1 << 16 }
            tell("the disk has room for 64 KiB in all")
        }
    }

    private func crash() {
        let loss: FaultyFileSystem.Loss =
            machine.isDown && random.below(2) == 0 ? .power(seed: random.next()) : .process
        tell("crash, \(loss)")
        machine.crash(loss)
        held = []
        oracle.crashed(powerLost: { if case .power = loss { true } else { false } }())
        restart()
    }

    /// Starts the broker, and again where the start itself was killed, then compares what it found with the oracle.
    private func restart() {
        for attempt in 1...5 {
            if attempt < 5, machine.starts > 0, random.below(8) == 0 { machine.arm(killIn: 1 + random.below(20)) }
            let outcome = Outcome()
            machine.start { outcome.result = $0 }
            turns.run(forMs: 600_000) { outcome.result != nil || machine.isDown }
            if case .success = outcome.result, !machine.isDown { break }
            guard machine.isDown else { return fail("the broker did not start: \(outcome.result.map { "\($0)" } ?? "no answer in 600 s")") }
            tell("killed while starting")
            machine.crash(.process)
        }
        machine.setFaults { $0 = FaultyFileSystem.Faults() }
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
                for (name, settings) in Oracle.topics.sorted(by: { $0.key < $1.key }) where broker.catalog.current[name] == nil {
                    guard let config = try? TopicConfig.parse(settings) else { preconditionFailure("settings of \(name) are not taken") }
                    _ = try? await broker.createTopic(name, partitions: name == "plain" ? 2 : 1, config: config)
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
        for _ in 0..<(1 + random.below(12)) {
            switch random.below(20) {
            case 0...6: publish(broker)
            case 7...11: poll(broker)
            case 12...17: acknowledge(broker)
            default: if random.below(2) == 0 { loseConsumer(broker) } else { operate(broker) }
            }
        }
    }

    // MARK: Checks

    /// Reads every log whole and lets the oracle judge.
    private func check(_ broker: Broker) {
        if let topic = broker.catalog.current["plain"] {
            for id in topic.partitionIDs {
                guard let found = read(broker, id) else { return }
                if let wrong = oracle.judge(found, in: id) { fail(wrong) }
            }
        }
        guard let logs = queueLogs(broker) else { return }
        if let wrong = oracle.judge(logs.queue, in: logs.id) ?? oracle.judgeMoves(queue: logs.queue, dead: logs.dead, now: broker.clock.now)
        {
            fail(wrong)
        }
    }

    private func read(_ broker: Broker, _ id: PartitionID) -> [(offset: Offset, message: Int)]? {
        let found = LogReading(broker: broker, id: id).all(in: self)
        if found == nil, !machine.isDown { fail("partition \(id) can't be read") }
        return found
    }

    private func queueLogs(
        _ broker: Broker
    ) -> (id: PartitionID, queue: [(offset: Offset, message: Int)], dead: [(offset: Offset, message: Int)])? {
        let topics = broker.catalog.current
        guard let id = topics["queue"]?.partition(0), let deadID = topics["queue.dlq"]?.partition(0) else { return nil }
        // The world goes on while logs are read: the dead are read first, so that a redrive's copy is never seen without its death.
        guard let dead = read(broker, deadID), let queue = read(broker, id) else { return nil }
        return (id, queue, dead)
    }

    private func finish() {
        crash()
        guard problem == nil, let broker = machine.broker else { return }
        turns.run(forMs: 60_000)
        check(broker)
        held = []
        openGates(broker)
        drain(broker)
        guard problem == nil, let logs = queueLogs(broker) else { return }
        if let wrong = oracle.judgeEnd(queue: logs.queue, dead: logs.dead) { fail(wrong) }
        tell("\(logs.dead.count) dead, \(oracle.deliveries) deliveries")
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
