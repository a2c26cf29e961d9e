import Testing

@testable import Terminal

@Suite struct ColourTests {
    /// Grey: 232 + round(c / 11); colour: 16 + 36r + 6g + b with round(c / 51).
    @Test(
        arguments: [
            ("#000000", 232), ("#808080", 244), ("#eeeeee", 254), ("#ffffff", 255), ("#ff0000", 196), ("#00ff00", 46), ("#0000ff", 21),
            ("#bf616a", 174), ("#5fb3c9", 116),
        ] as [(String, Int32)])
    func quantiser(_ hex: String, _ index: Int32) throws { #expect(try #require(RGB(hex: hex)).index256 == index) }

    @Test(
        arguments: [("#000000", 0), ("#cc0000", 1), ("#ffff00", 11), ("#ffffff", 15), ("#808080", 8), ("#0000e8", 4)] as [(String, Int32)])
    func sixteen(_ hex: String, _ index: Int32) throws { #expect(try #require(RGB(hex: hex)).index16 == index) }

    @Test func hex() {
        #expect(RGB(hex: "#bf616a") == RGB(0xBF, 0x61, 0x6A))
        for text in ["bf616a", "#bf616", "#bf616ag", "#gggggg", ""] { #expect(RGB(hex: text) == nil) }
    }

    @Test func ladder() {
        #expect(ColourDepth.wanted(environment: ["NO_COLOR": "1", "COLORTERM": "truecolor"]) == .mono)
        #expect(ColourDepth.wanted(environment: ["NO_COLOR": "", "COLORTERM": "truecolor"]) == .direct)
        #expect(ColourDepth.wanted(environment: ["COLORTERM": "24bit"]) == .direct)
        #expect(ColourDepth.wanted(environment: [:]) == .indexed256)
        #expect(ColourDepth.reached(wanted: .direct, colours: 1 << 24, isDirect: true) == .direct)
        #expect(ColourDepth.reached(wanted: .direct, colours: 256, isDirect: false) == .indexed256)
        #expect(ColourDepth.reached(wanted: .indexed256, colours: 16, isDirect: false) == .ansi16)
        #expect(ColourDepth.reached(wanted: .indexed256, colours: 8, isDirect: false) == .ansi16)
        #expect(ColourDepth.reached(wanted: .indexed256, colours: -1, isDirect: false) == .mono)
        #expect(ColourDepth.reached(wanted: .mono, colours: 256, isDirect: false) == .mono)
    }

    @Test func directColourTriesItsOwnTerminfoEntryFirst() {
        #expect(Screen.terminfoNames(.init(term: "xterm-256color", wanted: .direct)) == ["vte-direct", "xterm-direct", "xterm-256color"])
        #expect(Screen.terminfoNames(.init(term: "xterm-256color", wanted: .indexed256)) == ["xterm-256color"])
        #expect(Screen.terminfoNames(.init(term: "tmux-256color", wanted: .direct)) == ["tmux-direct", "tmux-256color"])
        #expect(Screen.terminfoNames(.init(term: "alacritty", wanted: .direct)) == ["alacritty-direct", "alacritty"])
    }

    @Test func glyphLadder() {
        #expect(GlyphLevel.detect(isASCIIForced: false, isUTF8: true, term: "xterm-256color") == .braille)
        #expect(GlyphLevel.detect(isASCIIForced: false, isUTF8: true, term: "linux") == .block)
        #expect(GlyphLevel.detect(isASCIIForced: true, isUTF8: true, term: "xterm") == .ascii)
        #expect(GlyphLevel.detect(isASCIIForced: false, isUTF8: false, term: "xterm") == .ascii)
        #expect(Glyphs(.ascii).printable("注文x") == "??x")
    }

    @Test func base64() {
        for (text, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            #expect(Base64.encode(Array(text.utf8)) == encoded)
        }
    }
}
