import Control
import Groups
import Model
import NIOCore
import Storage
import Testing

@testable import Broker

struct GroupCoordinatorTests {
    @Test func twoMembersShareAGroup() async throws {
        let fixture = try await GroupBroker.start()
        let first = await fixture.join("g")
        #expect(first.error == .memberIDRequired)
        #expect(first.memberID.hasPrefix("c-"))
        #expect(first.memberID.count == 38)
        let second = await fixture.join("g").memberID
        #expect(second != first.memberID)
        async let a = fixture.join("g", first.memberID)
        async let b = fixture.join("g", second)
        let (joinedA, joinedB) = await (a, b)
        #expect(joinedA.generation == 1)
        #expect(joinedB.generation == 1)
        #expect(joinedA.leader == joinedB.leader)
        let leader = joinedA.leader
        let follower = leader == first.memberID ? second : first.memberID
        async let waiting = fixture.sync("g", follower, 1)
        let led = await fixture.sync("g", leader, 1, assign: [leader: "p0", follower: "p1"])
        #expect(led.assignment == ByteBuffer(string: "p0"))
        #expect(await waiting.assignment == ByteBuffer(string: "p1"))
        #expect(await fixture.heartbeat("g", follower, 1) == nil)
        #expect(await fixture.describe("g")?.members.count == 2)
        #expect(try await fixture.leave("g", [LeavingMember(memberID: follower)]).get() == [nil])
        #expect(await fixture.heartbeat("g", leader, 1) == .rebalanceInProgress)
        await fixture.broker.close()
    }

    @Test func commitsAreAnsweredWhenLoggedAndRead() async throws {
        let fixture = try await GroupBroker.start()
        let id = await fixture.single("g")
        #expect(await fixture.commit("g", id, 1, [("t", 0, 10), ("t", 1, 20)]) == [nil, nil])
        #expect(await fixture.offset("g", "t", 1) == 20)
        #expect(await fixture.commit("g", id, 2, [("t", 0, 11)]) == [.illegalGeneration])
        #expect(await fixture.commit("other", "x", 2, [("t", 0, 11)]) == [.groupIDNotFound])
        #expect(await fixture.offset("g", "t", 0) == 10)
        #expect(await fixture.offset("other", "t", 0) == nil)
        await fixture.broker.close()
    }

    @Test func aSilentMemberIsDroppedByTheTimer() async throws {
        var limits = Limits()
        limits.sessionTimeoutMinMs = 10
        limits.initialRebalanceDelayMs = 5
        let fixture = try await GroupBroker.start(limits: limits)
        let id = await fixture.join("g", sessionMs: 100).memberID
        let joined = await fixture.join("g", id, sessionMs: 100)
        #expect(joined.generation == 1)
        _ = await fixture.sync("g", id, 1)
        var state = GroupState.stable
        for _ in 0..<100 where state != .empty {
            try await Task.sleep(for: .milliseconds(20))
            state = await fixture.describe("g")?.state ?? .dead
        }
        #expect(state == .empty)
        #expect(await fixture.heartbeat("g", id, 1) == .unknownMemberID)
        await fixture.broker.close()
    }

    @Test func viewsShowMembersAndOffsets() async throws {
        let fixture = try await GroupBroker.start()
        let id = await fixture.single("g")
        _ = await fixture.commit("g", id, 1, [("t", 1, 20), ("t", 0, 10)])
        _ = await fixture.commit("simple", "", -1, [("u", 0, 1)])
        var views: [GroupView] = []
        for shard in fixture.broker.shards { views += await shard.ask { $0.groupViews() } }
        views.sort { $0.name < $1.name }
        #expect(views.map(\.name) == ["g", "simple"])
        #expect(views[0].state == "Stable")
        #expect(views[0].members.map(\.id) == [id])
        #expect(views[0].committed.map(\.partition.partition) == [0, 1])
        #expect(views[0].committed.map(\.offset) == [Offset(10), Offset(20)])
        #expect(views[1].state == "Empty")
        await fixture.broker.close()
    }

    @Test func offsetsOfADeletedTopicAreForgotten() async throws {
        let fixture = try await GroupBroker.start()
        try await fixture.broker.createTopic("t", partitions: 2, config: .defaults)
        _ = await fixture.commit("g", "", -1, [("t", 0, 1), ("u", 0, 2)])
        try await fixture.broker.deleteTopic("t")
        #expect(await fixture.commit("g", "", -1, [("v", 0, 3)]) == [nil])
        #expect(await fixture.offset("g", "t", 0) == nil)
        #expect(await fixture.offset("g", "u", 0) == 2)
        await fixture.broker.close()
    }

    @Test func theNumberOfGroupsIsBounded() async throws {
        var limits = Limits()
        limits.groups = 2
        let fixture = try await GroupBroker.start(limits: limits)
        var refused = 0
        for index in 0..<10 where await fixture.commit("g\(index)", "", -1, [("t", 0, 1)]) == [.invalidCommitOffsetSize] { refused += 1 }
        #expect(refused == 6)  // two shards keep two each
        await fixture.broker.close()
    }

    @Test func theMemoryOfOffsetsIsBounded() async throws {
        var limits = Limits()
        limits.committedOffsetBytes = 3 * 96
        let fixture = try await GroupBroker.start(limits: limits)
        for partition in 0..<3 { #expect(await fixture.commit("g", "", -1, [("t", Int32(partition), 1)]) == [nil]) }
        #expect(await fixture.commit("g", "", -1, [("t", 3, 1)]) == [.invalidCommitOffsetSize])
        await fixture.broker.close()
    }

    @Test func operatorsResetAndDelete() async throws {
        let fixture = try await GroupBroker.start()
        let broker = fixture.broker
        try await broker.createTopic("t", partitions: 2, config: .defaults)
        let id = await fixture.single("g")
        _ = await fixture.commit("g", id, 1, [("t", 0, 7)])
        await #expect(throws: ControlError.self) {
            _ = try await broker.resetOffsets(OffsetReset(group: "g", target: .earliest, dryRun: true))
        }
        await #expect(throws: ControlError.self) { _ = try await broker.deleteGroup("g") }
        _ = await fixture.leave("g", [LeavingMember(memberID: id)])
        let preview = try await broker.resetOffsets(OffsetReset(group: "g", target: .offset(99), dryRun: true))
        #expect(preview.moves == [OffsetMove(topic: "t", partition: 0, from: 7, to: 0, end: 0)])
        #expect(await fixture.offset("g", "t", 0) == 7)
        let done = try await broker.resetOffsets(OffsetReset(group: "g", topic: "t", target: .latest, dryRun: false))
        #expect(done.moves.map(\.partition) == [0, 1])
        #expect(await fixture.offset("g", "t", 0) == 0)
        #expect(await fixture.offset("g", "t", 1) == 0)
        await #expect(throws: ControlError.self) {
            _ = try await broker.resetOffsets(OffsetReset(group: "g", topic: "no", target: .latest, dryRun: false))
        }
        _ = try await broker.deleteGroup("g")
        #expect(await fixture.describe("g") == nil)
        await fixture.broker.close()
    }
}

extension GroupCoordinatorTests {
    @Test func groupsWithSimilarNamesSpreadOverTheShards() async throws {
        let fixture = try await GroupBroker.start()
        let shards = (0..<100).map { fixture.broker.shard(named: "consumer-\($0)").id.value }
        #expect((30...70).contains(shards.count { $0 == 0 }))
        await fixture.broker.close()
    }
}
