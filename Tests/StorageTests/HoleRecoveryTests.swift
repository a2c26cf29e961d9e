import Model
import NIOCore
import Testing

@testable import Storage

/// What a file engine makes of holes after a restart: what was freed is no damage, and nothing else is taken for freed.
@Suite struct HoleRecoveryTests {
    private let a = StreamID.test(0)

    /// Segments of one batch each, 0 to 9, of which 2 to 6 are freed.
    private func bed(_ change: (inout FileEngineOptions) -> Void = { _ in }) async throws -> FileEngineBed {
        let bed = try FileEngineBed { options in
            options.segmentBytes = 200
            change(&options)
        }
        await bed.acquire()
        for number in 0..<10 { _ = await bed.commit(UInt64(number + 1), [Batches.append(a, Int64(number), valueBytes: 100)]) }
        return bed
    }

    private func range(_ from: Int64, _ to: Int64) -> Range<Offset> { Offset(from)..<Offset(to) }

    @Test(arguments: ["closed", "killed", "power", "checkpoint lost"])
    func holesOutliveARestart(_ how: String) async throws {
        let bed = try await bed()
        let freed = try await bed.engine.freed(a, [2..<7]).get()
        #expect(freed.holes == OffsetRanges([range(2, 7)]))
        let logs = try bed.fileSystem.list(bed.directory(a)).filter { $0.hasSuffix(".log") }
        #expect(logs == [0, 1, 7, 8, 9].map { "0000000000000000000\($0).log" })
        switch how {
        case "closed": try await bed.restart(nil)
        case "power": try await bed.restart(.power(seed: 3))
        default: try await bed.restart(.process)
        }
        if how == "checkpoint lost" { try bed.fileSystem.remove("/data/shard-0/checkpoint") }
        let extent = try #require(try await bed.acquire().get()[a])
        #expect(extent == freed)
        #expect(try await bed.engine.allBatches(a, holes: extent.holes).map(\.baseOffset.value) == [0, 1, 7, 8, 9])
        #expect(try await bed.engine.located(a, .offset(Offset(3))).get().header.baseOffset == Offset(7))
        await bed.engine.closed()
    }

    /// A file that is missing beside a hole is a loss, with and without a checkpoint.
    @Test(arguments: [true, false]) func aLossBesideAHoleIsReported(_ hasCheckpoint: Bool) async throws {
        let bed = try await bed()
        _ = await bed.engine.freed(a, [2..<7])
        try await bed.restart(nil)
        try bed.fileSystem.remove(bed.file(a, 7))
        if !hasCheckpoint { try bed.fileSystem.remove("/data/shard-0/checkpoint") }
        #expect(await bed.acquire().failure?.isCorrupt == true)
        await bed.engine.closed()
    }

    /// Without the list, or with a damaged one, what is missing could be anything.
    @Test(arguments: [true, false]) func aLostListIsReported(_ isDamaged: Bool) async throws {
        let bed = try await bed()
        _ = await bed.engine.freed(a, [2..<7])
        try await bed.restart(nil)
        let path = bed.directory(a) + "/holes"
        if isDamaged { try bed.fileSystem.flipBit(path, byte: 12) } else { try bed.fileSystem.remove(path) }
        let failure = await bed.acquire().failure
        #expect(isDamaged ? failure?.isUnavailable == true : failure?.isCorrupt == true)
        await bed.engine.closed()
    }

    /// One segment of 300 batches of which one in a hundred is wanted, rewritten and read back with its indexes lost.
    @Test(arguments: ["closed", "killed", "checkpoint lost", "indexes lost"])
    func aRewrittenSegmentOutlivesARestart(_ how: String) async throws {
        let bed = try FileEngineBed { $0.rewriteBytes = 10_000 }
        await bed.acquire()
        for number in 0..<300 {
            let batch = Batches.append(a, Int64(number), time: 1_000 + Int64(number), valueBytes: 500)
            _ = await bed.commit(UInt64(number + 1), [batch])
        }
        let freed = try await bed.engine.freed(a, [0..<100, 101..<200, 201..<300]).get()
        #expect(freed.holes == OffsetRanges([range(0, 100), range(101, 200), range(201, 299)]))
        let names = try bed.fileSystem.list(bed.directory(a))
        #expect(names == ["00000000000000000000-1.log", "00000000000000000300.log", "holes"])
        _ = await bed.commit(301, [Batches.append(a, 300, time: 2_000)])
        try await bed.restart(how == "killed" ? .process : nil)
        if how == "checkpoint lost" { try bed.fileSystem.remove("/data/shard-0/checkpoint") }
        let extent = try #require(try await bed.acquire().get()[a])
        #expect(extent.holes == freed.holes && extent.end == Offset(301))
        #expect(try await bed.engine.allBatches(a, holes: extent.holes).map(\.baseOffset.value) == [100, 200, 299, 300])
        #expect(try await bed.engine.located(a, .timestamp(Timestamp(ms: 1_150))).get().header.baseOffset == Offset(200))
        // Again, from the rewritten one.
        let again = try await bed.engine.freed(a, [0..<200, 201..<300]).get()
        #expect(again.start == Offset(0) && again.end == Offset(301))
        await bed.engine.closed()
    }

