import Control
import Testing

@testable import AdminServer

@Suite struct MetricsTests {
    @Test func theTextIsWhatPrometheusReads() async throws {
        let stub = StubControl()
        let text = Metrics.text(try await stub.snapshot(SnapshotQuery(topics: ListQuery(), groups: ListQuery())))
        let lines = text.split(separator: "\n").map(String.init)
        #expect(text.hasSuffix("\n"))
        for line in [
            "# HELP weir_received_records_total Records taken in since the start.", "# TYPE weir_received_records_total counter",
            "weir_received_records_total 1204", "weir_received_bytes_total 98304", "weir_uptime_seconds 61.5",
            "weir_build_info{name=\"prod-a\",version=\"0.1.0\"} 1", "weir_resident_memory_bytes 12345678",
            "weir_topic_records{topic=\"orders\"} 1204", #"weir_topic_partitions{topic="a/b \"c\""} 1"#, "weir_topics_unlisted 3",
            "weir_group_lag_records{group=\"billing\"} 7", "weir_group_behind_seconds{group=\"billing\"} 1.5",
            "weir_group_members{group=\"billing\",state=\"Stable\"} 2", "weir_groups_unlisted 0",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test func whatIsWrongHasGauges() async throws {
        let stub = StubControl {
            $0.diskLowBytes = 1_000
            $0.publishHold = PublishHold(cause: "disk", text: "", sinceMs: 5)
            $0.heldPublishes = 12
            $0.brokenShards = [BrokenShardRow(shard: 1, error: "EIO", atMs: 5)]
        }
        let lines = Metrics.text(try await stub.snapshot(SnapshotQuery())).split(separator: "\n")
        for line in [
            "weir_disk_free_low_bytes 1000", "weir_publishers_held{cause=\"disk\"} 1", "weir_publishers_held{cause=\"memory\"} 0",
            "weir_held_records_total 12", "weir_broken_shards 1",
        ] {
            #expect(lines.contains { $0 == line }, "\(line)")
        }
    }

    @Test func countersAndOnlyCountersEndInTotal() async throws {
        let stub = StubControl()
        let text = Metrics.text(try await stub.snapshot(SnapshotQuery()))
        for line in text.split(separator: "\n") where line.hasPrefix("# TYPE ") {
            let parts = line.split(separator: " ")
            #expect((parts[3] == "counter") == parts[2].hasSuffix("_total"), "\(line)")
        }
    }

    @Test func labelsAreEscaped() {
        #expect(MetricsPage.escaped("a\\b\"c\nd é", quotes: true) == "a\\\\b\\\"c\\nd é")
        #expect(MetricsPage.escaped("say \"x\"", quotes: false) == "say \"x\"")
    }

    @Test(arguments: [
        (0.0, "0"), (-3, "-3"), (0.25, "0.25"), (1e15, "1000000000000000"), (.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
    ])
    func numbersAreWrittenAsPrometheusWants(value: Double, text: String) {
        #expect(MetricsPage.number(value) == text)
    }
}
