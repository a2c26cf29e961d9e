import Model
import NIOCore
import Testing

@testable import Groups

struct RebalanceTests {
    @Test func syncsWaitForTheLeadersAssignment() {
        var fixture = GroupFixture()
        let a = fixture.enter(client: "a")
        let b = fixture.enter(client: "b")
        fixture.wait(1_500)
        let follower = fixture.sync(b.id)
        #expect(fixture.syncs[follower] == nil)
        let leader = fixture.sync(a.id, type: "consumer", protocolName: "range", assign: [a.id: "p0", b.id: "p1"])
        #expect(fixture.syncs[leader]?.assignment == ByteBuffer(string: "p0"))
        #expect(fixture.syncs[follower]?.assignment == ByteBuffer(string: "p1"))
        #expect(fixture.syncs[follower]?.protocolName == "range")
        #expect(fixture.group.state == .stable)
        // Asking again gives the same.
        #expect(fixture.syncs[fixture.sync(b.id)]?.assignment == ByteBuffer(string: "p1"))
        #expect(fixture.facts.count == 1)
    }

    @Test func syncIsCheckedAgainstTheGeneration() {
        var (fixture, ids) = GroupFixture.stable(["a", "b"])
        #expect(fixture.syncs[fixture.sync("nobody")]?.error == .unknownMemberID)
        #expect(fixture.syncs[fixture.sync(ids[0], generation: 7)]?.error == .illegalGeneration)
        #expect(fixture.syncs[fixture.sync(ids[0], type: "connect")]?.error == .inconsistentGroupProtocol)
        #expect(fixture.syncs[fixture.sync(ids[0], protocolName: "sticky")]?.error == .inconsistentGroupProtocol)
        fixture.join(ids[0])
        #expect(fixture.syncs[fixture.sync(ids[1])]?.error == .rebalanceInProgress)
    }

    @Test func aNewMemberMakesEverybodyJoinAgain() {
        var (fixture, ids) = GroupFixture.stable(["a", "b"])
        #expect(fixture.heartbeat(ids[0]) == nil)
        let c = fixture.enter(client: "c")
        #expect(fixture.heartbeat(ids[0]) == .rebalanceInProgress)
        let a = fixture.join(ids[0])
        #expect(fixture.joins[a] == nil)
        let b = fixture.join(ids[1])
        #expect([a, b, c.ticket].allSatisfy { fixture.joins[$0]?.generation == 2 })
        #expect(fixture.joins[a]?.leader == ids[0])
        #expect(fixture.joins[a]?.members.count == 3)
        #expect(fixture.heartbeat(ids[0], generation: 1) == .illegalGeneration)
    }

    @Test func aFollowersUnchangedJoinInAStableGroupDisturbsNobody() {
        var (fixture, ids) = GroupFixture.stable(["a", "b"])
        let ticket = fixture.join(ids[1])
        #expect(fixture.joins[ticket]?.generation == 1)
        #expect(fixture.joins[ticket]?.members == [])
        #expect(fixture.group.state == .stable)
        fixture.join(ids[1], topics: ["t", "u"])
        #expect(fixture.group.state == .preparingRebalance)
    }

    @Test func theLeadersJoinRebalances() {
        var (fixture, ids) = GroupFixture.stable(["a", "b"])
        fixture.join(ids[0])
        #expect(fixture.group.state == .preparingRebalance)
    }

    @Test func whoDoesNotRejoinInTimeIsDroppedAndAnotherLeads() {
        var (fixture, ids) = GroupFixture.stable(["a", "b", "c"], sessionMs: 120_000)
        let b = fixture.join(ids[1], topics: ["u"])
        let c = fixture.join(ids[2])
        fixture.wait(59_999)
        #expect(fixture.joins[b] == nil)
        fixture.wait(1)
        #expect(fixture.joins[b]?.generation == 2)
        #expect(fixture.joins[b]?.leader == ids[1])
        #expect(fixture.joins[b]?.members.map(\.id) == [ids[1], ids[2]])
        #expect(fixture.joins[c]?.error == nil)
        #expect(fixture.heartbeat(ids[0], generation: 1) == .unknownMemberID)
    }

    @Test func aSilentMembersSessionEnds() {
        var (fixture, ids) = GroupFixture.stable(["a", "b"])
        fixture.wait(9_000)
        #expect(fixture.heartbeat(ids[0]) == nil)
        fixture.wait(1_000)
        #expect(fixture.group.state == .preparingRebalance)
        #expect(fixture.heartbeat(ids[1]) == .unknownMemberID)
        let a = fixture.join(ids[0])
        #expect(fixture.joins[a]?.generation == 2)
        #expect(fixture.joins[a]?.members.count == 1)
    }

    @Test func aLeaderThatNeverSyncsIsDropped() {
        var fixture = GroupFixture()
        let a = fixture.enter(client: "a", sessionMs: 120_000)
        let b = fixture.enter(client: "b", sessionMs: 120_000)
        fixture.wait(1_500)
        let waiting = fixture.sync(b.id)
        fixture.wait(60_000)
        #expect(fixture.syncs[waiting]?.error == .rebalanceInProgress)
        #expect(fixture.group.state == .preparingRebalance)
        let rejoin = fixture.join(b.id, client: "b", sessionMs: 120_000)
        #expect(fixture.joins[rejoin]?.leader == b.id)
        #expect(fixture.joins[fixture.join(a.id)]?.error == .unknownMemberID)
    }

    @Test func leavingEmptiesTheGroupAndCountsAGeneration() {
        var (fixture, ids) = GroupFixture.stable(["a", "b"])
        #expect(fixture.leave([LeavingMember(memberID: ids[0]), LeavingMember(memberID: "x")]) == [nil, .unknownMemberID])
        #expect(fixture.group.state == .preparingRebalance)
        #expect(fixture.leave([LeavingMember(memberID: ids[1])]) == [nil])
        #expect(fixture.group.state == .empty)
        #expect(fixture.group.generation == 2)
        guard case .generation(let last) = fixture.facts.last else {
            Issue.record("no generation fact")
            return
        }
        #expect(last.members == [])
        #expect(last.generation == 2)
        #expect(last.protocolType == "consumer")
        // The next member starts with the initial delay again.
        let c = fixture.enter(client: "c")
        fixture.wait(500)
        #expect(fixture.joins[c.ticket]?.generation == 3)
    }

    @Test func aMemberThatLeavesIsAnsweredWhatItWaitedFor() {
        var fixture = GroupFixture()
        let (id, ticket) = fixture.enter()
        #expect(fixture.leave([LeavingMember(memberID: id)]) == [nil])
        #expect(fixture.joins[ticket]?.error == .unknownMemberID)
    }

    @Test func membersThatWaitForTheLeaderDoNotExpire() {
        var fixture = GroupFixture()
        let a = fixture.enter(client: "a", sessionMs: 50_000)
        let b = fixture.enter(client: "b", sessionMs: 6_000)
        fixture.wait(1_500)
        let waiting = fixture.sync(b.id)
        fixture.wait(20_000)
        fixture.sync(a.id, assign: [b.id: "p1"])
        #expect(fixture.syncs[waiting]?.assignment == ByteBuffer(string: "p1"))
        fixture.wait(6_000)
        #expect(fixture.heartbeat(b.id) == .unknownMemberID)
    }
}
