import Model
import NIOCore
import Testing

@testable import Groups

struct OffsetTests {
    @Test func aMemberOfTheGenerationCommits() {
        var (fixture, ids) = GroupFixture.stable(["a", "b"])
        #expect(fixture.commit(ids[0], 42, metadata: "note") == nil)
        let committed = fixture.group.offsets["t", 0]
        #expect(committed == CommittedOffset(offset: Offset(42), metadata: "note", committedAt: fixture.now.wall))
        #expect(fixture.commit(ids[1], partition: 1, 7) == nil)
        #expect(fixture.commit(ids[0], 43) == nil)
        #expect(fixture.group.offsets.count == 2)
        #expect(fixture.group.offsets["t", 0]?.offset == Offset(43))
        #expect(fixture.group.offsets["t", 1]?.offset == Offset(7))
        #expect(fixture.group.offsets["u", 0] == nil)
    }

    @Test func strangersAndOldGenerationsAreRefused() {
        var (fixture, ids) = GroupFixture.stable(["a", "b"])
        #expect(fixture.commit("nobody", 1) == .unknownMemberID)
        #expect(fixture.commit(ids[0], generation: 0, 1) == .illegalGeneration)
        #expect(fixture.commit("", generation: -1, 1) == .unknownMemberID)
        #expect(fixture.commit(ids[0], generation: -1, 1) == .illegalGeneration)
        #expect(fixture.group.offsets.isEmpty)
    }

    @Test func commitsAreTakenWhileJoinsAreGatheredButNotWhileTheLeaderAssigns() {
        var (fixture, ids) = GroupFixture.stable(["a", "b"])
        fixture.join(ids[0])
        #expect(fixture.group.state == .preparingRebalance)
        #expect(fixture.commit(ids[1], 5) == nil)
        fixture.join(ids[1])
        #expect(fixture.group.state == .completingRebalance)
        #expect(fixture.commit(ids[1], 6) == .rebalanceInProgress)
        #expect(fixture.commit(ids[1], generation: 1, 6) == .illegalGeneration)
    }

    @Test func aCommitKeepsTheSessionAlive() {
        var (fixture, ids) = GroupFixture.stable(["a"])
        fixture.wait(9_000)
        #expect(fixture.commit(ids[0], 1) == nil)
        fixture.wait(9_000)
        #expect(fixture.heartbeat(ids[0]) == nil)
    }

    @Test func anybodyCommitsToAnEmptyGroupWithGenerationMinusOne() {
        var fixture = GroupFixture()
        #expect(fixture.commit("", generation: -1, 9) == nil)
        #expect(fixture.commit("named", generation: -1, 10) == nil)
        #expect(fixture.commit("named", generation: 3, 11) == .unknownMemberID)
        #expect(fixture.group.isSimple)
        #expect(fixture.group.offsets["t", 0]?.offset == Offset(10))
    }

    @Test func staticMembersAreFencedInCommits() {
        var fixture = GroupFixture()
        let first = fixture.join(instance: "i1")
        fixture.wait(500)
        let old = fixture.joins[first]?.memberID ?? ""
        fixture.sync(old, instance: "i1")
        let back = fixture.join(instance: "i1")
        let new = fixture.joins[back]?.memberID ?? ""
        #expect(fixture.commit(old, instance: "i1", 1) == .fencedInstanceID)
        #expect(fixture.commit(new, instance: "i1", 1) == nil)
        #expect(fixture.commit(new, instance: "i2", 1) == .unknownMemberID)
    }

    @Test func metadataHasALimitPerPartition() {
        var (fixture, ids) = GroupFixture.stable(["a"])
        #expect(fixture.commit(ids[0], 1, metadata: String(repeating: "x", count: 4_096)) == nil)
        #expect(fixture.commit(ids[0], 2, metadata: String(repeating: "x", count: 4_097)) == .offsetMetadataTooLarge)
        #expect(fixture.group.offsets["t", 0]?.offset == Offset(1))
    }

