import Testing

@testable import Terminal

@Suite struct WidthTests {
    @Test(
        arguments: [
            ("a", 1), ("é", 1), ("─", 1), ("⣿", 1), ("█", 1), ("…", 1), ("日", 2), ("本", 2), ("한", 2), ("Ａ", 2), ("😀", 2), ("\u{301}", 0),
            ("\u{200D}", 0), ("\u{7}", 0), ("\u{FE0F}", 0),
        ] as [(Unicode.Scalar, Int)])
    func scalar(_ scalar: Unicode.Scalar, _ width: Int) { #expect(CharacterWidth.of(scalar) == width) }

    @Test func text() {
        #expect(CharacterWidth.of("orders") == 6)
        #expect(CharacterWidth.of("注文-topic") == 10)
        #expect(CharacterWidth.of("cafe\u{301}") == 4)
    }

    /// Binary search needs the tables in order.
    @Test func everyScalarHasOneWidth() {
        for value in 0x20..<UInt32(0x3000) {
            guard let scalar = Unicode.Scalar(value) else { continue }
            #expect((0...2).contains(CharacterWidth.of(scalar)))
        }
    }
}

@Suite struct CanvasTests {
    @Test func wideCharactersTakeTwoCells() {
        var canvas = Canvas(size: Size(columns: 8, rows: 1))
        let after = canvas.text("注文x", x: 0, y: 0)
        #expect(after == 5)
        #expect(canvas[1, 0].isFiller)
        #expect(canvas.row(0) == "注文x")
    }

    @Test func aWideCharacterIsNeverHalved() {
        var canvas = Canvas(size: Size(columns: 3, rows: 1))
        canvas.text("注文", x: 0, y: 0)
        #expect(canvas.row(0) == "注")
        canvas = Canvas(size: Size(columns: 6, rows: 1))
        canvas.text("注文注文", x: 0, y: 0, width: 6, ellipsis: "…")
        #expect(canvas.row(0) == "注文…")
    }

    @Test func combiningMarksStayOnTheirLetter() {
        var canvas = Canvas(size: Size(columns: 6, rows: 1))
        let after = canvas.text("cafe\u{301}!", x: 0, y: 0)
        #expect(after == 5)
        #expect(canvas[3, 0].mark == 0x301)
        #expect(canvas.row(0) == "cafe\u{301}!")
    }

    @Test func nothingThatSteersATerminalIsDrawn() {
        var canvas = Canvas(size: Size(columns: 12, rows: 1))
        canvas.text("a\u{1B}[2Jb\u{9B}c\u{202E}d\u{7}\u{200D}e", x: 0, y: 0)
        #expect(canvas.row(0) == "a[2Jbcde")
        #expect(canvas.cells.allSatisfy { $0.mark == 0 })
    }

    @Test func ellipsisOnlyWhereSomethingIsCut() {
        var canvas = Canvas(size: Size(columns: 12, rows: 2))
        canvas.text("payments", x: 0, y: 0, width: 8, ellipsis: "…")
        canvas.text("payments.dlq", x: 0, y: 1, width: 8, ellipsis: "…")
        #expect(canvas.plainText == "payments\npayment…\n")
    }

    @Test func numbersEndAtTheirColumn() {
        var canvas = Canvas(size: Size(columns: 10, rows: 2))
        canvas.rightText("31.2k", right: 8, y: 0, width: 6)
        canvas.rightText("0", right: 8, y: 1, width: 6)
        #expect(canvas.plainText == "   31.2k\n       0\n")
    }

    @Test func drawingOutsideIsCutOff() {
        var canvas = Canvas(size: Size(columns: 4, rows: 1))
        canvas.text("abcdef", x: -2, y: 0)
        canvas.text("zz", x: 0, y: 5)
        canvas.fill(Rect(x: 3, y: -4, width: 9, height: 9), "#")
        #expect(canvas.row(0) == "cde#")
    }

    @Test func sizes() {
        #expect(Size("100x30") == Size(columns: 100, rows: 30))
        for text in ["100", "x30", "0x10", "100x30x2", "9999x1", "-1x5"] { #expect(Size(text) == nil) }
    }
}
