import Model

/// What the demo plays: topics with their tides, groups with their habits, and a shop. Values only; ``DemoWorkload`` acts them out.
struct DemoScript: Sendable {
    struct Topic: Sendable {
        var name: String
        var partitions: Int32
        /// Records a second on average, and how far the tide swings around that: 0.5 is from half to one and a half.
        var perSecond: Double
        var swing: Double
        var periodSeconds: Double
        /// Distinct keys; a few of them come much more often than the rest.
        var keys: Int
        /// Rough size of a value.
        var bytes: Int

        /// Records a second at `second`. With 100, swing 0.5 and a period of 60: 100 at 0, 150 at 15, 50 at 45.
        func rate(atSecond second: Double) -> Double {
            max(0, perSecond * (1 + swing * DemoScript.wave(second / periodSeconds)))
        }
    }

    enum Habit: Sendable, Equatable {
        /// Reads what comes.
        case steady
        /// Works through at most this many records a second, so that it falls behind at high tide.
        case limited(perSecond: Double)
        /// Goes on committing but gets nothing done for `forSeconds` at the end of every `everySeconds`.
        case stalls(everySeconds: Double, forSeconds: Double)
        /// Leaves after `forSeconds` and comes back `awaySeconds` later.
        case comesAndGoes(forSeconds: Double, awaySeconds: Double)
        /// Reads for a while and never again.
        case gaveUp(afterSeconds: Double)
    }

    struct Group: Sendable {
        var name: String
        var topic: String
        /// One habit a member.
        var members: [Habit]
    }

    var topics: [Topic]
    var groups: [Group]
    /// The queues, and what goes on in them.
    var shop = ShopScript()

    static let standard = DemoScript(
        topics: [
            Topic(name: "orders", partitions: 6, perSecond: 220, swing: 0.5, periodSeconds: 90, keys: 400, bytes: 220),
            Topic(name: "clicks", partitions: 8, perSecond: 1_800, swing: 0.8, periodSeconds: 45, keys: 5_000, bytes: 130),
            Topic(name: "emails", partitions: 2, perSecond: 25, swing: 0.9, periodSeconds: 30, keys: 80, bytes: 900),
            Topic(name: "audit", partitions: 1, perSecond: 4, swing: 0.2, periodSeconds: 20, keys: 20, bytes: 300),
        ],
        groups: [
            Group(name: "billing", topic: "orders", members: [.steady, .steady]),
            Group(name: "fulfilment", topic: "orders", members: [.limited(perSecond: 110), .limited(perSecond: 120)]),
            Group(name: "fraud", topic: "payments", members: [.stalls(everySeconds: 100, forSeconds: 40)]),
            Group(name: "ledger", topic: "payments", members: [.steady]),
            Group(
                name: "analytics", topic: "clicks",
                members: [.steady, .limited(perSecond: 900), .comesAndGoes(forSeconds: 75, awaySeconds: 30)]),
            Group(name: "mailer", topic: "emails", members: [.limited(perSecond: 30)]),
            Group(name: "reporting", topic: "payments", members: [.gaveUp(afterSeconds: 25)]),
        ])

    /// A wave of period 1 between −1 and 1, 0 at 0: parabolas, close to a sine.
    static func wave(_ turns: Double) -> Double {
        let place = turns - turns.rounded(.down)
        let half = place < 0.5 ? place : place - 0.5
        let hill = 16 * half * (0.5 - half)
        return place < 0.5 ? hill : -hill
    }
}
