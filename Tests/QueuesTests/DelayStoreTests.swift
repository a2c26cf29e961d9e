import Model
import NIOCore
import Testing
import Wire

@testable import Queues

/// A store whose bodies, runs and facts are arrays, and a naive oracle: every message with its due time.
private struct DelayWorld {
    var store = DelayStore(limits: Limits())
    var random: UInt64
    var nowMs: Int64 = 1_000_000
    /// What would be on disk.
    var facts: [DelayFact] = []
    var bodies: [[(entry: DelayEntry, isLast: Bool)]] = Array(repeating: [], count: DelayBand.count)
    var ends: [Int64] = Array(repeating: 0, count: DelayBand.count)
    var blocks: [[ByteBuffer]] = Array(repeating: [], count: DelayBand.count)
    /// The oracle: what waits, and what is in its target.
    var waiting: [DelayRef: (dueMs: Int64, target: UInt32)] = [:]
    var delivered: [DelayRef] = []
    /// Delivered behind the front that was logged last.
    var unlogged: [DelayRef] = []
    var problems: [String] = []

    init(seed: UInt64) {
        random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        for number in UInt32(0)..<3 {
            log(.target(number: number, PartitionID(topic: TopicID(high: 1, low: UInt64(number)), index: 0)))
        }
    }

    mutating func below(_ limit: Int) -> Int {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((random >> 33) % UInt64(limit))
    }

    mutating func log(_ fact: DelayFact) {
        var writer = WireWriter()
        fact.write(to: &writer)
        var reader = WireReader(writer.buffer)
        do {
            let read = try DelayFact(reading: &reader)
            #expect(read == fact)
        } catch { problems.append("a fact does not read back: \(fact)") }
        facts.append(fact)
    }

    mutating func publish() {
        let target = UInt32(below(3))
        let scale: [Int] = [50, 5_000, 700_000, 6_000_000, 400_000_000]
        let due = max(nowMs + Int64(1 + below(scale[below(scale.count)])), store.floorMs)
        let band = DelayBand.of(remainingMs: due - nowMs)
        let count = below(4) == 0 ? 1 + below(40) : 1
        var entries: [DelayEntry] = []
        // Some come with others of the band, due at other times.
        for part in 0..<(below(6) == 0 ? 30 : 1) {
            let dueMs = due + (part == 0 ? 0 : Int64(below(40_000)))
            let entry = DelayEntry(
                dueMs: dueMs, ref: DelayRef(band: band, offset: Offset(ends[band] + 1)), count: UInt32(count), target: target)
            ends[band] += Int64(count) + 1
            bodies[band].append((entry, true))
            entries.append(entry)
            for index in 0..<count { waiting[entry.ref.advanced(by: index)] = (dueMs, target) }
        }
        store.insert(contentsOf: entries)
    }

    mutating func release() {
        while true {
            let take = store.take(dueMs: nowMs, limit: 1 + below(60))
            for entry in take.entries {
                for index in 0..<Int(entry.count) {
                    let ref = entry.ref.advanced(by: index)
                    guard let known = waiting.removeValue(forKey: ref) else {
                        problems.append("\(ref) is released and does not wait")
                        continue
                    }
                    if known.dueMs > nowMs { problems.append("\(ref) is early") }
                    if known.target != entry.target { problems.append("\(ref) goes astray") }
                    delivered.append(ref)
                    unlogged.append(ref)
                }
            }
            store.count(released: take.entries)
            if let needs = take.needs {
                store.load(needs, DelayRun.decode(block: blocks[needs.band][Int(needs.offset.value)]) ?? [])
            } else if take.through == nil {
                break
            }
        }
        for (ref, known) in waiting where known.dueMs <= nowMs { problems.append("\(ref) was due at \(known.dueMs) and is still there") }
    }

    mutating func logFront() {
        let fact = DelayFact.front(store.taken, open: [])
        log(fact)
        store.apply(fact)
        unlogged = []
        for band in 0..<DelayBand.count { _ = store.removeDoneRuns(band: band) }
    }

