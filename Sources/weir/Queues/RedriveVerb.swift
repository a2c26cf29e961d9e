import ArgumentParser
import Control
import Model

/// `weir redrive QUEUE`
struct RedriveVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redrive", abstract: "Send the messages of a dead-letter queue back to where they died, or elsewhere.",
        discussion: """
            Runs as a job of the broker: it survives a restart, and cancelling it loses nothing.
            weir redrive payments.dlq --dry-run
            weir redrive payments.dlq --reason delivery_limit --rate 50 --ramp 5 --canary 1 --stop-if-dead 5
            """)

    @OptionGroup var door: AdminDoor
    @Argument(help: "The queue to empty.") var queue: String
    @OptionGroup var filter: FilterOptions
    @Option(help: ArgumentHelp("Another queue instead of each message's origin.", valueName: "queue")) var to: String?
    @Option(help: ArgumentHelp("Messages a second.", valueName: "n")) var rate: Double?
    @Option(help: ArgumentHelp("Start at this rate and double each second up to --rate.", valueName: "n")) var ramp: Double?
    @Option(help: ArgumentHelp("Wait while the target has more ready messages than this.", valueName: "n")) var holdAbove: Int64?
    @Option(help: ArgumentHelp("Send this many first and go on when they were acked.", valueName: "n")) var canary: Int?
    @Option(help: ArgumentHelp("How long the canary may take. (default: 10s)", valueName: "span")) var canaryWait: String?
    @Option(help: ArgumentHelp("Stop when more than this share of what was sent died again.", valueName: "percent"))
    var stopIfDead: Double?
    @Option(help: ArgumentHelp("Skip messages that were redriven this often.", valueName: "n")) var skipIfRedriven: Int?
    @Option(help: ArgumentHelp("Nothing from these offsets on, one a partition: what a preview saw.", valueName: "offset,…"))
    var watermark: String?
    @Flag(help: "Only count.") var dryRun = false
    @Flag(help: "Don't wait for the job.") var detach = false
    @Flag(help: "Wait until every message sent was acked, died again, or was moved on or removed.") var waitAcked = false

    func validate() throws {
        for (name, value) in [("--rate", rate), ("--ramp", ramp)] {
            if let value, !(value > 0) { throw ValidationError("\(name) must be more than 0") }
        }
        if ramp != nil, rate == nil { throw ValidationError("--ramp needs --rate") }
        if let holdAbove, holdAbove < 0 { throw ValidationError("--hold-above must be 0 or more") }
        for (name, value) in [("--canary", canary), ("--skip-if-redriven", skipIfRedriven)] {
            if let value, value < 1 { throw ValidationError("\(name) must be 1 or more") }
        }
        if let stopIfDead, !(0...100).contains(stopIfDead) { throw ValidationError("--stop-if-dead is 0 to 100") }
        if detach, waitAcked { throw ValidationError("--detach and --wait-acked exclude each other") }
        _ = try redrive(now: Timestamp(ms: 0))
    }

    func redrive(now: Timestamp) throws -> Redrive {
        var redrive = Redrive(queue: queue)
        redrive.target = to
        redrive.filter = try filter.filter(now: now)
        redrive.rate = rate
        redrive.rampFrom = ramp
        redrive.holdAbove = holdAbove
        redrive.canary = canary
        do throws(MisreadText) {
            if let canaryWait { redrive.canaryWaitMs = try TimeSpan.parse(canaryWait) }
        } catch {
            throw ValidationError("--canary-wait: \(error)")
        }
        redrive.stopIfDead = stopIfDead.map { $0 / 100 }
        redrive.skipIfRedriven = skipIfRedriven
        redrive.watermark = try offsets()
        redrive.dryRun = dryRun
        return redrive
    }

    private func offsets() throws -> [Int64] {
        guard let watermark else { return [] }
        return try watermark.split(separator: ",").map { text in
            guard let offset = Int64(text), offset >= 0 else { throw ValidationError("--watermark takes offsets, not '\(text)'") }
            return offset
        }
    }

    func run() async throws {
        let outcome = try await door.perform(.queue(.redrive(try redrive(now: SystemClock().now))))
        if let preview = outcome.preview, dryRun { return try door.report(preview, outcome.message, name: queue) }
        guard let job = outcome.job, !detach else { return try door.report(outcome, name: queue) }
        try await JobWatch(door: door, id: job, waitAcked: waitAcked).finish()
    }
}

extension AdminDoor {
    /// What a dry run found.
    func report(_ preview: Preview, _ message: String, name: String) throws {
        if json {
            return try JSONOutput.print([
                JSONRow([
                    ("name", name), ("message", message), ("go", preview.go), ("skipped", preview.skipped),
                    ("withoutOrigin", preview.withoutOrigin), ("overLimit", preview.overLimit), ("targets", preview.targets),
                    ("skips", preview.skips), ("durationMs", preview.durationMs), ("asOfMs", preview.asOfMs),
                    ("watermark", preview.watermark),
                ])
            ])
        }
        print(message)
        for (target, count) in preview.targets.sorted(by: { $0.key < $1.key }) { print("  to \(target): \(count)") }
        for (reason, count) in preview.skips.sorted(by: { $0.key < $1.key }) { print("  skipped, \(reason): \(count)") }
    }
}
