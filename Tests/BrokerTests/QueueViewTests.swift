import Control
import Model
import Queues
import Testing

@testable import Broker

/// Queues as snapshots show them: counts in, rows, totals, graphs and attention out.
@Suite struct QueueViewTests {
    private static let info = BrokerInfo(
        name: "b", version: "1", nowMs: 0, uptimeMs: 0, readOnly: false, kafka: nil, http: nil, data: "memory")

    private static func topic(_ number: UInt64) -> TopicID { TopicID(high: 1, low: number) }

    private func sample(
        _ name: String, _ number: UInt64, ready: Int64 = 0, acquired: Int64 = 0, waiting: Int64 = 0, accepted: Int64 = 0,
        delivered: Int64 = 0, refused: Int64 = 0, recordsIn: Int64 = 0, settings: [String: String] = [:], held: Bool = false
    ) -> QueueSample {
        var sample = QueueSample(name: name, group: name, topic: Self.topic(number), topicName: name, isQueue: true)
        var counts = CursorCounts(key: ShareKey(group: name, partition: PartitionID(topic: Self.topic(number), index: 0)), topic: name)
        counts.ready = ready
        counts.acquired = acquired
        counts.waiting = waiting
        counts.accepted = accepted
        counts.delivered = delivered
        counts.refused = refused
        counts.end = Offset(ready + acquired + waiting)
        counts.bytes = 100 * counts.end.value
        counts.holdsDelivery = held
        sample.cursors = [counts]
        sample.recordsIn = recordsIn
        sample.settings = QueueSettings(topic: settings, group: [:])
        return sample
    }

    /// Queues that are not among the samples are gone; all others have one consumer, except those of `alone`.
    private func absorb(_ samples: [QueueSample], alone: Set<String> = [], into queues: inout QueueTracks) {
        let names = Set(samples.map(\.name))
        queues.remove(Set(queues.tracks.filter { !names.contains($0.sample.name) }.map(\.key)))
        for sample in samples {
            var policy = QueuePolicy()
            policy.apply(sample.settings.topic)
            queues.absorb(sample, policy: queues[sample.name]?.sample.settings == sample.settings ? nil : policy)
        }
        let keys = samples.filter { !alone.contains($0.name) }.map { QueueKey(group: $0.group, topic: $0.topic) }
        queues.setConsumers(Dictionary(uniqueKeysWithValues: keys.map { ($0, 1) }))
        queues.settle()
    }

    private func builder(_ seconds: [[QueueSample]], alone: Set<String> = []) -> SnapshotBuilder {
        var state = Statistics.State()
        for samples in seconds {
            absorb(samples, alone: alone, into: &state.queues)
            state.queues.tick(seconds: 1, busiest: 2)
        }
        return builder(of: state)
    }

    private func builder(of state: Statistics.State) -> SnapshotBuilder {
        SnapshotBuilder(state: state, topics: .init(), now: Timestamp(ms: 100_000), monotonic: Monotonic(ns: 0))
    }

    @Test func `rates are changes per second, and an eta is what is left at the net rate`() throws {
        let seconds = (0...10).map { second in
            [
                sample(
                    "orders", 1, ready: 1_000 - 20 * Int64(second), accepted: 50 * Int64(second), delivered: 60 * Int64(second),
                    recordsIn: 30 * Int64(second))
            ]
        }
        var state = builder(seconds).state
        let wanted = state.queues.takeAgeless(10)
        #expect(wanted.map(\.2) == [.zero])
        for (key, partition, offset) in wanted { state.queues.learn(Timestamp(ms: 58_000), at: offset, of: key, partition) }
        #expect(state.queues.takeAgeless(10).isEmpty)
        let row = try #require(try builder(of: state).queuePage(ListQuery()).rows.first)
        #expect(row.ready == 800)
        #expect(row.inRate == 30 && row.outRate == 60 && row.ackRate == 50)
        #expect(row.netRate == -20)
        #expect(row.etaMs == 40_000 && row.drains)
        #expect(row.oldestMs == 42_000)
        #expect(row.trend.count == 11 && row.trend.first == 1_000 && row.trend.last == 800)
    }

