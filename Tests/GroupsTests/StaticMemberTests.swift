import Model
import NIOCore
import Testing

@testable import Groups

struct StaticMemberTests {
    /// A stable group of a static leader `i1` and a static follower `i2`.
    private func pair() -> (GroupFixture, leader: String, follower: String) {
        var fixture = GroupFixture()
        let first = fixture.join(instance: "i1")
        let second = fixture.join(instance: "i2")
        fixture.wait(1_500)
        let leader = fixture.joins[first]?.memberID ?? ""
        let follower = fixture.joins[second]?.memberID ?? ""
        fixture.sync(follower, instance: "i2")
        fixture.sync(leader, instance: "i1", assign: [leader: "p0", follower: "p1"])
        return (fixture, leader, follower)
    }

    @Test func aStaticMemberNeedsNoSecondJoin() {
        let (fixture, leader, follower) = pair()
        #expect(leader == "i1-1")
        #expect(follower == "i2-2")
        #expect(fixture.group.state == .stable)
    }

    @Test func aStaticFollowerComesBackWithoutARebalance() {
        var (fixture, leader, follower) = pair()
        let back = fixture.join(instance: "i2")
        let answer = fixture.joins[back]
        #expect(answer?.memberID == "i2-3")
        #expect(answer?.generation == 1)
        #expect(answer?.leader == leader)
        #expect(answer?.skipAssignment == false)
        #expect(fixture.group.state == .stable)
        #expect(fixture.syncs[fixture.sync("i2-3", instance: "i2")]?.assignment == ByteBuffer(string: "p1"))
        // The id is logged before it is given out, and the old one is fenced.
        #expect(fixture.facts.count == 2)
        #expect(fixture.heartbeat(follower, instance: "i2") == .fencedInstanceID)
        #expect(fixture.heartbeat(follower) == .unknownMemberID)
        #expect(fixture.joins[fixture.join(follower, instance: "i2")]?.error == .fencedInstanceID)
        #expect(fixture.syncs[fixture.sync(follower, instance: "i2")]?.error == .fencedInstanceID)
    }

    @Test func aStaticLeaderComesBackAndIsToldNotToAssign() {
        var (fixture, leader, _) = pair()
        let back = fixture.join(instance: "i1")
        #expect(fixture.joins[back]?.skipAssignment == true)
        #expect(fixture.joins[back]?.leader == "i1-3")
        #expect(fixture.joins[back]?.members.map(\.id) == ["i1-3", "i2-2"])
        // Older clients learn it by the old leader's id.
        let older = fixture.join(instance: "i1", version: 8)
        #expect(fixture.joins[older]?.skipAssignment == false)
        #expect(fixture.joins[older]?.leader == "i1-3")
        #expect(fixture.joins[older]?.memberID == "i1-4")
        #expect(fixture.joins[older]?.members == [])
        #expect(leader == "i1-1")
    }

    @Test func aTwinFencesTheOneThatWaits() {
        var fixture = GroupFixture()
        let first = fixture.join(instance: "i1")
        let twin = fixture.join(instance: "i1")
        #expect(fixture.joins[first]?.error == .fencedInstanceID)
        fixture.wait(1_500)
        #expect(fixture.joins[twin]?.generation == 1)
        #expect(fixture.group.members.count == 1)
    }

    @Test func aReturnWhileTheLeaderAssignsStartsAnew() {
        var fixture = GroupFixture()
        let first = fixture.join(instance: "i1")
        fixture.join(instance: "i2")
        fixture.wait(1_500)
        let leader = fixture.joins[first]?.memberID ?? ""
        let back = fixture.join(instance: "i2")
        #expect(fixture.group.state == .preparingRebalance)
        let again = fixture.join(leader, instance: "i1")
        #expect(fixture.joins[back]?.generation == 2)
        #expect(fixture.joins[again]?.members.map(\.id) == ["i1-1", "i2-3"])
    }

    @Test func anAdministratorRemovesByInstance() {
        var (fixture, _, follower) = pair()
        let results = fixture.leave([
            LeavingMember(memberID: "", instanceID: "i2"), LeavingMember(memberID: "", instanceID: "i9"),
            LeavingMember(memberID: "wrong", instanceID: "i1"),
        ])
        #expect(results == [nil, .unknownMemberID, .fencedInstanceID])
        #expect(fixture.group.state == .preparingRebalance)
        #expect(fixture.heartbeat(follower) == .unknownMemberID)
    }

    @Test func aSilentStaticMemberKeepsItsPlaceThroughARebalance() {
        var fixture = GroupFixture()
        let first = fixture.join(instance: "i1", sessionMs: 100_000, rebalanceMs: 10_000)
        fixture.join(instance: "i2", sessionMs: 100_000, rebalanceMs: 10_000)
        fixture.wait(1_500)
        let leader = fixture.joins[first]?.memberID ?? ""
        fixture.sync(leader, instance: "i1")
        fixture.sync("i2-2", instance: "i2")
        let rejoin = fixture.join(leader, instance: "i1", sessionMs: 100_000, rebalanceMs: 10_000)
        fixture.wait(10_000)
        #expect(fixture.joins[rejoin]?.members.map(\.id) == ["i1-1", "i2-2"])
    }
}
