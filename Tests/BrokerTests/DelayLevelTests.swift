import Control
import Model
import NIOCore
import Queues
import Storage
import Testing

@testable import Broker

/// The table of delay levels and the rate of releases are the broker's settings.
@Suite(.timeLimit(.minutes(1))) struct DelayLevelTests {
    private func start(_ levels: String, store: any Store) async throws -> GroupBroker {
        var options = BrokerOptions()
        options.delayLevels = try DelayLevels.parse(levels)
        return try await GroupBroker.start(store: store, options: options)
    }

    private func perform(_ bed: GroupBroker, _ command: Command) async throws {
        _ = try await BrokerView(broker: bed.broker).perform(command)
    }

    private func delayMs(_ bed: GroupBroker, _ topic: String) throws -> Int64 {
        try #require(bed.broker.catalog.current[topic]).config.delayMs
    }

    /// What a level meant when it was set, it means as long as it is.
    @Test func `a queue's level keeps its time when the table changes`() async throws {
        let store = SharedStore(MemoryStore(clock: GroupBroker.RealClock()))
        let before = try await start("1s,2s,7s", store: store)
        try await perform(before, .queue(.declare(queue: "old", settings: ["delay.level": "3"])))
        #expect(try delayMs(before, "old") == 7_000)
        let error = await #expect(throws: ControlError.self) {
            try await perform(before, .queue(.declare(queue: "none", settings: ["delay.level": "4"])))
        }
        #expect(error?.code == .invalid && error?.message == "delay.level=4: the broker's table has the levels 1 to 3: 1s,2s,7s")
        await before.broker.close()

        let after = try await start("10m,20m", store: store)
        #expect(try delayMs(after, "old") == 7_000)
        #expect(try #require(after.broker.catalog.current["old"]).config.delay == DelayRule(isEnabled: false, ms: 7_000))
        try await perform(after, .queue(.declare(queue: "new", settings: ["delay.level": "2"])))
        #expect(try delayMs(after, "new") == 1_200_000)
        // Another setting of a queue whose level the table has no more.
        try await perform(after, .alter(SettingsChange(.queue, "old", set: ["max.depth": "9"], unset: [])))
        #expect(try delayMs(after, "old") == 7_000)
        try await perform(after, .alter(SettingsChange(.queue, "old", set: ["delay.level": "1"], unset: [])))
        #expect(try delayMs(after, "old") == 600_000)
        try await perform(after, .alter(SettingsChange(.queue, "old", set: [:], unset: ["delay.level"])))
        #expect(try delayMs(after, "old") == 0)
        #expect(try await BrokerView(broker: after.broker).snapshot(SnapshotQuery()).broker.delayLevelsMs == [600_000, 1_200_000])
        await after.broker.close()
    }

    /// Catalogs written before there was another table than RocketMQ's.
    @Test func `an entry without a time follows the standard table`() throws {
        #expect(try TopicConfig.stored(["delay.level": "3"], delayLevelMs: nil).delayMs == 10_000)
        #expect(try TopicConfig.stored(["delay.level": "18"], delayLevelMs: 5).delayMs == 5)
    }

    @Test func `releases keep to the rate that is set`() async throws {
        var limits = Limits()
        limits.releasesPerSecond = 100
        let bed = try await DelayBed(limits: limits)
        let id = try await bed.topic("orders", ["delay.ms": "1"])
        let start = ContinuousClock.now
        try await bed.publish(id, (0..<60).map { .init(value: "\($0)") })
        #expect(try await eventually { try await bed.values(id).count == 60 })
        let took = ContinuousClock.now - start
        // Ten at once, then ten each tenth of a second.
        #expect(took >= .milliseconds(450) && took < .seconds(5), "\(took)")
        await bed.close()
    }

    @Test func `a slow rate releases too`() {
        var pace = ReleasePace(perSecond: 2)
        var now = Monotonic(ns: 0)
        #expect(pace.available(now: now) == 1)
        pace.use(1)
        #expect(pace.available(now: now) == 0 && pace.waitMs(for: 512) == 500)
        now = now.advanced(byMs: 500)
        #expect(pace.available(now: now) == 1)
        pace.use(1)
        now = now.advanced(byMs: 60_000)
        #expect(pace.available(now: now) == 1)
        var fast = ReleasePace(perSecond: 1_000)
        #expect(fast.available(now: now) == 100)
        fast.use(100)
        #expect(fast.waitMs(for: 512) == 100)
    }
}
