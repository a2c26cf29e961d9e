import Testing

@testable import Queues

@Suite struct RunMapTests {
    private func text<Value>(_ map: RunMap<Value>) -> [String] {
        var runs: [String] = []
        map.forEach { run in
            runs.append("\(run.first)..<\(run.end) \(run.value)")
            return true
        }
        return runs
    }

    @Test func neighboursThatAreAlikeAreOneRun() {
        var map = RunMap<Int>()
        map.insert(0..<5, 1)
        map.insert(9..<12, 1)
        map.insert(5..<9, 1)
        #expect(text(map) == ["0..<12 1"])
        map.insert(12..<13, 2)
        #expect(text(map) == ["0..<12 1", "12..<13 2"])
        #expect(map.count == 13 && map.runCount == 2)
    }

    @Test func aPieceIsTakenOutOfTheMiddle() {
        var map = RunMap<Int>()
        map.insert(0..<10, 1)
        map.insert(20..<30, 2)
        var taken: [String] = []
        let count = map.remove(4..<22) { taken.append("\($0.first)..<\($0.end) \($0.value)") }
        #expect(count == 8 && taken == ["4..<10 1", "20..<22 2"])
        #expect(text(map) == ["0..<4 1", "22..<30 2"])
        #expect(map.remove(1..<2) == 1)
        #expect(text(map) == ["0..<1 1", "2..<4 1", "22..<30 2"])
        #expect(map.runCount == 3 && map.count == 11)
    }

    /// Tens of thousands of runs in chunks, against an array with an entry for each offset.
    @Test func manyRunsAgreeWithAnArray() {
        var map = RunMap<Int>()
        var plain = [Int?](repeating: nil, count: 20_000)
        var state: UInt64 = 42
        func roll(_ sides: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(sides))
        }
        for offset in stride(from: 0, to: 20_000, by: 2) {
            map.insert(Int64(offset)..<Int64(offset + 1), offset % 3)
            plain[offset] = offset % 3
        }
        #expect(map.runCount == 10_000)
        for _ in 0..<4_000 {
            let first = roll(19_000)
            let end = first + 1 + roll(roll(50) == 0 ? 900 : 6)
            if roll(2) == 0 {
                map.remove(Int64(first)..<Int64(end))
                for offset in first..<end { plain[offset] = nil }
            } else if plain[first..<end].allSatisfy({ $0 == nil }) {
                let value = roll(3)
                map.insert(Int64(first)..<Int64(end), value)
                for offset in first..<end { plain[offset] = value }
            }
        }
        var found = [Int?](repeating: nil, count: 20_000)
        var runs = 0
        map.forEach { run in
            for offset in run.first..<run.end { found[Int(offset)] = run.value }
            runs += 1
            return true
        }
        #expect(found == plain)
        #expect(map.runCount == runs)
        #expect(map.count == Int64(plain.count { $0 != nil }))
        for offset in [0, 777, 9_999, 19_999] {
            let next = (offset..<20_000).first { plain[$0] != nil }
            #expect(map.run(atOrAfter: Int64(offset)).map { max($0.first, Int64(offset)) } == next.map { Int64($0) })
        }
    }
}
