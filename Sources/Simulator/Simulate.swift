import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `swift run simulate --seeds 200`: worlds from the seeds, each in a process of its own, and those that ever failed. `--seed N` runs one, and
/// prints what happened in it.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Runs the broker in seeded worlds of crashes, faulty disks and random clients, against an oracle.")

    @Option(help: "The first seed.") var from: UInt64 = 1
    @Option(help: "How many seeds.") var seeds: UInt64 = 20
    @Option(help: "One seed, told step by step.") var seed: UInt64?
    @Option(help: "With --seed: a message whose way is told.") var message: Int?
    @Option(help: "Rounds of work in a world.") var rounds = 40
    @Option(help: "Worlds at a time; 0: one per core.") var jobs = 0
    @Flag(help: .hidden) var world = false

    func validate() throws {
        guard rounds > 0, jobs >= 0, seeds < 1 << 32 else { throw ValidationError("rounds must be 1 or more, jobs 0 or more") }
    }

    func run() throws {
        if world { return try runWorld() }
        var list = WorldList(jobs: jobs)
        if let seed {
            list.tell(seed: seed, rounds: rounds, message: message)
        } else {
            for (seed, rounds, _) in KnownSeeds.all { list.add(seed: seed, rounds: rounds) }
            for seed in from..<(from + seeds) { list.add(seed: seed, rounds: rounds) }
        }
        if try !list.run() { throw ExitCode.failure }
    }

    /// In the process of one world.
    private func runWorld() throws {
        guard TaskTurns.install() else { throw ValidationError("this Swift runtime has no hook for its tasks; the simulator needs it") }
        alarm(WorldList.worldSeconds)
        let world = World(seed: seed ?? from, isTold: seed != nil, followed: message)
        if let problem = world.run(rounds: rounds) {
            print("FAILED: \(problem)")
            throw ExitCode.failure
        }
        print("held: \(world.tally.text)")
    }
}