    mutating func spill() {
        let band = below(DelayBand.count)
        guard let entries = store.freeze(band: band, bodyEnd: Offset(ends[band])) else { return }
        let sorted = DelayRun.sorted(entries)
        // Something happens meanwhile.
        if below(2) == 0 { publish() }
        nowMs += Int64(below(100))
        release()
        logFront()
        guard !sorted.isEmpty, below(8) > 0 else { return store.thaw() }
        let first = Offset(Int64(blocks[band].count))
        for start in stride(from: 0, to: sorted.count, by: DelayRun.blockEntries) {
            blocks[band].append(DelayRun.encode(block: sorted[start..<min(start + DelayRun.blockEntries, sorted.count)]))
        }
        let end = store.frozen!.bodyEnd
        let run = DelayRun(band: band, first: first, bodyEnd: end, sorted: sorted)
        log(.run(run))
        store.adopt(run)
    }

    mutating func operate() {
        guard let ref = waiting.keys.sorted().randomElement(below: { below($0) }), let known = waiting[ref] else { return }
        let indexed = bodies[ref.band].first { $0.entry.ref <= ref && ref < $0.entry.ref.advanced(by: Int($0.entry.count)) }!.entry.dueMs
        #expect(store.dueMs(of: ref, indexed: indexed, target: known.target) == known.dueMs)
        let to: Int64? = below(3) == 0 ? nil : nowMs + Int64(below(10_000)) - 500
        guard case .success(let fact) = store.move(ref, target: known.target, indexed: indexed, toMs: to) else {
            return problems.append("\(ref) can't be moved")
        }
        log(fact)
        store.perform(fact)
        guard case .moved(_, _, _, let dueMs) = fact else { return }
        waiting[ref] = dueMs.map { ($0, known.target) }
    }

    mutating func purge() {
        let target = UInt32(below(3))
        let (fact, count) = store.purge(target: target, ends: ends.map { Offset($0) })
        let mine = waiting.filter { $0.value.target == target }
        if count != Int64(mine.count) { problems.append("\(count) are counted and \(mine.count) purged") }
        log(fact)
        store.performPurge(fact)
        for ref in mine.keys { waiting[ref] = nil }
    }

    /// Everything in memory is lost; what is in targets behind the front is found there.
    mutating func crash() {
        store = DelayStore(limits: Limits())
        for fact in facts { store.apply(fact) }
        for band in 0..<DelayBand.count { _ = store.removeDoneRuns(band: band) }
        if below(2) == 0 {
            let snapshot = store.snapshot()
            store = DelayStore(limits: Limits())
            for fact in snapshot { store.apply(fact) }
        }
        for request in store.open() {
            store.recount(DelayRun.decode(block: blocks[request.band][Int(request.offset.value)]) ?? [])
        }
        for band in 0..<DelayBand.count {
            for body in bodies[band] where body.entry.ref.offset >= store.bodyEnds[band] { store.recover(body.entry) }
        }
        store.noteReleased(unlogged, nowMs: nowMs)
        store.countMoved()
        release()
    }

    mutating func check() {
        if store.counts.total != Int64(waiting.count) { problems.append("\(store.counts.total) are counted, \(waiting.count) wait") }
    }
}

extension Array {
    fileprivate func randomElement(below: (Int) -> Int) -> Element? { isEmpty ? nil : self[below(count)] }
}

@Suite struct DelayStoreTests {
    @Test(arguments: UInt64(1)...60)
    func everyMessageIsReleasedOnceAndNeverEarlyWhateverHappens(seed: UInt64) {
        var world = DelayWorld(seed: seed)
        for step in 0..<400 where world.problems.isEmpty {
            switch world.below(20) {
            case 0...9: world.publish()
            case 10...12:
                world.nowMs += Int64(world.below(4_000))
                world.release()
            case 13: world.logFront()
            case 14: world.spill()
            case 15, 16: world.operate()
            case 17: if world.below(8) == 0 { world.purge() }
            case 18: if world.below(3) == 0 { world.crash() }
            default:
                world.nowMs += Int64(world.below(1_000_000))
                world.release()
            }
            world.check()
            if !world.problems.isEmpty { world.problems.append("at step \(step)") }
        }
        world.nowMs += 500_000_000
        world.release()
        world.check()
        #expect(world.problems == [])
        #expect(world.waiting.isEmpty)
        #expect(Set(world.delivered).count == world.delivered.count)
    }

