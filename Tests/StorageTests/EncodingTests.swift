import Model
import NIOCore
import Testing

@testable import Storage

/// The files beside the segments: what was written is read, and no damaged byte goes unnoticed.
@Suite struct EncodingTests {
    @Test func checkpointsComeBackAndDamageIsSeen() throws {
        var segment = Segment(base: Offset(120))
        segment.bytes = 4_096
        segment.next = Offset(130)
        segment.maxTimestamp = Timestamp(ms: 99)
        segment.maxTimestampPosition = 77
        let checkpoint = Checkpoint(
            generation: 7, streams: ["facts-groups": [], "x-1": [Checkpoint.Mark(Segment(base: .zero)), .init(segment)]])
        let bytes = checkpoint.encode()
        #expect(Checkpoint(bytes) == checkpoint)
        #expect(checkpoint.streams["x-1"]?[1].segment.next == Offset(130))
        for index in 0..<bytes.readableBytes {
            var damaged = bytes
            damaged.setInteger((bytes.getInteger(at: index, as: UInt8.self) ?? 0) ^ 4, at: index)
            #expect(Checkpoint(damaged) == nil, "byte \(index)")
            #expect(Checkpoint(bytes.getSlice(at: 0, length: index) ?? ByteBuffer()) == nil, "cut at \(index)")
        }
    }

    @Test func indexBlocksAreReadUpToTheFirstDamagedOne() {
        let entries = (1...10).map { OffsetEntry(relativeOffset: UInt32($0 * 3), position: UInt32($0 * 4_096)) }
        var file = IndexFile.block(entries[..<4], first: 0, base: Offset(50))
        let firstBlock = file.readableBytes
        file.writeImmutableBuffer(IndexFile.block(entries[4...], first: 4, base: Offset(50)))
        #expect(IndexFile.entries(file, base: Offset(50), limit: .max) == entries)
        #expect(IndexFile.entries(file, base: Offset(50), limit: 6) == Array(entries[..<6]))
        #expect(IndexFile.entries(file, base: Offset(51), limit: .max) == [OffsetEntry]())
        for index in 0..<file.readableBytes {
            var damaged = file
            damaged.setInteger((file.getInteger(at: index, as: UInt8.self) ?? 0) ^ 1, at: index)
            let left: [OffsetEntry] = IndexFile.entries(damaged, base: Offset(50), limit: .max)
            #expect(left == (index < firstBlock ? [] : Array(entries[..<4])), "byte \(index)")
        }
    }

    @Test func timeEntriesKeepTheirSign() {
        for ms in [Int64.min, -1, 0, 1, 1_700_000_000_000, .max] {
            #expect(TimeEntry(maxTimestampBefore: Timestamp(ms: ms), position: 5).maxTimestampBefore == Timestamp(ms: ms))
        }
        #expect(MemoryLayout<TimeEntry>.stride == 12)
    }

    @Test func anIndexGivesMemoryBackAndAsksForItAgain() {
        var index = SparseIndex<OffsetEntry>()
        let entries = (0..<10).map { OffsetEntry(relativeOffset: UInt32($0), position: UInt32($0 * 100)) }
        index.append(entries)
        #expect(Array(index.unpersisted(upTo: 4)) == Array(entries[..<4]))
        index.markPersisted(upTo: 4)
        index.evict()
        #expect(index.missing == 4 && index.count == 10 && Array(index.unpersisted) == Array(entries[4...]))
        guard case .load = index.last(where: { $0.position <= 350 }), case .entry(let found) = index.last(where: { $0.position <= 450 })
        else {
            Issue.record("looked up wrongly")
            return
        }
        #expect(found == entries[4])
        index.restore(Array(entries[..<4]), rebuilt: false)
        guard case .entry(let again) = index.last(where: { $0.position <= 350 }) else {
            Issue.record("not restored")
            return
        }
        #expect(again == entries[3] && index.persisted == 4)
    }