    /// Whatever a failing disk does to a rewriting, the segment stays as it was.
    @Test func aFullDiskLeavesTheSegmentAsItWas() async throws {
        let bed = try FileEngineBed { $0.rewriteBytes = 10_000 }
        await bed.acquire()
        for number in 0..<100 { _ = await bed.commit(UInt64(number + 1), [Batches.append(a, Int64(number), valueBytes: 500)]) }
        let used = bed.fileSystem.disk.withLock { $0.usedBytes }
        bed.with { $0.capacityBytes = used + 600 }
        let extent = try await bed.engine.freed(a, [0..<50, 55..<99]).get()
        #expect(extent.holes.isEmpty)
        #expect(try await bed.engine.allBatches(a).count == 100)
        bed.with { $0.capacityBytes = nil }
        #expect(try await bed.engine.freed(a, [0..<50, 55..<99]).get().holes == OffsetRanges([range(0, 50), range(55, 99)]))
        await bed.engine.closed()
    }

    @Test func listsOfHolesAreReadBack() throws {
        let entries = [HolesFile.Entry(range: range(50, 90), version: 0), .init(range: range(92, 95), version: 3)]
        let bytes = HolesFile(entries).encode()
        let read = try #require(HolesFile(bytes))
        #expect(read.entries == entries)
        #expect(read.all == OffsetRanges([range(50, 90), range(92, 95)]))
        #expect(read.ofVersion(3) == OffsetRanges([range(92, 95)]) && read.ofVersion(0).isEmpty)
        for index in 0..<bytes.readableBytes {
            var damaged = bytes
            damaged.setInteger((bytes.getInteger(at: index, as: UInt8.self) ?? 0) ^ 4, at: index)
            #expect(HolesFile(damaged) == nil, "byte \(index)")
        }
        #expect(SegmentFileKind.log.name(SegmentName(Offset(120), version: 2)) == "00000000000000000120-2.log")
        #expect(SegmentFileKind.log.segment("00000000000000000120-2.log") == SegmentName(Offset(120), version: 2))
        for name in ["00000000000000000120-0.log", "00000000000000000120-x.log", "00000000000000000120-.log", "holes"] {
            #expect(SegmentFileKind.log.segment(name) == nil)
        }
    }

    /// Kafka's segment.ms goes by the records' times, segment.bytes by size; both may change while the stream is written.
    @Test func unitsFollowTheirSettings() async throws {
        let bed = try FileEngineBed { $0.segmentBytes = 1 << 20 }
        await bed.acquire()
        bed.engine.setUnits(StreamUnits(bytes: 400, ms: 1_000), of: a, shard: ShardID(0))
        for (number, time) in [5_000, 5_500, 6_001, 6_002, 6_003, 6_004].enumerated() {
            _ = await bed.commit(UInt64(number + 1), [Batches.append(a, Int64(number), time: Int64(time), valueBytes: 50)])
        }
        var logs = try bed.fileSystem.list(bed.directory(a)).compactMap(SegmentFileKind.log.segment).map(\.base.value)
        #expect(logs == [0, 2, 5])
        bed.engine.setUnits(StreamUnits(), of: a, shard: ShardID(0))
        for number in 6..<12 { _ = await bed.commit(UInt64(number + 1), [Batches.append(a, Int64(number), time: 90_000, valueBytes: 50)]) }
        logs = try bed.fileSystem.list(bed.directory(a)).compactMap(SegmentFileKind.log.segment).map(\.base.value)
        #expect(logs == [0, 2, 5])
        await bed.engine.closed()
    }
}