    /// Two messages of a publish that a power failure left in parts, one of them moved from 9,000 to 5,000 before: at the start neither is
    /// released nor counted. The moved one beside them, at 12, is.
    @Test func whatOperatorsDidToAPublishThatWasNeverWholeIsForgotten() {
        var store = DelayStore(limits: Limits())
        store.apply(.target(number: 0, PartitionID(topic: TopicID(high: 1, low: 1), index: 0)))
        for offset in [Int64(11), 12] {
            store.apply(.moved(DelayRef(band: 0, offset: Offset(offset)), target: 0, fromMs: 9_000, toMs: 5_000))
        }
        _ = store.open()
        store.void(DelayEntry(dueMs: 9_000, ref: DelayRef(band: 0, offset: Offset(10)), count: 2, target: 0))
        store.recover(DelayEntry(dueMs: 9_000, ref: DelayRef(band: 0, offset: Offset(12)), count: 1, target: 0))
        store.countMoved()
        #expect(store.counts.totals == [0: 1])
        let released = store.take(dueMs: 10_000, limit: 10).entries
        #expect(released == [DelayEntry(dueMs: 5_000, ref: DelayRef(band: 0, offset: Offset(12)), count: 1, target: 0)])
    }

    @Test func bandsGrowEightfold() {
        #expect(DelayBand.of(remainingMs: 0) == 0)
        #expect(DelayBand.of(remainingMs: 599_999) == 0)
        #expect(DelayBand.of(remainingMs: 600_000) == 1)
        #expect(DelayBand.of(remainingMs: 4_800_000) == 2)
        #expect(DelayBand.of(remainingMs: .max) == 6)
    }

    @Test func handlesNameShardBandAndOffset() {
        let ref = DelayRef(band: 2, offset: Offset(1_000))
        #expect(ref.handle(shard: ShardID(0)) == "d0-8002")
        #expect(DelayRef.parse(handle: "d0-8002")?.ref == ref)
        #expect(DelayRef.parse(handle: "d3-8002")?.shard == ShardID(3))
        for text in ["", "d", "d0", "d0-", "0-8002", "d0-8007", "d-1-8", "d0--8", "d0-99999999999999999999"] {
            #expect(DelayRef.parse(handle: text) == nil, "\(text)")
        }
    }

    @Test func anEntryIsCutBehindTheFront() {
        let entry = DelayEntry(dueMs: 500, ref: DelayRef(band: 0, offset: Offset(10)), count: 5, target: 1)
        #expect(entry.after(DelayKey(dueMs: 499, ref: DelayRef(raw: .max))) == entry)
        #expect(entry.after(DelayKey(dueMs: 500, ref: DelayRef(band: 0, offset: Offset(14)))) == nil)
        let rest = entry.after(DelayKey(dueMs: 500, ref: DelayRef(band: 0, offset: Offset(11))))
        #expect(rest == DelayEntry(dueMs: 500, ref: DelayRef(band: 0, offset: Offset(12)), count: 3, target: 1))
    }

    @Test func countsSayWhatIsDueWhen() {
        var counts = DelayCounts()
        counts.add(30, dueMs: 100_500, band: 0, target: 0)
        counts.add(60, dueMs: 120_000, band: 1, target: 1)
        #expect(counts.count(fromMs: 100_000, toMs: 101_000, nowMs: 50_000, targets: nil) == 30)
        #expect(counts.count(fromMs: 100_000, toMs: 100_500, nowMs: 50_000, targets: nil) == 15)
        #expect(counts.count(fromMs: 120_000, toMs: 121_000, nowMs: 50_000, targets: [1]) == 1)
        #expect(counts.count(fromMs: .min / 2, toMs: 101_500, nowMs: 101_500, targets: nil) == 30)
        counts.add(-30, dueMs: 100_500, band: 0, target: 0)
        #expect(counts.totals == [1: 60])
    }

    @Test func countsBecomeCoarserInsteadOfMany() {
        var counts = DelayCounts(spanLimit: 100)
        for second in 0..<1_000 { counts.add(1, dueMs: Int64(second) * 1_000, band: 0, target: 0) }
        #expect(counts.total == 1_000)
        #expect(counts.byTarget[0]!.count <= 100)
        for second in 0..<1_000 { counts.add(-1, dueMs: Int64(second) * 1_000, band: 0, target: 0) }
        #expect(counts.total == 0)
        #expect(counts.byTarget.isEmpty)
    }
}
