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
    let temper: Temper
    let turns: Turns
    let machine: Machine
    let oracle = Oracle()
    private let isTold: Bool
    private let followed: Int?
    var random: SeededRandom
    /// What consumers have in their hands.
    var held: [HeldMessage] = []
    var incarnations = [0, 0, 0]
    /// Operators have asked for messages to be moved away.
    var hasMoved = false
    /// A bit has turned over: what is lost now is not the broker's fault, but it must say so.
    var isDecayed = false
    private(set) var problem: String?
    // What the broker answered last; its answers come by callbacks.
    var endAnswer: Offset?
    var countsAnswer: CursorCounts?
    var stateAnswer: CursorMessage.State?
    var delayedAnswer: [(message: Int?, due: Timestamp)]?
    var tally = Tally()

    /// - Parameter followed: the message whose way is told.
    init(seed: UInt64, isTold: Bool, followed: Int? = nil) {
        self.seed = seed
        self.isTold = isTold
        self.followed = followed
        temper = Temper(seed: seed)
        turns = Turns(seed: seed)
        machine = Machine(turns: turns, seed: seed &* 31 &+ 7, temper: temper)
        random = SeededRandom(seed: seed ^ 0x5EED)
        if let followed {
            oracle.onEvent = { [unowned self] number, text in if number == followed { tell("message \(number) \(text)") } }
        }
    }

    func tell(_ text: @autoclosure () -> String) {
        if isTold { print("\(turns.nowNs / 1_000_000) ms  \(text())") }
    }

    func fail(_ text: String) {
        if problem == nil { problem = "\(text) (at \(turns.nowNs / 1_000_000) ms, step \(turns.steps), start \(machine.starts))" }
    }

    /// - Returns: what did not hold; nil when all did.
    func run(rounds: Int) -> String? {
        TaskTurns.current = turns
        tell(temper.text)
        restart()
        for round in 1...rounds where problem == nil { work(round) }
        if problem == nil { finish() }
        if let broker = machine.broker, !machine.isDown { close(broker) }
        if turns.ghosts > 0 { fail("\(turns.ghosts) jobs came for runs of the broker that were over") }
        tally["messages"] = oracle.count
        tally["deliveries"] = oracle.deliveries
        tally["starts"] = machine.starts
        tally["steps"] = turns.steps
        tell("digest \(String(turns.digest, radix: 16))")
        return problem
    }

    private func work(_ round: Int) {
        turns.diskMs = random.below(2) == 0 ? temper.diskMs : 0
        if temper.kills, random.below(6) == 0 {
            machine.arm(killIn: 1 + random.below(60))
            tell("round \(round): the plug will be pulled at point \(machine.disk.faults.killAt ?? 0)")
        }
        if temper.diskFaults, random.below(12) == 0 { breakDisk() }
        act()
        turns.run(forMs: Int64(1 + random.below(400))) { machine.isDown }
        if let broker = machine.broker, !machine.isDown {
            checkStates(broker)
            if random.below(4) == 0 { audit(broker) }
        }
        if machine.isDown || random.below(12) == 0 { crash() }
    }

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

    private func finish() {
        crash()
        guard problem == nil, let broker = machine.broker else { return }
        turns.diskMs = 0
        turns.run(forMs: 60_000)
        check(broker)
        held = []
        if problem == nil, temper.decays { return decay() }
        openGates(broker)
        drain(broker)
        checkStates(broker)
        audit(broker)
        if let followed { tellState(of: followed, broker) }
        guard problem == nil, let logs = logs(broker) else { return }
        if let wrong = oracle.judge(logs) ?? oracle.judgeEnd(logs) { fail(wrong) }
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
        let isPower: Bool
        if !machine.isDown, let broker = machine.broker, !temper.diskFaults, random.below(4) == 0 {
            isPower = closedWell(broker) || machine.isDown
        } else {
            isPower = machine.isDown && random.below(2) == 0
        }
        let loss: FaultyFileSystem.Loss = isPower ? .power(seed: random.next()) : .process
        tell("crash, \(loss)")
        machine.crash(loss)
        held = []
        oracle.crashed(powerLost: isPower)
        restart()
    }

    /// Closes the broker in order: then a loss of power takes nothing.
    private func closedWell(_ broker: Broker) -> Bool {
        tell("the broker is closed")
        close(broker)
        guard !machine.isDown, problem == nil else { return false }
        oracle.closed()
        return true
    }

    func close(_ broker: Broker) {
        wait { done in
            Task {
                await broker.close()
                done()
            }
        }
    }

    /// Starts the broker, and again where the start itself was killed, then compares what it found with the oracle.
    private func restart() {
        for attempt in 1...5 {
            if attempt < 5, machine.starts > 0, temper.kills, random.below(8) == 0 { machine.arm(killIn: 1 + random.below(20)) }
            let result = startOnce()
            if case .success = result, !machine.isDown { break }
            guard machine.isDown else { return fail("the broker did not start: \(result.map { "\($0)" } ?? "no answer in 600 s")") }
            tell("killed while starting")
            machine.crash(.process)
        }
        machine.heal()
        guard let broker = machine.broker else { return fail("the broker did not start in five attempts") }
        prepare(broker)
        check(broker)
        audit(broker)
    }

    func startOnce() -> Result<Broker, any Error>? {
        let outcome = Outcome()
        machine.start { outcome.result = $0 }
        turns.run(forMs: 600_000) { outcome.result != nil || machine.isDown }
        return outcome.result
    }

    private final class Outcome: @unchecked Sendable {
        var result: Result<Broker, any Error>?
    }

    private func prepare(_ broker: Broker) {
        wait { done in
            Task {
                for (name, settings) in Topics.settings.sorted(by: { $0.key < $1.key }) where broker.catalog.current[name] == nil {
                    guard let config = try? TopicConfig.parse(settings) else { preconditionFailure("settings of \(name) are not taken") }
                    let partitions = name == Topics.plain ? 2 : Topics.line(name) == nil ? 1 : temper.partitions
                    _ = try? await broker.createTopic(name, partitions: partitions, config: config)
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
}
