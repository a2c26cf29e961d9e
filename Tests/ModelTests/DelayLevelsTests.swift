import Model
import Testing

@Suite struct DelayLevelsTests {
    @Test func `the table is RocketMQ's unless told`() {
        let seconds: [Int64] = [1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1_200, 1_800, 3_600, 7_200]
        #expect(DelayLevels.standard.ms == seconds.map { $0 * 1_000 })
        #expect(DelayLevels.standard.text == "1s,5s,10s,30s,1m,2m,3m,4m,5m,6m,7m,8m,9m,10m,20m,30m,1h,2h")
    }

    @Test func `levels are counted from 1`() throws {
        let levels = try DelayLevels.parse("250ms, 1h30m,2s")
        #expect(levels.ms == [250, 5_400_000, 2_000] && levels.text == "250ms,90m,2s")
        #expect(levels[1] == 250 && levels[3] == 2_000 && levels[0] == nil && levels[4] == nil && levels[-1] == nil)
        #expect(try DelayLevels.parse(levels.text) == levels)
    }

    @Test(arguments: [
        ("", "0 levels: write 1 to 100 times such as 1s, 5s, 10s"), ("1s,0ms", "level 2: '0ms' must be from 1ms to 36500d"),
        ("36501d", "level 1: '36501d' must be from 1ms to 36500d"), ("1s,5,10s", "level 2: '5' has no unit"),
        ("1s,,10s", "level 2: '' is not a quantity"), ("-1s", "level 1: '-' is not a quantity"),
    ])
    func `what is no table is refused`(text: String, message: String) {
        let error = #expect(throws: MisreadText.self) { try DelayLevels.parse(text) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `as many levels as the limit says`() throws {
        #expect(try DelayLevels.parse(Array(repeating: "1s", count: 100)).ms.count == 100)
        #expect(throws: MisreadText.self) { try DelayLevels.parse(Array(repeating: "1s", count: 101)) }
    }
}