    @Test func `what does not shrink never drains, and what is empty is done`() throws {
        let builder = builder([[sample("a", 1, ready: 5), sample("b", 2)]])
        let rows = try builder.queuePage(ListQuery()).rows
        #expect(rows[0].etaMs == nil && !rows[0].drains)
        #expect(rows[1].etaMs == 0 && rows[1].drains && rows[1].oldestMs == nil)
    }

    @Test func `pages are filtered, sorted and cut`() throws {
        let names = ["alpha", "beta", "delta", "gamma", "Gamma2"]
        let samples = names.enumerated().map { sample($1, UInt64($0), ready: [5, 1, 9, 5, 7][$0]) }.sorted { $0.name < $1.name }
        let builder = builder([samples])
        func sorted(_ list: ListQuery) throws -> [String] { try builder.queuePage(list).rows.map(\.name) }
        #expect(try sorted(ListQuery()) == ["Gamma2", "alpha", "beta", "delta", "gamma"])
        #expect(try sorted(ListQuery(descending: true)) == ["gamma", "delta", "beta", "alpha", "Gamma2"])
        #expect(try sorted(ListQuery(sort: "ready", descending: true)) == ["delta", "Gamma2", "alpha", "gamma", "beta"])
        #expect(try sorted(ListQuery(filter: "gam", sort: "ready")) == ["gamma", "Gamma2"])
        #expect(try sorted(ListQuery(filter: "~^(alpha|beta)$")) == ["alpha", "beta"])
        let page = try builder.queuePage(ListQuery(filter: "a", sort: "ready", start: 1, count: 2))
        #expect(page.rows.map(\.name) == ["alpha", "gamma"])
        #expect(page.start == 1 && page.matched == 5 && page.total == 5)
        #expect(throws: ControlError.self) { try builder.queuePage(ListQuery(filter: "~(")) }
    }

    @Test func `what lies in a dead-letter queue counts as dead`() throws {
        let samples = [
            sample("pay", 1, ready: 3, acquired: 2, waiting: 4, settings: ["dead.letter": "auto"]),
            sample("pay.dlq", 2, ready: 7, acquired: 1),
        ]
        let builder = builder([samples])
        let totals = builder.state.queues.totals
        #expect(totals.queues == 2 && totals.ready == 3 && totals.unacked == 2 && totals.retrying == 4 && totals.dead == 8)
        #expect(try builder.queuePage(ListQuery()).rows.map(\.isDeadLetter) == [false, true])
        #expect(builder.queueDetail("pay")?.deadLetter == "pay.dlq")
        #expect(builder.queueDetail("none") == nil)
    }

    @Test func `partitions add up to their queue, and what is dropped has no target whatever it died of`() throws {
        var one = sample("pay", 1, ready: 3, acquired: 2, waiting: 4)
        one.cursors[0].moving = 5
        one.cursors[0].end = Offset(14)
        one.cursors[0].bytes = 1_400
        (one.cursors[0].dropped, one.cursors[0].expired) = (2, 1)
        var other = one.cursors[0]
        other.key.partition.index = 1
        other.moving = 0
        one.cursors.append(other)
        let builder = builder([[one]])
        let detail = try #require(builder.queueDetail("pay"))
        #expect(detail.partitions.map(\.unacked) == [7, 2] && detail.row.unacked == 9 && detail.row.dropped == 6)
        let figures = builder.state.queues.figures[0]
        #expect(figures.open == 23 && figures.openBytes == 1_400 + 900)
    }