    @Test func journalsAreReadInOrderUpToTheTornEntry() throws {
        let fileSystem = FaultyFileSystem()
        try fileSystem.makeDirectory("/s")
        var journal = Journal(directory: "/s", fileSystem: fileSystem, generation: 5)
        let appends = (0..<4).map { Batches.append(.test(Int32($0)), Int64($0) * 10) }
        for (number, append) in appends.enumerated() { try journal.write(FrameID(UInt64(number)), epoch: Epoch(3), appends: [append]) }
        let path = "/s/" + Journal.name(5)
        let bytes = try #require(try fileSystem.contents(path, limit: 1 << 20))
        let read = Journal.read(bytes, generation: 5, shard: ShardID(0))
        #expect(read.entries == 4 && read.bytes == journal.position)
        #expect(read.appends.map(\.stream) == appends.map(\.stream) && read.appends.map(\.bytes) == appends.map(\.bytes))
        #expect(Journal.read(bytes, generation: 6, shard: ShardID(0)).entries == 0)
        let entry = bytes.readableBytes / 4
        for index in 0..<bytes.readableBytes {
            var damaged = bytes
            damaged.setInteger((bytes.getInteger(at: index, as: UInt8.self) ?? 0) ^ 16, at: index)
            #expect(Journal.read(damaged, generation: 5, shard: ShardID(0)).appends.count == index / entry, "byte \(index)")
        }
        // Done with, the file is taken for a later generation; what it held before does not count there.
        journal.turn()
        try journal.forget(below: 6)
        try journal.write(FrameID(9), epoch: Epoch(3), appends: [appends[2]])
        #expect(try fileSystem.list("/s") == ["journal-6"])
        let again = try #require(try fileSystem.contents("/s/journal-6", limit: 1 << 20))
        #expect(again.readableBytes == bytes.readableBytes)
        #expect(Journal.read(again, generation: 6, shard: ShardID(0)).appends.map(\.stream) == [.test(2)])
        // Files of generations that no checkpoint covers stay.
        journal.turn()
        try journal.write(FrameID(10), epoch: Epoch(3), appends: [appends[3]])
        #expect(try fileSystem.list("/s") == ["journal-6", "journal-7"])
    }

    @Test func streamNamesAreReadBack() {
        for id in [StreamID.test(0), .test(2_147_483_647), .facts(ShardID(3), .groups)] {
            #expect(StreamName.decode(StreamName.encode(id), shard: ShardID(3)) == id)
        }
        #expect(StreamName.encode(.test(3)) == "0123456789abcdef1122334455667788-3")
        for name in ["", "journal-0", "lock", "0123456789abcdef1122334455667788", "0123456789abcdef1122334455667788-x", "facts-x"] {
            #expect(StreamName.decode(name, shard: ShardID(0)) == nil, "\(name)")
        }
        #expect(SegmentFileKind.log.name(SegmentName(Offset(120))) == "00000000000000000120.log")
        #expect(SegmentFileKind.log.segment("00000000000000000120.log") == SegmentName(Offset(120)))
        #expect(SegmentFileKind.log.segment("00000000000000000120.index") == nil)
    }

    /// An entry was torn and the ones behind it stayed. The next run writes over the torn one; what stands behind it must not count.
    @Test func entriesOfAnEarlierRunDoNotComeBack() throws {
        let fileSystem = FaultyFileSystem()
        try fileSystem.makeDirectory("/s")
        var journal = Journal(directory: "/s", fileSystem: fileSystem, generation: 5)
        for number in 0..<3 {
            try journal.write(FrameID(UInt64(number)), epoch: Epoch(3), appends: [Batches.append(.test(0), Int64(number))])
        }
        let path = "/s/" + Journal.name(5)
        let entry = Int(journal.position) / 3
        try fileSystem.flipBit(path, byte: entry + 40)
        let torn = try #require(try fileSystem.contents(path, limit: 1 << 20))
        let part = Journal.read(torn, generation: 5, shard: ShardID(0))
        #expect(part.entries == 1 && part.bytes == Int64(entry) && part.appends.count == 1)
        var next = Journal(directory: "/s", fileSystem: fileSystem, after: part, older: [])
        try next.write(FrameID(1), epoch: Epoch(4), appends: [Batches.append(.test(0), 1, fill: 0x62)])
        let bytes = try #require(try fileSystem.contents(path, limit: 1 << 20))
        #expect(bytes.readableBytes == 3 * entry)
        #expect(Journal.read(bytes, generation: 5, shard: ShardID(0)).appends.map(\.base) == [Offset(0), Offset(1)])
    }
}