    @Test func negativeOffsetsAreRefused() {
        var (fixture, ids) = GroupFixture.stable(["a"])
        #expect(fixture.commit(ids[0], Int64.min) == .invalidRequest)
        #expect(fixture.commit(ids[0], -2) == .invalidRequest)
        #expect(fixture.commit(ids[0], -1) == nil)
        #expect(fixture.commit(ids[0], Int64.max) == nil)
    }

    @Test func theNumberOfOffsetsIsBounded() {
        var (fixture, ids) = GroupFixture.stable(["a"])
        fixture.limits.offsetsPerGroup = 2
        #expect(fixture.commit(ids[0], partition: 0, 1) == nil)
        #expect(fixture.commit(ids[0], partition: 1, 1) == nil)
        #expect(fixture.commit(ids[0], partition: 2, 1) == .invalidCommitOffsetSize)
        #expect(fixture.commit(ids[0], partition: 1, 2) == nil)
    }

    @Test func offsetsOfSubscribedTopicsAreNotDeleted() {
        var (fixture, ids) = GroupFixture.stable(["a"])
        #expect(fixture.commit(ids[0], topic: "t", 1) == nil)
        #expect(fixture.commit(ids[0], topic: "u", 1) == nil)
        guard case .success(let (facts, results)) = fixture.group.deleteOffsets([("t", 0), ("u", 0), ("v", 3)]) else {
            Issue.record("refused")
            return
        }
        #expect(results == [.groupSubscribedToTopic, nil, nil])
        #expect(facts == [.offsetDeleted(group: "g", topic: "u", partition: 0)])
        fixture.log(facts)
        #expect(fixture.group.offsets["u", 0] == nil)
        #expect(fixture.group.offsets.count == 1)
    }

    @Test func aGroupIsDeletedOnlyWhenEmpty() {
        var (fixture, ids) = GroupFixture.stable(["a"])
        #expect(fixture.commit(ids[0], 1) == nil)
        let now = fixture.now
        #expect(fixture.table.with("g") { $0.delete(now: now) } == .failure(.nonEmptyGroup))
        #expect(fixture.leave([LeavingMember(memberID: ids[0])]) == [nil])
        let facts: [GroupFact] = [.offsetDeleted(group: "g", topic: "t", partition: 0), .groupDeleted(group: "g")]
        #expect(fixture.table.with("g") { $0.delete(now: now) } == .success(facts))
        #expect(fixture.joins[fixture.join()]?.error == .coordinatorNotAvailable)
        fixture.log(facts)
        #expect(fixture.table["g"] == nil)
    }

    private func expire(_ fixture: inout GroupFixture, retentionMs: Int64) -> [GroupFact] {
        let now = fixture.now
        return fixture.table.with("g") { $0.expireOffsets(retentionMs: retentionMs, now: now) } ?? []
    }

    @Test func offsetsOfAnEmptyGroupExpireTogether() {
        var (fixture, ids) = GroupFixture.stable(["a"], sessionMs: 1_000_000)
        #expect(fixture.commit(ids[0], partition: 0, 1) == nil)
        fixture.wait(5_000)
        #expect(fixture.commit(ids[0], partition: 1, 1) == nil)
        fixture.wait(500_000)
        // Subscribed topics of a living group do not expire however old the commit is.
        #expect(expire(&fixture, retentionMs: 100_000) == [])
        #expect(fixture.leave([LeavingMember(memberID: ids[0])]) == [nil])
        fixture.wait(99_999)
        #expect(expire(&fixture, retentionMs: 100_000) == [])
        fixture.wait(1)
        #expect(expire(&fixture, retentionMs: 100_000).count == 3)
        #expect(fixture.group.state == .dead)
    }

    @Test func selfManagedOffsetsExpireOneByOne() {
        var fixture = GroupFixture()
        #expect(fixture.commit("", generation: -1, partition: 0, 1) == nil)
        fixture.wait(60_000)
        #expect(fixture.commit("", generation: -1, partition: 1, 1) == nil)
        fixture.wait(40_000)
        #expect(expire(&fixture, retentionMs: 100_000) == [.offsetDeleted(group: "g", topic: "t", partition: 0)])
        #expect(fixture.group.state == .empty)
    }
}
