import Model
import Storage

/// What a world is like: drawn from its seed, so that some worlds have all of it and others show one thing at a time.
struct Temper {
    var partitions: Int32
    /// Messages are published with a delay.
    var delays: Bool
    /// Messages are published to a queue where they expire.
    var expires: Bool
    var redrives: Bool
    var purges: Bool
    var gates: Bool
    /// Messages are moved to another queue.
    var moves: Bool
    /// Settled messages are made ready again, or copied.
    var replays: Bool
    /// Waiting messages are cancelled, run now, put off; others are discarded.
    var edits: Bool
    /// Snapshots, runs of the delay store and moves are small, so that there are many of them.
    var isSmall: Bool
    /// A job of an engine's thread takes up to this long.
    var diskMs: Int64
    var diskFaults: Bool
    var coldReads: Bool
    var kills: Bool
    /// At the end a bit of some file turns over.
    var decays: Bool

    init(seed: UInt64) {
        var random = SeededRandom(seed: seed ^ 0x7E3_9E12)
        func one(of count: Int) -> Bool { random.below(count) == 0 }
        partitions = 1 + Int32(random.below(2))
        delays = !one(of: 4)
        expires = one(of: 2)
        redrives = !one(of: 3)
        purges = one(of: 2)
        gates = one(of: 3)
        moves = one(of: 3)
        replays = one(of: 3)
        edits = one(of: 2)
        isSmall = one(of: 2)
        diskMs = one(of: 3) ? Int64(1 + random.below(200)) : 0
        diskFaults = one(of: 2)
        coldReads = one(of: 3)
        kills = !one(of: 5)
        decays = one(of: 2)
    }

    /// For the story of a seed.
    var text: String {
        var words: [String] = ["\(partitions) partitions"]
        for (isSo, word) in [
            (delays, "delays"), (expires, "expiry"), (redrives, "redrives"), (purges, "purges"), (gates, "gates"), (moves, "moves"),
            (replays, "replays"), (edits, "edits"), (isSmall, "small"), (diskMs > 0, "disk \(diskMs) ms"), (diskFaults, "disk faults"),
            (coldReads, "cold reads"), (kills, "kills"), (decays, "decay"),
        ] where isSo { words.append(word) }
        return words.joined(separator: ", ")
    }

    var limits: Limits {
        var limits = Limits()
        limits.initialRebalanceDelayMs = 20
        guard isSmall else { return limits }
        limits.factSnapshotBytes = 3_000
        limits.producerSnapshotBytes = 20_000
        limits.delayTableEntries = 8
        limits.delayTailBytes = 6_000
        limits.releaseRecords = 8
        limits.releasesInFlight = 2
        limits.moveRecords = 3
        limits.purgesPerCursor = 2
        return limits
    }
}

/// The topics of a world, and how their messages go from one to the other.
struct Topics {
    /// Where messages are published: `line.queue` is a queue, `line.dead` gets its dead, `line.other` what operators move away.
    struct Line {
        var queue: String
        var dead: String
        var other: String?
        var deliveryLimit: Int
        var ttlMs: Int64?
    }
    static let plain = "plain"
    static let copies = "copies"
    static let retryMs: Int64 = 300
    static let lines = [
        Line(queue: "queue", dead: "queue.dlq", other: "other", deliveryLimit: 4),
        Line(queue: "brief", dead: "brief.dlq", deliveryLimit: 3, ttlMs: 1_500),
    ]

    static func line(_ queue: String) -> Line? { lines.first { $0.queue == queue } }

    /// Settings by name.
    static let settings: [String: [String: String]] = [
        plain: [:],
        "queue": [
            "queue": "true", "delivery.limit": "4", "retry.backoff": "\(retryMs)ms,2,\(8 * retryMs)ms", "dead.letter": "queue.dlq",
            "delay.enable": "true",
        ],
        "queue.dlq": ["queue": "true"],
        "brief": [
            "queue": "true", "delivery.limit": "3", "dead.letter": "auto", "ttl.ms": "1500", "share.record.lock.duration.ms": "1000",
        ],
        "other": ["queue": "true", "delivery.limit": "0"],
        copies: ["queue": "true", "delivery.limit": "0"],
    ]

    /// After the `attempt`-th delivery failed.
    static func backoffMs(after attempt: Int, in queue: String) -> Int64 {
        queue == "queue" ? min(retryMs << Int64(min(attempt, 4) - 1), 8 * retryMs) : 0
    }
}
