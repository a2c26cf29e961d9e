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

    /// A key on the Queues screen: the model takes it, the frame is drawn; the rows come later.
    @Test(arguments: ["80x24", "200x60"]) func keyAtTenThousandQueues(size: String) async throws {
        var bench = try await Bench(queues: 10_000, size: #require(Size(size)))
        try await bench.type("2")
        let theme = BuiltInTheme.spec.resolved(.indexed256)
        let keys: [Key] = [.pageDown, .character("j"), .character(">"), .character("G"), .character(" "), .pageUp]
        var worst = 0.0
        for round in 0..<60 {
            let start = weir_thread_cpu_ns()
            _ = bench.model.handle(keys[round % keys.count], nowMs: bench.model.nowMs)
            let query = bench.model.query()
            let canvas = Frame.draw(bench.model, theme: theme)
            worst = max(worst, Double(weir_thread_cpu_ns() - start) / 1e6)
            #expect((query.queues?.count ?? 0) <= 3 * bench.model.size.rows)
            #expect(canvas.size == bench.model.size)
        }
        print("key to frame at 10,000 queues, \(size): \(worst) ms of CPU at worst")
        #if DEBUG
            #expect(worst < 150)
        #else
            #expect(worst < 50)
        #endif
    }
}