    @Test func `attention goes to growing dead letters, missing consumers, full gates and held ones`() {
        let limits = ["max.depth": "100", "overflow": "reject-publish"]
        func second(_ number: Int64) -> [QueueSample] {
            [
                sample("full", 1, ready: 99, refused: 10 * number, settings: limits),
                sample("held", 2, ready: 4, held: true), sample("idle", 3, ready: 12),
                sample("near", 4, ready: 85, settings: limits), sample("pay", 5, settings: ["dead.letter": "auto"]),
                sample("pay.dlq", 6, ready: 10 + number),
            ]
        }
        let found = builder([second(0), second(1)], alone: ["held", "idle", "pay.dlq"]).attention(QueueViewTests.info)
        #expect(
            found.map { "\($0.severity.rawValue) \($0.kind) \($0.subject) \($0.text)" } == [
                "CRIT dead pay.dlq 11 (+60/min)", "CRIT gate full at 99% of max.depth 100  refusing 10/s",
                "WARN queue idle no consumers  12 ready", "WARN gate near at 85% of max.depth 100",
                "info gate held delivery held  4 ready",
            ])
        #expect(found.first?.screen == "dead" && found.first?.select == "pay.dlq")
    }

    @Test func `a queue that stays keeps its history when others come and go`() throws {
        let first = [sample("b", 2, ready: 1)]
        let second = [sample("a", 1, ready: 9), sample("b", 2, ready: 2)]
        let builder = builder([first, second, [sample("b", 2, ready: 3)]])
        #expect(builder.state.queues["a"] == nil)
        #expect(builder.queueDetail("b")?.row.trend == [1, 2, 3])
        #expect(builder.queueDetail("b")?.history.ready == [2, 3] || builder.queueDetail("b")?.history.ready == [1, 2, 3])
    }

    @Test func `a look between two seconds brings counts and new queues, and leaves rates and graphs`() throws {
        var state = Statistics.State()
        for second in 0...2 as ClosedRange<Int64> {
            let samples = [sample("b", 2, ready: 100, delivered: 10 * second, recordsIn: 10 * second)]
            absorb(samples, into: &state.queues)
            state.queues.tick(seconds: 1, busiest: 2)
        }
        absorb([sample("a", 1, ready: 7), sample("b", 2, ready: 40, delivered: 80, recordsIn: 20)], into: &state.queues)
        let rows = try builder(of: state).queuePage(ListQuery()).rows
        #expect(rows.map(\.name) == ["a", "b"] && rows.map(\.ready) == [7, 40])
        #expect(rows[1].outRate == 10 && rows[1].inRate == 10 && rows[1].trend == [100, 100, 100])
        #expect(state.queues.totals.ready == 47)
    }

    @Test func `a queue that rests costs nothing: its rates fade, its graphs go on as they were`() throws {
        var state = Statistics.State()
        for second in 0...4 as ClosedRange<Int64> {
            absorb([sample("b", 2, ready: 10 * second, recordsIn: 10 * second)], into: &state.queues)
            state.queues.tick(seconds: 1, busiest: 2)
        }
        func row() throws -> QueueRow { try #require(try builder(of: state).queuePage(ListQuery()).rows.first) }
        #expect(try row().inRate == 10 && row().netRate == 10)
        for _ in 0..<4 { state.queues.tick(seconds: 1, busiest: 2) }
        #expect(try row().inRate == 0 && row().netRate == 5)
        #expect(try row().trend == [0, 10, 20, 30, 40, 40, 40, 40, 40])
        for _ in 0..<20 { state.queues.tick(seconds: 1, busiest: 2) }
        #expect(try row().netRate == 0)
        #expect(try row().trend == [0, 10, 20, 30] + Array(repeating: 40, count: 25))
        #expect(builder(of: state).queueDetail("b")?.history.ready.suffix(3) == [40, 40, 40])
        absorb([sample("b", 2, ready: 90, recordsIn: 90)], into: &state.queues)
        state.queues.tick(seconds: 1, busiest: 2)
        #expect(try row().trend.suffix(3) == [40, 40, 90] && row().inRate == 50 && row().netRate == 5)
    }

    @Test func `a policy is said in words`() {
        func text(_ settings: [String: String]) -> String {
            var policy = QueuePolicy()
            policy.apply(settings)
            return PolicyText.retry(policy)
        }
        #expect(text([:]) == "5 attempts, at once")
        #expect(text(["retry.levels": "10s,30s,1m"]) == "16 attempts, 10s 30s 1m")
        #expect(text(["retry.levels": "1s,2s,3s,4s,5s,2h", "delivery.limit": "1"]) == "1 attempt, 1s 2s 3s … 2h")
        #expect(text(["retry.backoff": "500ms,1.5,90s", "retry.jitter": "0.2"]) == "16 attempts, 500ms x1.5 up to 1m30s ±20%")
        var limits = QueuePolicy()
        limits.apply(["max.depth": "5000", "rate.out": "0.5", "ttl.ms": "3600000"])
        #expect(PolicyText.limits(limits, fullness: 0.314) == "5k msgs, at 31%, drop-head; out 0.5/s; ttl 1h")
        #expect(PolicyText.limits(QueuePolicy(), fullness: nil).isEmpty)
    }
}
