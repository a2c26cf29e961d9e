import Control
import Testing

@testable import Console
@testable import Terminal

/// Frames deeper than a screen's first, reached by keys, compared with files as ``GoldenTests`` does.
@Suite struct WalkGoldenTests {
    /// A name, a size and the keys that lead there; `⏎` is Enter, `⇥` Tab.
    static let walks: [(String, String, String)] = [
        ("redrive-dialog", "100x30", "6⏎R"), ("redrive-dialog", "80x24", "6⏎R"), ("redrive-list", "100x30", "6⏎Rd"),
        ("dead-opened", "100x30", "6⏎⇥ j "), ("dead-opened", "80x24", "6⏎"), ("inspector", "80x24", "6⏎⇥i"),
        ("inspector", "200x60", "6⏎⇥i"), ("delay-bucket", "100x30", "5jjjj⏎"), ("queue-opened", "200x60", "2⏎"),
        ("queue-opened", "80x24", "2⏎"), ("replay-dialog", "100x30", "2O"), ("declare-dialog", "80x24", "2A"),
        ("purge-dialog", "100x30", "2P"), ("job-line", "100x30", "6RS8"), ("audit-line", "100x30", "2H9"),
        ("job-opened", "100x30", "6RS8⏎j"), ("job-opened", "80x24", "6RS8⏎j"), ("topic-settings", "80x24", "3⏎E"),
        ("queue-settings", "80x24", "2⏎E"),
    ]

    @Test(arguments: walks) func frame(name: String, size: String, keys: String) async throws {
        var bench = try await Bench(size: #require(Size(size)))
        for key in keys {
            switch key {
            case "⏎": try await bench.press(.enter)
            case "⇥": try await bench.press(.tab)
            default: try await bench.type(String(key))
            }
        }
        try GoldenTests.check(bench.screen, "\(name)-\(size)")
    }
}
