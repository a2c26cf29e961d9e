import Control
import Testing

@testable import Console
@testable import Terminal

/// The same frame on every rung of the colour ladder: the text never differs, and a meaning has its theme's look.
@Suite struct DepthTests {
    @Test(arguments: ["default", "dark", "light", "mono", "nord", "deuteranopia", "high-contrast"], ColourDepth.allCases)
    func frame(theme name: String, depth: ColourDepth) async throws {
        let library = ThemeLibrary(folders: [ThemeTests.folder])
        let found = library.spec(named: name)
        let theme = try #require(found).resolved(depth)
        let bench = try await Bench(size: Size(columns: 80, rows: 24))
        let canvas = Frame.draw(bench.model, theme: theme)
        #expect(canvas.plainText == bench.screen)
        // Row 14 is the third line of the attention list (`  WARN lag    etl@orders`); the cursor is on the first.
        #expect(canvas.row(13).hasPrefix("│  WARN lag"))
        let ground = Style(foreground: theme[.text].foreground, background: theme[.text].background)
        #expect(canvas[3, 13].style == theme[.warn].over(ground))
        #expect(canvas[15, 13].style.foreground == theme[.text].foreground)
        #expect(canvas[3, 11].style == theme[.crit].over(ground).selected(by: theme[.selection]))
        for cell in canvas.cells {
            for colour in [cell.style.foreground, cell.style.background] {
                switch depth {
                case .mono: #expect(colour == .own)
                case .ansi16: #expect((-1...15).contains(colour.value))
                case .indexed256: #expect((-1...255).contains(colour.value))
                case .direct: #expect((-1...0xFFFFFF).contains(colour.value))
                }
            }
        }
    }

    @Test func blockGlyphsKeepTheLayout() async throws {
        let bench = try await Bench(size: Size(columns: 80, rows: 24))
        let block = Frame.draw(bench.model, theme: BuiltInTheme.spec.resolved(.ansi16, glyphs: .block))
        #expect(!block.plainText.unicodeScalars.contains { (0x2800...0x28FF).contains($0.value) })
        #expect(block.plainText.contains("▆"))
        for y in 9..<24 { #expect(block.row(y) == bench.screen.split(separator: "\n", omittingEmptySubsequences: false)[y]) }
    }
}
