import ArgumentParser

/// `swift run simulate --seeds 200`: worlds from the seeds, one after the other. `--seed N` runs one, and prints what happened in it.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Runs the broker in seeded worlds of crashes, faulty disks and random clients, against an oracle.")

    @Option(help: "The first seed.") var from: UInt64 = 1
    @Option(help: "How many seeds.") var seeds: UInt64 = 20
    @Option(help: "One seed, told step by step.") var seed: UInt64?
    @Option(help: "Rounds of work in a world.") var rounds = 40

    func run() throws {
        guard TaskTurns.install() else { throw ValidationError("this Swift runtime has no hook for its tasks; the simulator needs it") }
        var failed: [UInt64] = []
        for seed in seed.map({ [$0] }) ?? Array(from..<(from + seeds)) {
            let world = World(seed: seed, isTold: self.seed != nil)
            if let problem = world.run(rounds: rounds) {
                failed.append(seed)
                print("seed \(seed) FAILED: \(problem)\n  again: swift run simulate --seed \(seed) --rounds \(rounds)")
            }
        }
        let count = seed == nil ? Int(seeds) : 1
        print("\(count - failed.count) of \(count) worlds held\(failed.isEmpty ? "" : "; failed: \(failed)")")
        if !failed.isEmpty { throw ExitCode.failure }
    }
}
