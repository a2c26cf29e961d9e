import Testing

@testable import Console

@Suite struct ShortTests {
    @Test(
        arguments: [
            (0.0, "0"), (0.04, "0"), (0.6, "0.6"), (9.94, "9.9"), (9.96, "10"), (31, "31"), (310.4, "310"), (999.4, "999"), (999.6, "1.0k"),
            (4_100, "4.1k"), (12_400, "12.4k"), (51_000, "51k"), (99_960, "100k"), (310_000, "310k"), (999_700, "1.0M"),
            (2_400_000, "2.4M"),
            (-210, "-210"), (-47_000, "-47k"), (7, "7"), (1.5e18, "lots"), (Double.nan, "n/a"), (Double.infinity, "n/a"),
        ] as [(Double, String)])
    func number(_ value: Double, _ text: String) { #expect(Short.number(value) == text) }

    @Test func neverWiderThanItsColumn() {
        var value = 0.01
        while value < 9e17 {
            #expect(Short.number(value).count <= 5, "\(value)")
            #expect(Short.net(-value).count <= 6, "\(value)")
            value *= 1.037
        }
        for ms in stride(from: Int64(0), to: 400 * 86_400_000, by: 7_777_777) { #expect(Short.duration(ms: ms).count <= 5) }
    }

    @Test(
        arguments: [
            (nil, "n/a"), (0, "0s"), (40, "0s"), (400, "0.4s"), (1_100, "1.1s"), (1_000, "1s"), (41_000, "41s"), (59_600, "1m00s"),
            (252_000, "4m12s"), (1_320_000, "22m"), (28_980_000, "8h03m"), (273_600_000, "3d04h"), (8_640_000_000, "100d"),
        ] as [(Int64?, String)])
    func duration(_ ms: Int64?, _ text: String) { #expect(Short.duration(ms: ms) == text) }

    @Test func eta() {
        #expect(Short.eta(ms: nil, drains: false, lag: 31_200) == "never")
        #expect(Short.eta(ms: nil, drains: true, lag: 31_200) == "n/a")
        #expect(Short.eta(ms: 32_000, drains: true, lag: 6_800) == "32s")
        #expect(Short.eta(ms: 900, drains: true, lag: 12) == "now")
        #expect(Short.eta(ms: nil, drains: false, lag: 0) == "now")
        #expect(Short.eta(ms: 5, drains: true, lag: nil) == "n/a")
    }

    @Test func words() {
        #expect(Short.net(120) == "+120")
        #expect(Short.net(0) == "0")
        #expect(Short.net(nil) == "n/a")
        #expect(Short.bytes(0) == "0")
        #expect(Short.bytes(486_240_000) == "486MB")
        #expect(Short.bytes(nil) == "n/a")
        #expect(Short.exact(1_204_331) == "1,204,331")
        #expect(Short.exact(-999) == "-999")
        #expect(Short.counted(1, "record") == "1 record")
        #expect(Short.axis(2_000) == "2k")
        #expect(Short.axis(1_200) == "1.2k")
    }

    @Test func clock() {
        #expect(Short.clock(ms: FakeControl.startMs) == "12:04:31")
        #expect(Short.clock(ms: FakeControl.startMs, offset: -46_800) == "23:04:31")
        #expect(CivilTime.text(ms: FakeControl.startMs) == "2026-11-22 12:04:31")
        #expect(CivilTime.text(ms: 951_782_400_000) == "2000-02-29 00:00:00")
    }

    @Test(
        arguments: [
            ("2026-11-22 12:04:31", 0), ("2026-11-22T12:04:31", 0), ("12:04", -31_000), ("12:05", -86_371_000), ("-2h", -7_200_000),
            ("-90s", -90_000), ("15m", -900_000), ("1795349071000", 0), ("2026-11-22", -43_471_000), ("2026-11-22 12:00", -271_000),
        ] as [(String, Int64)])
    func typedTime(_ text: String, _ after: Int64) {
        #expect(CivilTime.parse(text, nowMs: FakeControl.startMs) == FakeControl.startMs + after)
    }

    @Test(arguments: ["", "x", "25:00", "12:60", "2026-13-01", "-5", "-xh", "12", "2026-11-22 12:04 x", "--2h"])
    func typedNonsense(_ text: String) { #expect(CivilTime.parse(text, nowMs: FakeControl.startMs) == nil) }

    @Test func typedTimeIsLocal() {
        // 13:04 in a zone an hour east is 12:04 UTC.
        #expect(CivilTime.parse("13:04:31", nowMs: FakeControl.startMs, offset: 3600) == FakeControl.startMs)
    }
}
