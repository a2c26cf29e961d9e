import Model
import NIOCore
import Testing

@testable import Storage

/// What a file engine makes of files that are torn, damaged or missing.
@Suite struct RecoveryTests {
    private let a = StreamID.test(0)

    /// Three batches were written; the file is cut at every byte of the last two. Whole batches stay, the torn one goes.
    @Test func aTornTailIsCutAtTheLastWholeBatch() async throws {
        let sizes = (0..<3).map { Batches.batch(Int64($0) * 2, count: 2).readableBytes }
        let starts = [0, sizes[0], sizes[0] + sizes[1], sizes.reduce(0, +)]
        for cut in sizes[0]...starts[3] {
            let bed = try FileEngineBed { $0.redoBytes = 0 }
            await bed.acquire()
            for number in 0..<3 { _ = await bed.commit(UInt64(number + 1), [Batches.append(a, Int64(number) * 2, count: 2)]) }
            try await bed.restart(.process)
            try bed.fileSystem.open(bed.file(a, 0), create: false).truncate(to: Int64(cut))
            let whole = starts.last { $0 <= cut }.map { starts.firstIndex(of: $0) ?? 0 } ?? 0
            let extent = try #require(try await bed.acquire().get()[a])
            #expect(extent.end == Offset(Int64(whole) * 2), "cut at \(cut)")
            #expect(try bed.fileSystem.size(bed.file(a, 0)) == Int64(starts[whole]), "cut at \(cut)")
            #expect(try await bed.engine.allBatches(a).count == whole)
            #expect(try await bed.commit(1, [Batches.append(a, extent.end.value)]).get() == .durable)
            #expect(try await bed.engine.allBatches(a).last?.baseOffset == extent.end)
            await bed.engine.closed()
        }
    }

    @Test func aFlippedBitBeyondTheCheckpointIsFound() async throws {
        let size = Batches.batch(0).readableBytes
        for byte in [size, size + 16, size + 22, size + 30, 2 * size - 1] {
            let bed = try FileEngineBed { $0.redoBytes = 0 }
            await bed.acquire()
            for number in 0..<2 { _ = await bed.commit(UInt64(number + 1), [Batches.append(a, Int64(number))]) }
            try await bed.restart(.process)
            try bed.fileSystem.flipBit(bed.file(a, 0), byte: byte, bit: 3)
            #expect(try await bed.acquire().get()[a]?.end == Offset(1), "byte \(byte)")
            await bed.engine.closed()
        }
    }

    /// Files that end before the checkpoint, or are gone, were not torn by a crash: nothing is cut, the start is refused.
    @Test(arguments: ["short", "segment", "middle", "directory"])
    func lossBelowTheCheckpointIsReported(_ what: String) async throws {
        let bed = try FileEngineBed { $0.segmentBytes = 200 }
        await bed.acquire()
        for number in 0..<5 { _ = await bed.commit(UInt64(number + 1), [Batches.append(a, Int64(number), valueBytes: 100)]) }
        try await bed.restart(nil)
        let fileSystem = bed.fileSystem
        switch what {
        case "short":
            let file = try fileSystem.open(bed.file(a, 4), create: false)
            try file.truncate(to: try file.size() - 1)
        case "segment": try fileSystem.remove(bed.file(a, 4))
        case "middle": try fileSystem.remove(bed.file(a, 2))
        default:
            for name in try fileSystem.list(bed.directory(a)) { try fileSystem.remove(bed.directory(a) + "/" + name) }
            try fileSystem.remove(bed.directory(a))
        }
        let names = try fileSystem.list(bed.directory(a))
        #expect(await bed.acquire().failure?.isCorrupt == true)
        #expect(try fileSystem.list(bed.directory(a)) == names)
        await bed.engine.closed()
    }

    @Test func aLostCheckpointOnlyCostsTime() async throws {
        for damage in ["missing", "flipped"] {
            let bed = try FileEngineBed { $0.segmentBytes = 2_000 }
            await bed.acquire()
            for number in 0..<40 { _ = await bed.commit(UInt64(number + 1), [Batches.append(a, Int64(number), valueBytes: 200)]) }
            let sent = try await bed.engine.allBatches(a)
            try await bed.restart(nil)
            let path = "/data/shard-0/checkpoint"
            if damage == "missing" { try bed.fileSystem.remove(path) } else { try bed.fileSystem.flipBit(path, byte: 40) }
            #expect(try await bed.acquire().get()[a]?.end == Offset(40))
            #expect(try await bed.engine.allBatches(a, maxBytes: 500) == sent)
            await bed.engine.closed()
        }
    }

