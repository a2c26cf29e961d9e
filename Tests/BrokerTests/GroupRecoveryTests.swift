import Foundation
import Groups
import Model
import NIOCore
import Storage
import Testing

@testable import Broker

struct GroupRecoveryTests {
    private func withFiles(_ body: (_ start: () async throws -> GroupBroker, _ root: URL) async throws -> Void) async throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("weir-groups-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        try await body(
            {
                let log = try FileEngine(root: root.path, shards: 2)
                let store = try FileStore(root: root.path + "/store", clock: GroupBroker.RealClock())
                return try await GroupBroker.start(log: log, store: store)
            }, root)
    }

    @Test func membersAndOffsetsOutliveARestart() async throws {
        try await withFiles { start, _ in
            let before = try await start()
            let id = await before.single("g")
            for offset in 1...50 { #expect(await before.commit("g", id, 1, [("t", 0, Int64(offset)), ("t", 1, 5)]) == [nil, nil]) }
            #expect(await before.commit("simple", "", -1, [("u", 3, 8)]) == [nil])
            await before.broker.close()

            let after = try await start()
            #expect(await after.offset("g", "t", 0) == 50)
            #expect(await after.offset("g", "t", 1) == 5)
            #expect(await after.offset("simple", "u", 3) == 8)
            #expect(await after.heartbeat("g", id, 1) == nil)
            #expect(await after.sync("g", id, 1).assignment == ByteBuffer(string: "all"))
            #expect(await after.commit("g", id, 1, [("t", 0, 51)]) == [nil])
            await after.broker.close()
        }
    }

    @Test func deletionsOutliveARestart() async throws {
        try await withFiles { start, _ in
            let before = try await start()
            #expect(await before.commit("gone", "", -1, [("t", 0, 1)]) == [nil])
            #expect(await before.commit("stays", "", -1, [("t", 0, 2)]) == [nil])
            _ = try await before.broker.deleteGroup("gone")
            await before.broker.close()
            let after = try await start()
            #expect(await after.describe("gone") == nil)
            #expect(await after.offset("stays", "t", 0) == 2)
            await after.broker.close()
        }
    }

    @Test func aSnapshotTakesTheLogsPlace() async throws {
        try await withFiles { start, _ in
            let before = try await start()
            let id = await before.single("g")
            for offset in 1...20 { _ = await before.commit("g", id, 1, [("t", 0, Int64(offset))]) }
            let shard = before.broker.shard(named: "g")
            _ = await shard.ask { $0.groups.takeSnapshot() }
            for _ in 0..<200 where await shard.ask({ $0.groups.snapshots.isRunning }) { try await Task.sleep(for: .milliseconds(10)) }
            #expect(await shard.ask { $0.groups.snapshots.lastBytes } > 0)
            _ = await before.commit("g", id, 1, [("t", 1, 99)])
            await before.broker.close()

            let blob = try #require(try await snapshotBlob(before.broker, start))
            #expect(blob.end.value == 21)
            #expect(blob.facts.count == 2)
        }
    }

    /// Starts again and checks that snapshot and log together give all of it; the snapshot as stored.
    private func snapshotBlob(_ old: Broker, _ start: () async throws -> GroupBroker) async throws -> GroupSnapshot? {
        let after = try await start()
        #expect(await after.offset("g", "t", 0) == 20)
        #expect(await after.offset("g", "t", 1) == 99)
        let bytes = try await after.broker.store.getBlob(GroupSnapshot.key(after.broker.shard(named: "g").id))
        await after.broker.close()
        return bytes.flatMap { GroupSnapshot($0) }
    }

    @Test func snapshotsComeByThemselvesAndFreeTheLog() async throws {
        let log = MemoryEngine()
        let fixture = try await GroupBroker.start(log: log)
        let shard = fixture.broker.shard(named: "g")
        let items = (0..<100).map {
            OffsetCommitItem(topic: "t", partition: $0, offset: Offset(1), metadata: String(repeating: "x", count: 4_000))
        }
        let nobody = GroupCoordinator.Committer(member: "", instance: nil, generation: -1, knowsGroupNotFound: true)
        // 400 KB each: the twelfth goes past 4 MiB.
        for _ in 0..<12 {
            let results = await withCheckedContinuation { continuation in
                fixture.broker.coordinator(of: "g").commit("g", by: nobody, items) { continuation.resume(returning: $0) }
            }
            #expect(results.allSatisfy { $0 == nil })
        }
        for _ in 0..<500 where await shard.ask({ $0.groups.snapshots.lastBytes }) == 0 { try await Task.sleep(for: .milliseconds(10)) }
        let blob = try #require(try await shard.store.getBlob(GroupSnapshot.key(shard.id)))
        let snapshot = try #require(GroupSnapshot(blob))
        #expect(snapshot.facts.count == 100)
        #expect(snapshot.end >= Offset(1_100))
        let freed = await withCheckedContinuation { continuation in
            log.trim(.facts(shard.id, .groups), before: .zero) { continuation.resume(returning: $0) }
        }
        #expect(try freed.get().start >= Offset(1_000))
        await fixture.broker.close()
    }

    @Test func aDamagedSnapshotIsReadFromTheLogWhileThatIsWhole() async throws {
        try await withFiles { start, _ in
            let before = try await start()
            #expect(await before.commit("g", "", -1, [("t", 0, 4)]) == [nil])
            let key = GroupSnapshot.key(before.broker.shard(named: "g").id)
            try await before.broker.store.putBlob(key, ByteBuffer(string: "nonsense that is no snapshot"))
            await before.broker.close()
            let after = try await start()
            #expect(await after.offset("g", "t", 0) == 4)
            await after.broker.close()
        }
    }

    @Test func snapshotsComeBackAndDamageIsSeen() throws {
        let facts: [GroupFact] = (0..<100).map {
            .offsetCommitted(
                group: "g\($0)", topic: "t", partition: Int32($0),
                CommittedOffset(offset: Offset(Int64($0)), committedAt: Timestamp(ms: 1)))
        }
        let bytes = GroupSnapshot(end: Offset(77), facts: facts).encoded()
        let read = try #require(GroupSnapshot(bytes))
        #expect(read.end == Offset(77))
        #expect(read.facts == facts)
        for index in stride(from: 0, to: bytes.readableBytes, by: 11) {
            var damaged = bytes
            damaged.setInteger(damaged.getInteger(at: index, as: UInt8.self)! ^ 1, at: index)
            #expect(GroupSnapshot(damaged) == nil)
        }
    }
}
