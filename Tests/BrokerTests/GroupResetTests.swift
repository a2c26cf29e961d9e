import Control
import Groups
import Model
import Queues
import Testing

@testable import Broker

/// Operators move and delete groups of both kinds.
@Suite(.timeLimit(.minutes(1))) struct GroupResetTests {
    /// A share group that has taken two of five messages.
    private func shares(_ bed: GroupBroker) async throws -> ShareKey {
        let topic = try await bed.topic("clicks")
        let key = ShareKey(group: "billing", partition: topic)
        try await bed.broker.configureGroup("billing", ["share.auto.offset.reset": "earliest"])
        try await bed.publish(key, ["a", "b", "c", "d", "e"])
        _ = await heartbeat(bed, "m1", epoch: 0)
        #expect(await bed.got(key, 2, by: "m1") == ["0-1 x1"])
        #expect(await bed.answer(key, .accept, 0...1, by: "m1") == nil)
        return key
    }

    @discardableResult
    private func heartbeat(_ bed: GroupBroker, _ member: String, epoch: Int32) async -> ShareHeartbeatAnswer {
        await withCheckedContinuation { continuation in
            bed.broker.shareCoordinator(of: "billing").heartbeat(
                "billing", ShareHeartbeat(memberID: member, epoch: epoch, topics: ["clicks"], clientID: "c", clientHost: "/h")
            ) { continuation.resume(returning: $0) }
        }
    }

    @Test func `a share group is moved, with the count told before`() async throws {
        let bed = try await GroupBroker.start()
        let key = try await shares(bed)
        var reset = OffsetReset(group: "billing", target: .earliest, dryRun: true)
        let refused = await #expect(throws: ControlError.self) { try await bed.broker.resetOffsets(reset) }
        #expect(refused?.code == .conflict && refused?.message.contains("has 1 member; stop its consumers") == true)
        await heartbeat(bed, "m1", epoch: ShareHeartbeat.leaves)
        let preview = try await bed.broker.resetOffsets(reset)
        #expect(preview.message == "billing: 1 partition would move, 5 messages would be ready")
        #expect(preview.moves == [OffsetMove(topic: "clicks", partition: 0, from: 2, to: 0, end: 5)] && preview.preview?.go == 5)
        #expect(await bed.counts(key)?.ready == 3)
        reset.dryRun = false
        #expect(try await bed.broker.resetOffsets(reset).message == "billing: 1 partition moved, 5 messages ready")
        #expect(await bed.got(key, by: "m2") == ["0-4 x1"])
        reset.target = .latest
        #expect(try await bed.broker.resetOffsets(reset).message == "billing: 1 partition moved, 0 messages ready")
        #expect(await bed.counts(key)?.ready == 0)
        await bed.broker.close()
    }

    @Test func `members of a share group are taken out by force`() async throws {
        let bed = try await GroupBroker.start()
        let key = try await shares(bed)
        #expect(await bed.got(key, 1, by: "m1") == ["2-2 x1"])
        let reset = OffsetReset(group: "billing", target: .offset(1), dryRun: false, force: true)
        #expect(try await bed.broker.resetOffsets(reset).message == "billing: 1 partition moved, 4 messages ready")
        #expect(await bed.broker.shareGroup("billing")?.members.isEmpty == true)
        #expect(await bed.answer(key, .accept, 2...2, by: "m1") == .invalidRecordState)
        // The member finds out, and joins again.
        #expect(await heartbeat(bed, "m1", epoch: 1).error == .unknownMemberID)
        #expect(await heartbeat(bed, "m1", epoch: 0).error == nil)
        await bed.broker.close()
    }

    @Test func `a share group is deleted, a queue's own is not`() async throws {
        let bed = try await GroupBroker.start()
        let key = try await shares(bed)
        let members = await #expect(throws: ControlError.self) { try await bed.broker.deleteGroup("billing") }
        #expect(members?.code == .conflict)
        await heartbeat(bed, "m1", epoch: ShareHeartbeat.leaves)
        #expect(try await bed.broker.deleteGroup("billing").message == "billing: share group deleted")
        #expect(await bed.counts(key) == nil)
        #expect(await bed.broker.shareGroup("billing") == nil)
        let gone = await #expect(throws: ControlError.self) { try await bed.broker.deleteGroup("billing") }
        #expect(gone?.code == .notFound)
        _ = try await bed.queue("orders")
        let own = await #expect(throws: ControlError.self) { try await bed.broker.deleteGroup("orders") }
        #expect(own?.code == .conflict && own?.message.contains("weir queue delete orders") == true)
        let reset = OffsetReset(group: "orders", target: .earliest, dryRun: true)
        let replay = await #expect(throws: ControlError.self) { try await bed.broker.resetOffsets(reset) }
        #expect(replay?.message.contains("weir replay orders") == true)
        await bed.broker.close()
    }

    /// The group is stable when it is reset; its member is told to join again and finds the new offsets.
    @Test func `members of a consumer group are taken out by force`() async throws {
        let bed = try await GroupBroker.start()
        let topic = try await bed.topic("t")
        try await bed.publish(ShareKey(group: "", partition: topic), ["a", "b", "c"])
        let id = await bed.single("g")
        #expect(await bed.commit("g", id, 1, [("t", 0, 3)]) == [nil])
        var reset = OffsetReset(group: "g", target: .offset(1), dryRun: false)
        await #expect(throws: ControlError.self) { try await bed.broker.resetOffsets(reset) }
        reset.force = true
        #expect(try await bed.broker.resetOffsets(reset).moves == [OffsetMove(topic: "t", partition: 0, from: 3, to: 1, end: 3)])
        #expect(await bed.offset("g", "t", 0) == 1)
        #expect(await bed.heartbeat("g", id, 1) == .unknownMemberID)
        #expect(await bed.commit("g", id, 1, [("t", 0, 3)]) == [.unknownMemberID])
        _ = await bed.single("g")
        #expect(await bed.offset("g", "t", 0) == 1)
        await bed.broker.close()
    }
}
