import Control
import Foundation
import Testing

@testable import Console
@testable import Terminal

/// Frames at three sizes, compared with files. `WEIR_RECORD_GOLDEN=1` writes them anew: read the difference before committing it.
@Suite struct GoldenTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    static func check(_ text: String, _ name: String) throws {
        let file = folder.appending(path: "\(name).txt")
        if ProcessInfo.processInfo.environment["WEIR_RECORD_GOLDEN"] == "1" {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        let expected = try String(contentsOf: file, encoding: .utf8)
        #expect(text == expected, "\(name): WEIR_RECORD_GOLDEN=1 records it anew")
    }

    @Test(arguments: ["80x24", "100x30", "200x60"], ScreenID.allCases)
    func screens(size: String, screen: ScreenID) async throws {
        let text = try await FrameRenderer.plainText(of: FakeControl(), screen: screen, size: #require(Size(size)), utcOffset: 0)
        try Self.check(text, "\(screen.rawValue)-\(size)")
    }

    @Test func asciiAndTiny() async throws {
        let ascii = try await FrameRenderer.plainText(
            of: FakeControl(), screen: .overview, size: Size(columns: 80, rows: 24), isASCII: true, utcOffset: 0)
        #expect(ascii.utf8.allSatisfy { $0 < 128 })
        try Self.check(ascii, "overview-80x24-ascii")
        let tiny = try await FrameRenderer.plainText(of: FakeControl(), screen: .overview, size: Size(columns: 50, rows: 8), utcOffset: 0)
        try Self.check(tiny, "tiny-50x8")
    }
}