    /// Index files are only a shortcut: missing, cut or damaged, every offset and time is still found, and the files are made again.
    @Test(arguments: ["missing", "cut", "flipped", "foreign"])
    func damagedIndexesAreMadeAgain(_ damage: String) async throws {
        let bed = try FileEngineBed { $0.segmentBytes = 300_000 }
        await bed.acquire()
        for number in 0..<300 {
            _ = await bed.commit(UInt64(number + 1), [Batches.append(a, Int64(number), time: 1_000 + Int64(number), valueBytes: 1_500)])
        }
        try await bed.restart(nil)
        let segments = try bed.fileSystem.list(bed.directory(a)).compactMap(SegmentFileKind.log.segment).map(\.base)
        #expect(segments.count == 2)
        for base in segments {
            for kind in [SegmentFileKind.index, .time] {
                let path = bed.file(a, base.value, kind)
                let size = Int(try #require(try bed.fileSystem.size(path)))
                switch damage {
                case "missing": try bed.fileSystem.remove(path)
                case "cut": try bed.fileSystem.open(path, create: false).truncate(to: Int64(size - 1))
                case "flipped": try bed.fileSystem.flipBit(path, byte: size / 2)
                default: try bed.fileSystem.open(path, create: false).writeAll(ByteBuffer(string: "not an index at all"), at: 0)
                }
            }
        }
        await bed.acquire()
        for offset in stride(from: Int64(0), to: 300, by: 7) {
            #expect(try await bed.engine.located(a, .offset(Offset(offset))).get().header.baseOffset == Offset(offset))
            let time = LocateTarget.timestamp(Timestamp(ms: 1_000 + offset))
            #expect(try await bed.engine.located(a, time).get().header.baseOffset == Offset(offset))
        }
        #expect(try await bed.engine.allBatches(a, maxBytes: 10_000).count == 300)
        _ = await bed.commit(1, [Batches.append(a, 300)])
        try await bed.restart(nil)
        await bed.acquire()
        for base in segments {
            let entries: [OffsetEntry] = try IndexFile.load(
                base: base, path: bed.file(a, base.value, .index), limit: .max, fileSystem: bed.fileSystem)
            #expect(entries.count > 20, "segment \(base)")
        }
        await bed.engine.closed()
    }

    /// The journal's copy makes good what the file lost.
    @Test func aTornFileIsMadeWholeFromTheJournal() async throws {
        let bed = try FileEngineBed()
        await bed.acquire()
        for number in 0..<3 { _ = await bed.commit(UInt64(number + 1), [a, .test(1)].map { Batches.append($0, Int64(number)) }) }
        let sent = try await bed.engine.allBatches(a)
        for size in [0, 1, 100, 200] {
            try await bed.restart(.process)
            try bed.fileSystem.open(bed.file(a, 0), create: false).truncate(to: Int64(size))
            #expect(try await bed.acquire().get()[a]?.end == Offset(3), "\(size) bytes left")
            #expect(try await bed.engine.allBatches(a) == sent)
        }
        await bed.engine.closed()
    }

    @Test func aDamagedFenceIsNotIgnored() async throws {
        let bed = try FileEngineBed()
        await bed.acquire()
        try await bed.restart(nil)
        try bed.fileSystem.flipBit("/data/shard-0/epoch", byte: 6)
        #expect(await bed.acquire().failure?.isUnavailable == true)
        await bed.engine.closed()
    }

    @Test func theFenceOutlivesAPowerLoss() async throws {
        let bed = try FileEngineBed()
        await bed.acquire()
        await bed.acquire()
        try await bed.restart(.power(seed: 4))
        #expect(await bed.engine.acquired(epoch: 1).failure == .fenced(Epoch(2)))
        #expect(await bed.engine.acquired(epoch: 2).failure == nil)
        await bed.engine.closed()
    }

    @Test func aDirectoryServesOneEngine() async throws {
        let bed = try FileEngineBed()
        #expect(throws: DataDirectoryError.locked("/data")) {
            try FileEngine(fileSystem: bed.fileSystem, root: "/data", shards: 1, logger: quiet)
        }
        await bed.engine.closed()
        let second = try FileEngine(fileSystem: bed.fileSystem, root: "/data", shards: 8, logger: quiet)
        #expect(second.shardCount == 1)
        await second.closed()
    }
}
