import Model
import NIOCore
import Testing

@testable import Groups

struct JoinTests {
    @Test func aNewMemberIsToldItsIDAndJoinsWithIt() {
        var fixture = GroupFixture()
        let first = fixture.join(client: "app")
        #expect(fixture.joins[first]?.error == .memberIDRequired)
        #expect(fixture.joins[first]?.memberID == "app-1")
        #expect(fixture.group.state == .empty)

        let second = fixture.join("app-1", client: "app")
        #expect(fixture.joins[second] == nil)
        #expect(fixture.group.state == .preparingRebalance)
        fixture.wait(499)
        #expect(fixture.joins[second] == nil)
        fixture.wait(1)
        let answer = fixture.joins[second]
        #expect(answer?.error == nil)
        #expect(answer?.generation == 1)
        #expect(answer?.leader == "app-1")
        #expect(answer?.protocolName == "range")
        #expect(answer?.protocolType == "consumer")
        #expect(answer?.members.map(\.id) == ["app-1"])
        #expect(answer?.members.first?.metadata == GroupFixture.subscription(["t"]))
        #expect(fixture.group.state == .completingRebalance)
    }

    @Test func versionsBelowFourJoinAtOnceWithoutAnID() {
        var fixture = GroupFixture()
        let ticket = fixture.join(client: "old", version: 3)
        fixture.wait(500)
        #expect(fixture.joins[ticket]?.memberID == "old-1")
        #expect(fixture.joins[ticket]?.error == nil)
    }

    @Test func theInitialDelayGrowsWhileMembersComeUpToTheRebalanceTimeout() {
        var fixture = GroupFixture()
        fixture.limits.initialRebalanceDelayMs = 3_000
        let a = fixture.join(client: "a", rebalanceMs: 7_000, version: 3)
        fixture.wait(2_000)
        let b = fixture.join(client: "b", rebalanceMs: 7_000, version: 3)
        fixture.wait(1_500)  // 3.5 s: b came, so the first delay did not end it
        #expect(fixture.joins[a] == nil)
        let c = fixture.join(client: "c", rebalanceMs: 7_000, version: 3)
        fixture.wait(2_500)  // 6.0 s: c came; 1 s of the 7 remains
        #expect(fixture.joins[a] == nil)
        fixture.wait(1_000)
        #expect([a, b, c].allSatisfy { fixture.joins[$0]?.generation == 1 })
        #expect(fixture.joins[a]?.members.count == 3)
        #expect(fixture.joins[b]?.members == [])
    }

    @Test func anUnknownIDIsRefused() {
        var fixture = GroupFixture()
        let ticket = fixture.join("nobody")
        #expect(fixture.joins[ticket]?.error == .unknownMemberID)
    }

    @Test func sessionTimeoutsHaveBounds() {
        var fixture = GroupFixture()
        #expect(fixture.joins[fixture.join(sessionMs: 5_999)]?.error == .invalidSessionTimeout)
        #expect(fixture.joins[fixture.join(sessionMs: 1_800_001)]?.error == .invalidSessionTimeout)
        #expect(fixture.joins[fixture.join(sessionMs: 6_000)]?.error == .memberIDRequired)
    }

    @Test func anEmptyProtocolTypeOrListIsInconsistent() {
        var fixture = GroupFixture()
        #expect(fixture.joins[fixture.join(type: "")]?.error == .inconsistentGroupProtocol)
        #expect(fixture.joins[fixture.join(protocols: [])]?.error == .inconsistentGroupProtocol)
        #expect(fixture.joins[fixture.join(protocols: (0...64).map(String.init))]?.error == .inconsistentGroupProtocol)
    }

    @Test func membersNeedAProtocolInCommon() {
        var (fixture, _) = GroupFixture.stable(["a"])
        #expect(fixture.joins[fixture.join(protocols: ["sticky"])]?.error == .inconsistentGroupProtocol)
        #expect(fixture.joins[fixture.join(type: "connect")]?.error == .inconsistentGroupProtocol)
        #expect(fixture.joins[fixture.join(protocols: ["sticky", "range"])]?.error == .memberIDRequired)
    }

    @Test func theProtocolWithMostVotesWins() {
        var fixture = GroupFixture()
        let a = fixture.join(client: "a", protocols: ["range", "sticky", "own"], version: 3)
        fixture.join(client: "b", protocols: ["sticky", "range"], version: 3)
        fixture.join(client: "c", protocols: ["sticky", "range"], version: 3)
        fixture.wait(1_500)
        #expect(fixture.joins[a]?.protocolName == "sticky")
    }

    @Test func aFullGroupRefusesNewMembersAndKeepsItsOwn() {
        var fixture = GroupFixture()
        fixture.limits.membersPerGroup = 2
        let a = fixture.enter(client: "a")
        let b = fixture.enter(client: "b")
        #expect(fixture.joins[fixture.join(client: "c")]?.error == .groupMaxSizeReached)
        fixture.wait(1_500)
        #expect(fixture.joins[a.ticket]?.error == nil)
        #expect(fixture.joins[b.ticket]?.error == nil)
        #expect(fixture.joins[fixture.join(client: "c")]?.error == .groupMaxSizeReached)
        #expect(fixture.joins[fixture.join(b.id, client: "b")]?.generation == 1)
    }

    @Test func aSecondJoinOfTheSameMemberReplacesTheOneThatWaits() {
        var fixture = GroupFixture()
        let (id, first) = fixture.enter()
        let second = fixture.join(id)
        #expect(fixture.joins[first]?.error == .rebalanceInProgress)
        fixture.wait(500)
        #expect(fixture.joins[second]?.generation == 1)
    }

    @Test func aHandedOutIDExpiresAndDoesNotHoldUpTheGroup() {
        var (fixture, ids) = GroupFixture.stable(["a"])
        let pending = fixture.join(client: "slow", sessionMs: 6_000)
        let slow = fixture.joins[pending]?.memberID ?? ""
        let rejoin = fixture.join(ids[0])
        #expect(fixture.joins[rejoin] == nil)
        fixture.wait(6_000)
        #expect(fixture.joins[rejoin]?.generation == 2)
        #expect(fixture.joins[fixture.join(slow, client: "slow")]?.error == .unknownMemberID)
    }
}

extension JoinTests {
    @Test func oneProtocolTwiceIsInconsistent() {
        var fixture = GroupFixture()
        #expect(fixture.joins[fixture.join(protocols: ["range", "range"])]?.error == .inconsistentGroupProtocol)
    }

    @Test func subscriptionsAreBounded() {
        var fixture = GroupFixture()
        fixture.limits.memberMetadataBytes = 100
        #expect(fixture.joins[fixture.join(topics: [String(repeating: "x", count: 100)])]?.error == .groupMaxSizeReached)
        #expect(fixture.joins[fixture.join(topics: ["x"])]?.error == .memberIDRequired)

        let (stable, _) = GroupFixture.stable(["a", "b"])
        let request = JoinRequest(
            memberID: "x", clientID: "c", clientHost: "/", sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 1, protocolType: "consumer",
            protocols: [GroupProtocol(name: "range", metadata: ByteBuffer(repeating: 0, count: 50))])
        var limits = Limits()
        // Each member counts 512 bytes, 13 of subscription and 7 of assignment.
        limits.groupMetadataBytes = 1_114
        #expect(stable.table.hasRoom(for: request, limits: limits))
        limits.groupMetadataBytes = 1_113
        #expect(!stable.table.hasRoom(for: request, limits: limits))
    }
}
