import Model
import Testing

@Suite struct WatermarkTextTests {
    @Test(arguments: [
        ("none", Watermark.none, "none"), ("512MiB", .bytes(512 << 20), "536870912"), ("2%", .share(0.02), "2.0%"), ("0", .bytes(0), "0"),
        ("12.5%", .share(0.125), "12.5%"),
    ])
    func marksAreReadAndWritten(text: String, mark: Watermark, written: String) throws {
        #expect(try Watermark.parse(text) == mark && mark.text == written)
        #expect(try Watermark.parse(written) == mark)
    }

    @Test(arguments: ["", "101%", "-1%", "x%", "much", "%"])
    func nonsenseIsRefused(text: String) {
        #expect(throws: MisreadText.self) { try Watermark.parse(text) }
    }

    @Test func aShareNeedsAWhole() {
        #expect(Watermark.share(0.5).bytes(of: 200) == 100 && Watermark.share(0.5).bytes(of: nil) == nil)
        #expect(Watermark.bytes(7).bytes(of: nil) == 7 && Watermark.none.bytes(of: 200) == nil)
    }
}
