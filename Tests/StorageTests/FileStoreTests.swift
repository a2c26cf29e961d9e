import Model
import NIOCore
import Testing

@testable import Storage

/// What a file store finds after a restart, and what it does about damage.
@Suite struct FileStoreTests {
    private func open(_ fileSystem: FaultyFileSystem, _ clock: TestClock = TestClock()) throws -> FileStore {
        try FileStore(fileSystem: fileSystem, root: "/store", clock: clock, logger: quiet)
    }

    @Test func everythingComesBack() async throws {
        let clock = TestClock(1_000_000)
        let fileSystem = FaultyFileSystem()
        let store = try open(fileSystem, clock)
        for number in 0..<100 { _ = try await store.put("k/\(number % 10)", ByteBuffer(string: "\(number)")) }
        _ = try await store.create("lease", ByteBuffer(string: "me"), timeToLiveMs: 500)
        try await store.delete("k/3", at: nil)
        try await store.putBlob("snap", ByteBuffer(string: "blob"))
        await store.close()
        let again = try open(fileSystem.restarted(.power(seed: 1)), clock)
        #expect(try await again.list("k/").map { String(buffer: $0.value) } == ["90", "91", "92", "94", "95", "96", "97", "98", "99"])
        #expect(try await again.get("lease")?.revision == Revision(101))
        #expect(try await again.getBlob("snap") == ByteBuffer(string: "blob"))
        clock.advance(ms: 500)
        #expect(try await again.get("lease") == nil)
        // Revisions go on where they were: 102 was the delete, 103 is the end of the lease.
        #expect(try await again.put("x", ByteBuffer()) == Revision(104))
        // What changed after revision 100, without the history.
        var events = again.watch("k/", after: Revision(98)).makeAsyncIterator()
        #expect(await events.next()?.revision == Revision(99))
        await again.close()
    }

    @Test func theFileDoesNotGrowForEver() async throws {
        let fileSystem = FaultyFileSystem()
        let store = try open(fileSystem)
        for number in 0..<60 { _ = try await store.put("k", ByteBuffer(repeating: UInt8(number), count: 200_000)) }
        let size = try #require(try fileSystem.size("/store/store.log"))
        #expect(size < 5 << 20)
        #expect(try await store.get("k")?.revision == Revision(60))
        await store.close()
        #expect(try await open(fileSystem.restarted(.power(seed: 1))).get("k")?.value == ByteBuffer(repeating: 59, count: 200_000))
    }

    @Test func aTornEndIsCutAndDamageIsNot() async throws {
        let fileSystem = FaultyFileSystem()
        let store = try open(fileSystem)
        // Opened once more so that the file begins with these records.
        for number in 0..<3 { _ = try await store.put("k/\(number)", ByteBuffer(string: "value")) }
        await store.close()
        let size = try #require(try fileSystem.size("/store/store.log"))
        let record = (size - 35) / 3
        let torn = fileSystem.restarted(.power(seed: 1))
        try torn.open("/store/store.log", create: false).truncate(to: size - 1)
        #expect(try await open(torn).list("").map(\.key) == ["k/0", "k/1"])
        let damaged = fileSystem.restarted(.power(seed: 1))
        try damaged.flipBit("/store/store.log", byte: Int(size - record - 2))
        #expect(throws: StoreError.self) { try open(damaged) }
    }

    @Test func aStoreThatCannotWriteSaysSo() async throws {
        let fileSystem = FaultyFileSystem()
        let store = try open(fileSystem)
        _ = try await store.put("k", ByteBuffer(string: "old"))
        var faults = fileSystem.faults
        faults.capacityBytes = 0
        fileSystem.faults = faults
        await #expect(throws: StoreError.self) { try await store.put("k", ByteBuffer(string: "new")) }
        #expect(try await store.get("k")?.value == ByteBuffer(string: "old"))
        faults.capacityBytes = nil
        fileSystem.faults = faults
        #expect(try await store.put("k", ByteBuffer(string: "newer")) == Revision(2))
        faults.syncErrorsFrom = 0
        fileSystem.faults = faults
        await #expect(throws: StoreError.self) { try await store.put("k", ByteBuffer(string: "lost")) }
        faults.syncErrorsFrom = nil
        fileSystem.faults = faults
        // A failed sync is not forgotten: the store must be opened again.
        await #expect(throws: StoreError.self) { try await store.put("k", ByteBuffer(string: "more")) }
        await store.close()
        #expect(try await open(fileSystem.restarted(.process)).get("k")?.value == ByteBuffer(string: "newer"))
    }

    @Test func aDamagedBlobIsReported() async throws {
        let fileSystem = FaultyFileSystem()
        let store = try open(fileSystem)
        try await store.putBlob("snap", ByteBuffer(string: "content"))
        let name = try #require(try fileSystem.list("/store/blobs").first)
        try fileSystem.flipBit("/store/blobs/" + name, byte: 6)
        await #expect(throws: StoreError.self) { try await store.getBlob("snap") }
        await store.close()
    }
}
