import CWeir
import Control
import Testing

@testable import Console
@testable import Terminal

/// What a frame costs; run in release for the figure that counts: `swift test -c release --filter FrameCostTests`.
@Suite struct FrameCostTests {
    @Test(arguments: ["80x24", "200x60"]) func frameAtAThousandTopics(size: String) async throws {
        var bench = try await Bench(topics: 1_000, size: #require(Size(size)))
        try await bench.type("3")
        let snapshot = try await bench.control.snapshot(bench.model.query())
        let theme = BuiltInTheme.spec.resolved(.indexed256)
        var cells = 0
        let rounds = 50
        let start = weir_thread_cpu_ns()
        for round in 0..<rounds {
            // What the loop does for a frame: take the snapshot, draw.
            bench.model.handle(snapshot, nowMs: snapshot.broker.nowMs + Int64(round))
            cells += Frame.draw(bench.model, theme: theme).cells.count
        }
        let msPerFrame = Double(weir_thread_cpu_ns() - start) / 1e6 / Double(rounds)
        print("frame at 1,000 topics, \(size): \(msPerFrame) ms of CPU")
        #expect(cells == rounds * bench.model.size.columns * bench.model.size.rows)
        #if DEBUG
            #expect(msPerFrame < 100)
        #else
            #expect(msPerFrame < 5)
        #endif
    }
}
