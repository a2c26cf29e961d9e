import Model
import Testing

@testable import Groups

@Suite struct ShareGroupTests {
    /// A table with a manual clock and topics that can change.
    struct Fixture {
        var table = ShareGroupTable()
        var limits = Limits()
        var ms: Int64 = 0
        var topics = ["orders": ShareTopic(id: TopicID(high: 0, low: 7), partitions: 2)]

        var now: Monotonic { Monotonic(ns: UInt64(ms) * 1_000_000) }

        mutating func beat(_ member: String, _ epoch: Int32, _ subscribed: [String]? = nil, group: String = "g") -> ShareHeartbeatAnswer {
            let topics = topics
            return table.heartbeat(
                group, ShareHeartbeat(memberID: member, epoch: epoch, topics: subscribed, clientID: "c", clientHost: "/h"), limits: limits,
                sessionMs: 45_000, now: now, topic: { topics[$0] })
        }

        mutating func tick() -> [String] {
            let topics = topics
            return table.tick(now: now, topic: { topics[$0] }).flatMap { $0.members.map(\.id) }
        }
    }

    private func partitions(_ answer: ShareHeartbeatAnswer) -> [Int32]? { answer.assignment?.flatMap(\.partitions) }

    @Test func `members share the partitions as they come and go`() {
        var fixture = Fixture()
        let a = fixture.beat("a", 0, ["orders"])
        #expect(a.error == nil)
        #expect(a.epoch == 1)
        #expect(a.assignment == [ShareAssignment(topic: "orders", id: TopicID(high: 0, low: 7), partitions: [0, 1])])

        let b = fixture.beat("b", 0, ["orders"])
        #expect(b.epoch == 2)
        #expect(partitions(b) == [1])
        let told = fixture.beat("a", 1)
        #expect(told.epoch == 2)
        #expect(partitions(told) == [0])
        // Nothing has changed since, so nothing is told.
        let changes = fixture.table.changes
        #expect(fixture.beat("a", 2).assignment == nil)
        #expect(fixture.table.changes == changes)

        #expect(fixture.beat("b", -1).epoch == -1)
        #expect(fixture.table.changes > changes)
        let alone = fixture.beat("a", 2)
        #expect(alone.epoch == 3)
        #expect(partitions(alone) == [0, 1])
        #expect(fixture.table["g"]?.state == "Stable")
    }

    @Test func `a lost answer is given again`() {
        var fixture = Fixture()
        _ = fixture.beat("a", 0, ["orders"])
        _ = fixture.beat("b", 0, ["orders"])
        #expect(fixture.beat("a", 1).epoch == 2)
        // The answer did not arrive: the member still says 1, and says all it knows to be told all.
        let again = fixture.beat("a", 1, ["orders"])
        #expect(again.error == nil)
        #expect(again.epoch == 2)
        #expect(partitions(again) == [0])
    }

    @Test func `an epoch that was never told is fenced`() {
        var fixture = Fixture()
        _ = fixture.beat("a", 0, ["orders"])
        #expect(fixture.beat("a", 9).error == .fencedMemberEpoch)
        #expect(fixture.beat("a", -2).error == .invalidRequest)
        // Epoch 0 takes it in again.
        #expect(partitions(fixture.beat("a", 0, ["orders"])) == [0, 1])
    }

    @Test func `who is not there is unknown, also in a group that is not there`() {
        var fixture = Fixture()
        #expect(fixture.beat("a", 4).error == .unknownMemberID)
        #expect(fixture.beat("a", -1).error == .unknownMemberID)
        _ = fixture.beat("a", 0, ["orders"])
        #expect(fixture.beat("b", 1).error == .unknownMemberID)
        #expect(fixture.beat("b", -1).error == .unknownMemberID)
        #expect(fixture.table["g"]?.members.count == 1)
    }

    @Test func `a join without topics or id is refused and makes no group`() {
        var fixture = Fixture()
        #expect(fixture.beat("a", 0).error == .invalidRequest)
        #expect(fixture.beat("a", 0, []).error == .invalidRequest)
        #expect(fixture.beat("", 0, ["orders"]).error == .invalidRequest)
        #expect(fixture.table.groups.isEmpty)
    }

    @Test func `a silent member is given up after its session`() {
        var fixture = Fixture()
        _ = fixture.beat("a", 0, ["orders"])
        _ = fixture.beat("b", 0, ["orders"])
        fixture.ms = 30_000
        _ = fixture.beat("a", 1)
        fixture.ms = 44_999
        #expect(fixture.tick() == [])
        fixture.ms = 45_000
        #expect(fixture.tick() == ["b"])
        let alone = fixture.beat("a", 2)
        #expect(alone.epoch == 3)
        #expect(partitions(alone) == [0, 1])
        fixture.ms = 90_000
        #expect(fixture.tick() == ["a"])
        #expect(fixture.table.groups.isEmpty)
    }

    @Test func `a topic that is made, grows or goes changes the assignment`() {
        var fixture = Fixture()
        #expect(partitions(fixture.beat("a", 0, ["later", "orders"])) == [0, 1])
        fixture.topics["later"] = ShareTopic(id: TopicID(high: 0, low: 8), partitions: 1)
        let made = fixture.beat("a", 1)
        #expect(made.epoch == 2)
        #expect(made.assignment?.map(\.topic) == ["later", "orders"])
        fixture.topics["orders"]?.partitions = 3
        #expect(partitions(fixture.beat("a", 2)) == [0, 0, 1, 2])
        fixture.topics["orders"] = nil
        #expect(fixture.beat("a", 3).assignment?.map(\.topic) == ["later"])
        #expect(fixture.beat("a", 4).assignment == nil)
    }

    @Test func `a changed subscription counts at once`() {
        var fixture = Fixture()
        fixture.topics["clicks"] = ShareTopic(id: TopicID(high: 0, low: 9), partitions: 1)
        _ = fixture.beat("a", 0, ["orders"])
        let changed = fixture.beat("a", 1, ["clicks", "clicks"])
        #expect(changed.epoch == 2)
        #expect(changed.assignment?.map(\.topic) == ["clicks"])
        // None is a subscription too: the member stays, with nothing to read.
        #expect(fixture.beat("a", 2, []).assignment == [])
        #expect(fixture.table["g"]?.members.count == 1)
    }

    @Test func `a group is full at its bound, and so is the table`() {
        var fixture = Fixture()
        fixture.limits.membersPerGroup = 2
        fixture.limits.groups = 1
        _ = fixture.beat("a", 0, ["orders"])
        _ = fixture.beat("b", 0, ["orders"])
        #expect(fixture.beat("c", 0, ["orders"]).error == .groupMaxSizeReached)
        #expect(fixture.beat("a", 0, ["orders"]).error == nil)
        #expect(fixture.beat("a", 0, ["orders"], group: "other").error == .groupMaxSizeReached)
        #expect(fixture.table.groups.count == 1)
    }
}
