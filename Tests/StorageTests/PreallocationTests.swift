import Model
import NIOCore
import Testing

@testable import Storage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Blocks found ahead of the writes to a large segment, and given back.
@Suite struct PreallocationTests {
    private let directory: TemporaryDirectory
    private let stream = StreamID.test(0)

    init() throws { directory = try TemporaryDirectory() }

    /// From 64 KiB on half as much again.
    private func open(segmentBytes: Int = 1 << 20) async throws -> FileEngine {
        var options = EngineUnderTest.options
        options.segmentBytes = segmentBytes
        options.preallocateFromBytes = 64 << 10
        let engine = try FileEngine(fileSystem: PosixFileSystem(), root: directory.path, shards: 1, options: options, logger: quiet)
        _ = try await engine.acquired(epoch: 1).get()
        return engine
    }

    /// Size and blocks of a segment's file, in bytes.
    private func file(_ base: Int64) throws -> (size: Int, blocks: Int) {
        let path = "\(directory.path)/shard-0/\(StreamName.encode(stream))/\(SegmentFileKind.log.name(SegmentName(Offset(base))))"
        var status = stat()
        try #require(stat(path, &status) == 0, "\(path)")
        return (Int(status.st_size), Int(status.st_blocks) * 512)
    }

    /// Not every file system finds blocks ahead.
    private func isSupported() throws -> Bool {
        let path = directory.path + "/probe"
        try PosixFileSystem().open(path, create: true).preallocate(at: 0, count: 1 << 20)
        var status = stat()
        return stat(path, &status) == 0 && status.st_blocks * 512 >= 1 << 20 && status.st_size == 0
    }

    @Test func aLargeSegmentIsAheadOfItsWritesUntilItIsClosed() async throws {
        let engine = try await open()
        _ = try await engine.committed(1, [Batches.append(stream, 0, valueBytes: 40_000)]).get()
        let small = try file(0)
        #expect(small.blocks < small.size + 8_192)
        _ = try await engine.committed(2, [Batches.append(stream, 1, valueBytes: 60_000)]).get()
        let large = try file(0)
        #expect((100_000..<101_000).contains(large.size))
        if try isSupported() { #expect(large.blocks >= large.size * 3 / 2) }
        await engine.closed()
        let closed = try file(0)
        #expect(closed.size == large.size && closed.blocks < closed.size + 8_192)
    }

    @Test func aRolledSegmentGivesBackWhatItDidNotFill() async throws {
        let engine = try await open(segmentBytes: 200_000)
        for number in 0..<4 {
            _ = try await engine.committed(UInt64(number + 1), [Batches.append(stream, Int64(number), valueBytes: 70_000)]).get()
        }
        let rolled = try file(0)
        #expect((140_000..<141_000).contains(rolled.size))
        #expect(rolled.blocks < rolled.size + 8_192)
        #expect(try await engine.allBatches(stream).count == 4)
        await engine.closed()
    }
}
