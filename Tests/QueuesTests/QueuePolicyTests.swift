import Testing

@testable import Queues

@Suite struct QueuePolicyTests {
    private func policy(_ settings: [String: String]) -> QueuePolicy {
        var policy = QueuePolicy()
        policy.apply(settings)
        return policy
    }

    @Test func levelsGrowAndTheLastStays() throws {
        let retry = try #require(policy(["retry.levels": "10s,30s, 1m"]).retry)
        #expect([1, 2, 3, 4, 99].map { retry.delayMs(afterAttempt: $0) } == [10_000, 30_000, 60_000, 60_000, 60_000])
    }

    @Test func backoffMultipliesUpToItsMost() throws {
        let retry = try #require(policy(["retry.backoff": "1s,2,60s"]).retry)
        #expect([1, 2, 3, 7, 1_000_000].map { retry.delayMs(afterAttempt: $0) } == [1_000, 2_000, 4_000, 60_000, 60_000])
    }

    @Test func jitterVariesByTheNumberDrawn() throws {
        let retry = try #require(policy(["retry.backoff": "10s,1,10s", "retry.jitter": "0.2"]).retry)
        #expect([0, 0.5, 1].map { retry.delayMs(afterAttempt: 1, noise: $0) } == [8_000, 10_000, 12_000])
    }

    @Test func sixteenAttemptsWithARetryPolicyFiveWithout() {
        #expect(policy([:]).deliveryLimit == 5)
        #expect(policy(["retry.levels": "1s"]).deliveryLimit == 16)
        #expect(policy(["retry.levels": "1s", "delivery.limit": "3"]).deliveryLimit == 3)
        #expect(policy(["delivery.limit": "0"]).deliveryLimit == nil)
    }

    @Test func `a queue without retries whose messages grow old is a delay, unless it is told when to give up`() {
        let chain = ["ttl.ms": "30000", "dead.letter": "orders"]
        #expect(policy(chain).diesByAgeOnly)
        #expect(!policy(["dead.letter": "orders"]).diesByAgeOnly)
        for more in [("retry.levels", "1s"), ("delivery.limit", "3"), ("max.depth", "10")] {
            #expect(!policy(chain.merging([more]) { $1 }).diesByAgeOnly, "\(more)")
        }
        for more in [("delivery.limit", "0"), ("rate.out", "5")] {
            #expect(policy(chain.merging([more]) { $1 }).diesByAgeOnly, "\(more)")
        }
        let full = ["max.bytes": "10", "overflow": "reject-publish"]
        #expect(policy(chain.merging(full) { $1 }).diesByAgeOnly)
    }

    @Test(arguments: ["10s,,1m", "10", "0ms", "1s,x", "366d", ""]) func wrongLevelsAreNamed(_ text: String) {
        let problem = QueuePolicy.problem(with: "retry.levels", value: text)
        #expect((problem == nil) == text.isEmpty)
        #expect(policy(["retry.levels": text]).retry == nil)
    }

    @Test(arguments: ["1s,2", "1s,0.5,5m", "5m,2,1s", "1s,2,5m,3"]) func wrongBackoffIsNamed(_ text: String) {
        #expect(QueuePolicy.problem(with: "retry.backoff", value: text) != nil)
    }
}
