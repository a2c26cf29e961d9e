import ArgumentParser
import Model

/// A queue's settings as options; each stands for one setting by name, and `--config` names any.
struct DeclareOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Every message waits this long: 30s.", valueName: "span")) var delay: String?
    @Option(
        help: ArgumentHelp(
            "Every message waits as long as this level of the broker's table says: 1 (1s) to 18 (2h), unless the broker has another.",
            valueName: "level"))
    var delayLevel: Int?
    @Option(help: ArgumentHelp("Waits between attempts: 10s,30s,1m; the last for all later ones.", valueName: "spans"))
    var retryLevels: String?
    @Option(help: ArgumentHelp("Growing waits between attempts: 1s,2,5m.", valueName: "min,factor,max")) var retryBackoff: String?
    @Option(help: ArgumentHelp("Share by which a wait varies, 0 to 1.", valueName: "share")) var retryJitter: Double?
    @Option(help: ArgumentHelp("Deliveries of one message at most.", valueName: "n")) var deliveryLimit: Int?
    @Option(help: ArgumentHelp("Where dead messages go: auto (NAME.dlq) or a queue.", valueName: "auto|name")) var deadLetter: String?
    @Option(help: ArgumentHelp("Messages at most, shared out among the partitions.", valueName: "n")) var maxDepth: Int64?
    @Option(help: ArgumentHelp("Bytes at most, shared out among the partitions: 2GiB.", valueName: "size")) var maxBytes: String?
    @Option(help: "What happens beyond that: drop-head, reject-publish or reject-publish-dlx.") var overflow: OverflowArgument?
    @Option(help: ArgumentHelp("Messages a second and partition taken in at most.", valueName: "n")) var rateIn: Double?
    @Option(help: ArgumentHelp("Messages a second and partition given out at most.", valueName: "n")) var rateOut: Double?
    @Option(help: ArgumentHelp("Messages expire after this: 1h.", valueName: "span")) var ttl: String?
    @Option(help: ArgumentHelp("Priorities, 2 to 10: as many partitions, 0 the lowest.", valueName: "n")) var priorities: Int?
    @Option(
        name: .customLong("config"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A setting by name, such as retention.settled.ms=7d; may be repeated.", valueName: "key=value"))
    var configs: [String] = []

    func validate() throws {
        if delay != nil, delayLevel != nil { throw ValidationError("--delay and --delay-level exclude each other") }
        if retryLevels != nil, retryBackoff != nil { throw ValidationError("--retry-levels and --retry-backoff exclude each other") }
        // How many levels there are, the broker knows.
        if let delayLevel, delayLevel < 1 { throw ValidationError("--delay-level is 1 or more, not \(delayLevel)") }
        if let priorities, !(2...10).contains(priorities) { throw ValidationError("--priorities is 2 to 10, not \(priorities)") }
        if let retryJitter, !(0...1).contains(retryJitter) { throw ValidationError("--retry-jitter is 0 to 1") }
        for (name, value) in [("--delivery-limit", deliveryLimit.map { Int64($0) }), ("--max-depth", maxDepth)] {
            if let value, value < 1 { throw ValidationError("\(name) must be 1 or more") }
        }
        for (name, value) in [("--rate-in", rateIn), ("--rate-out", rateOut)] {
            if let value, !(value > 0) { throw ValidationError("\(name) must be more than 0") }
        }
        _ = try settings()
    }

    /// By name, as the broker takes them: times in ms, sizes in bytes.
    func settings() throws -> [String: String] {
        var settings = try Settings.parse(configs)
        settings["delay.ms"] = try delay.map { try Self.ms("--delay", $0) } ?? settings["delay.ms"]
        settings["ttl.ms"] = try ttl.map { try Self.ms("--ttl", $0) } ?? settings["ttl.ms"]
        settings["max.bytes"] = try maxBytes.map { try Self.bytes("--max-bytes", $0) } ?? settings["max.bytes"]
        let plain: [(String, String?)] = [
            ("delay.level", delayLevel.map(String.init)), ("retry.levels", retryLevels), ("retry.backoff", retryBackoff),
            ("retry.jitter", retryJitter.map { NumberText.plain($0) }), ("delivery.limit", deliveryLimit.map(String.init)),
            ("queue.priorities", priorities.map(String.init)), ("dead.letter", deadLetter), ("max.depth", maxDepth.map(String.init)),
            ("overflow", overflow?.rawValue),
            ("rate.in", rateIn.map { NumberText.plain($0) }), ("rate.out", rateOut.map { NumberText.plain($0) }),
        ]
        for case (let name, let value?) in plain { settings[name] = value }
        return settings
    }

    private static func ms(_ option: String, _ text: String) throws -> String {
        do throws(MisreadText) { return String(try TimeSpan.parse(text)) } catch { throw ValidationError("\(option): \(error)") }
    }

    private static func bytes(_ option: String, _ text: String) throws -> String {
        do throws(MisreadText) { return String(try ByteSize.parse(text)) } catch { throw ValidationError("\(option): \(error)") }
    }
}

/// `--overflow`
enum OverflowArgument: String, ExpressibleByArgument, CaseIterable {
    case dropHead = "drop-head"
    case rejectPublish = "reject-publish"
    case rejectPublishDLX = "reject-publish-dlx"
}

enum NumberText {
    /// A number without a needless `.0`: `50`, `0.5`.
    static func plain(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number)
    }
}
