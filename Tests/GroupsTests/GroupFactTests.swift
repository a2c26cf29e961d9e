import Model
import NIOCore
import Testing
import Wire

@testable import Groups

struct GroupFactTests {
    private let generation = GroupFact.generation(
        GroupGeneration(
            group: "billing", generation: 12, protocolType: "consumer", protocolName: "range", leader: "a-1",
            since: Timestamp(ms: 1_700_000_000_000),
            members: [
                .init(
                    id: "a-1", instanceID: "i1", clientID: "a", clientHost: "/10.0.0.1", sessionTimeoutMs: 45_000,
                    rebalanceTimeoutMs: 300_000, subscription: ByteBuffer(string: "sub"), assignment: ByteBuffer(string: "p0")),
                .init(
                    id: "b-2", instanceID: nil, clientID: "b", clientHost: "/10.0.0.2", sessionTimeoutMs: 6_000,
                    rebalanceTimeoutMs: 6_000, subscription: ByteBuffer(), assignment: ByteBuffer()),
            ]))

    @Test func factsComeBackFromTheirBytes() throws {
        let committed = CommittedOffset(offset: Offset(1 << 40), leaderEpoch: 3, metadata: "é", committedAt: Timestamp(ms: 99))
        let facts: [GroupFact] = [
            .offsetCommitted(group: "g", topic: "orders", partition: 11, committed),
            .offsetDeleted(group: "g", topic: "orders", partition: 11), generation, .groupDeleted(group: "billing"),
        ]
        for fact in facts {
            let (key, value) = fact.encoded()
            #expect(try GroupFact.decode(key: key, value: value) == fact)
        }
        // A deletion has the key of what it deletes, and no value.
        #expect(facts[0].encoded().key == facts[1].encoded().key)
        #expect(facts[1].encoded().value == nil)
        #expect(facts[2].encoded().key == facts[3].encoded().key)
    }

    @Test func theLayoutIsFixed() {
        let fact = GroupFact.offsetCommitted(
            group: "g", topic: "t", partition: 2, CommittedOffset(offset: Offset(5), metadata: "m", committedAt: Timestamp(ms: 7)))
        let (key, value) = fact.encoded()
        #expect(Array(key.readableBytesView) == [1, 1, 2, 0x67, 2, 0x74, 0, 0, 0, 2])
        #expect(
            value.map { Array($0.readableBytesView) } == [
                1, 0, 0, 0, 0, 0, 0, 0, 5, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 7, 2, 0x6D,
            ])
    }

    @Test func damagedBytesAreAnErrorAndNeverATrap() throws {
        let (key, value) = generation.encoded()
        let bytes = try #require(value)
        for length in 0..<bytes.readableBytes {
            #expect(throws: WireError.self) { try GroupFact.decode(key: key, value: bytes.getSlice(at: 0, length: length)) }
        }
        for length in 0..<key.readableBytes {
            #expect(throws: WireError.self) { try GroupFact.decode(key: key.getSlice(at: 0, length: length)!, value: bytes) }
        }
        var later = bytes
        later.setInteger(2 as Int8, at: 0)
        #expect(throws: WireError.unsupportedVersion(api: -1, version: 2)) { try GroupFact.decode(key: key, value: later) }
    }

    @Test func membersGoOnAfterARestartWithoutARebalance() throws {
        var (fixture, ids) = GroupFixture.stable(["a", "b"])
        #expect(fixture.commit(ids[0], 42) == nil)
        var restarted = fixture
        restarted.table = try GroupFixture.replay(fixture.facts)
        restarted.ms = 0
        restarted.table.resume(now: restarted.now)
        #expect(restarted.group.state == .stable)
        #expect(restarted.heartbeat(ids[0], generation: 1) == nil)
        #expect(restarted.syncs[restarted.sync(ids[1])]?.assignment == ByteBuffer(string: "for \(ids[1])"))
        #expect(restarted.commit(ids[0], 43) == nil)
        #expect(restarted.group.offsets["t", 0]?.offset == Offset(43))
        // b's unchanged join is answered at once; c's makes a rebalance.
        #expect(restarted.joins[restarted.join(ids[1])]?.generation == 1)
        let c = restarted.join(client: "c")
        restarted.join(restarted.joins[c]?.memberID ?? "", client: "c")
        #expect(restarted.group.state == .preparingRebalance)
        // Without a word within the session a member is gone.
        restarted.wait(10_000)
        #expect(restarted.heartbeat(ids[0], generation: 1) == .unknownMemberID)
    }

    @Test func aSnapshotGivesTheTableBack() throws {
        var (fixture, ids) = GroupFixture.stable(["a", "b"])
        for partition in 0..<5 { #expect(fixture.commit(ids[0], partition: Int32(partition), Int64(partition * 10)) == nil) }
        fixture.join(ids[0])  // in the middle of a rebalance: the last logged generation counts
        let copy = try GroupFixture.replay(fixture.table.snapshot())
        #expect(copy["g"]?.logged == fixture.group.logged)
        #expect(copy["g"]?.offsets == fixture.group.offsets)
        #expect(copy["g"]?.state == .stable)
    }
}
