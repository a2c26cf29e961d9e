import Groups
import Model
import NIOCore
import Storage
import Testing

@testable import Broker

/// What a group does when its facts can't be logged.
struct GroupFailureTests {
    @Test func commitsThatAreNotLoggedAreRefusedAndForgotten() async throws {
        let log = FailingLog()
        let fixture = try await GroupBroker.start(log: log)
        let id = await fixture.single("g")
        #expect(await fixture.commit("g", id, 1, [("t", 0, 10)]) == [nil])
        log.fail(with: .full)
        #expect(await fixture.commit("g", id, 1, [("t", 0, 11), ("t", 1, 1)]) == [.coordinatorNotAvailable, .coordinatorNotAvailable])
        #expect(await fixture.offset("g", "t", 0) == 10)
        #expect(await fixture.offset("g", "t", 1) == nil)
        log.fail(with: nil)
        #expect(await fixture.commit("g", id, 1, [("t", 0, 12)]) == [nil])
        #expect(await fixture.offset("g", "t", 0) == 12)
        await fixture.broker.close()
    }

    @Test func anAssignmentThatIsNotLoggedIsNotGivenOut() async throws {
        let log = FailingLog()
        let fixture = try await GroupBroker.start(log: log)
        let id = await fixture.join("g").memberID
        #expect(await fixture.join("g", id).generation == 1)
        log.fail(with: .full)
        let refused = await fixture.sync("g", id, 1, assign: [id: "all"])
        #expect(refused.error == .coordinatorNotAvailable)
        #expect(refused.assignment.readableBytes == 0)
        #expect(await fixture.describe("g")?.state == .preparingRebalance)
        log.fail(with: nil)
        let rejoined = await fixture.join("g", id)
        #expect(rejoined.generation == 2)
        #expect(await fixture.sync("g", id, 2, assign: [id: "all"]).assignment == ByteBuffer(string: "all"))
        await fixture.broker.close()
    }

    @Test func aDeletionThatIsNotLoggedLeavesTheGroupAsItWas() async throws {
        let log = FailingLog()
        let fixture = try await GroupBroker.start(log: log)
        #expect(await fixture.commit("g", "", -1, [("t", 0, 10)]) == [nil])
        log.fail(with: .full)
        let results = await withCheckedContinuation { continuation in
            fixture.broker.coordinator(of: "g").delete(["g", "none"]) { continuation.resume(returning: $0) }
        }
        #expect(results == [.coordinatorNotAvailable, .groupIDNotFound])
        #expect(await fixture.offset("g", "t", 0) == 10)
        log.fail(with: nil)
        #expect(await fixture.commit("g", "", -1, [("t", 0, 11)]) == [nil])
        await fixture.broker.close()
    }

    @Test func theSweepForgetsWhatHasExpiredAndSparesWhatIsOnItsWay() async throws {
        var limits = Limits()
        limits.offsetsRetentionMs = 0
        let fixture = try await GroupBroker.start(limits: limits)
        #expect(await fixture.commit("old", "", -1, [("t", 0, 1)]) == [nil])
        let shard = fixture.broker.shard(named: "old")
        // A commit that has just been decided is not overtaken.
        async let late = fixture.commit("old", "", -1, [("t", 1, 2)])
        #expect(await late == [nil])
        _ = await shard.ask { $0.groups.sweep() }
        for _ in 0..<100 where await fixture.describe("old") != nil { try await Task.sleep(for: .milliseconds(5)) }
        #expect(await fixture.describe("old") == nil)
        #expect(await fixture.commit("old", "", -1, [("t", 0, 3)]) == [nil])
        #expect(await fixture.offset("old", "t", 0) == 3)
        #expect(await fixture.offset("old", "t", 1) == nil)
        await fixture.broker.close()
    }
}
