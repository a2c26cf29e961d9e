import Broker
import KafkaWire
import Model
import NIOCore
import NIOPosix
import Testing
import Wire

@testable import KafkaClient
@testable import KafkaServer

/// The group APIs over a real connection, at every version.
struct GroupAPITests {
    private func join(_ member: String = "", instance: String? = nil, group: String = "g") -> JoinGroupRequest {
        var request = JoinGroupRequest()
        request.groupId = group
        request.sessionTimeoutMs = 10_000
        request.rebalanceTimeoutMs = 10_000
        request.memberId = member
        request.groupInstanceId = instance
        request.protocolType = "consumer"
        var offered = JoinGroupRequest.JoinGroupRequestProtocol()
        offered.name = "range"
        var subscription = ConsumerProtocolSubscription()
        subscription.topics = ["t"]
        offered.metadata = subscription.bytes(version: 0)
        request.protocols = [offered]
        return request
    }

    /// Joins until in a generation, as a client of this version does.
    private func enter(_ fixture: DoorFixture, _ version: Int16, group: String = "g") async throws -> JoinGroupResponse {
        let first = try await fixture.send(join(group: group), version)
        guard version >= 4 else { return first }
        #expect(first.errorCode == .memberIdRequired)
        return try await fixture.send(join(first.memberId, group: group), version)
    }

    private func sync(_ joined: JoinGroupResponse, _ version: Int16, group: String = "g") -> SyncGroupRequest {
        var request = SyncGroupRequest()
        request.groupId = group
        request.generationId = joined.generationId
        request.memberId = joined.memberId
        request.protocolType = "consumer"
        request.protocolName = "range"
        var assignment = SyncGroupRequest.SyncGroupRequestAssignment()
        assignment.memberId = joined.memberId
        assignment.assignment = ByteBuffer(string: "assigned")
        request.assignments = [assignment]
        return request
    }

    private func commit(
        _ member: String = "", _ generation: Int32 = -1, offset: Int64, topic: Topic, group: String = "g"
    ) -> OffsetCommitRequest {
        var request = OffsetCommitRequest()
        request.groupId = group
        request.generationIdOrMemberEpoch = generation
        request.memberId = member
        var wanted = OffsetCommitRequest.OffsetCommitRequestTopic()
        wanted.name = topic.name
        wanted.topicId = topic.id.uuid
        var partition = OffsetCommitRequest.OffsetCommitRequestPartition()
        partition.partitionIndex = 1
        partition.committedOffset = offset
        partition.committedMetadata = "note"
        wanted.partitions = [partition]
        request.topics = [wanted]
        return request
    }

    /// The committed offset of partition 1, whichever form the version has.
    private func fetched(_ fixture: DoorFixture, _ topic: Topic, _ version: Int16, all: Bool, group: String = "g") async throws -> Int64? {
        var request = OffsetFetchRequest()
        if version >= 8 {
            var wanted = OffsetFetchRequest.OffsetFetchRequestGroup()
            wanted.groupId = group
            var named = OffsetFetchRequest.OffsetFetchRequestTopics()
            named.name = topic.name
            named.topicId = topic.id.uuid
            named.partitionIndexes = [1]
            wanted.topics = all ? nil : [named]
            request.groups = [wanted]
            let response = try await fixture.send(request, version)
            #expect(response.groups.count == 1)
            #expect(response.groups[0].errorCode == .none)
            return response.groups[0].topics.first?.partitions.first { $0.partitionIndex == 1 }?.committedOffset
        }
        request.groupId = group
        var named = OffsetFetchRequest.OffsetFetchRequestTopic()
        named.name = topic.name
        named.partitionIndexes = [1]
        request.topics = all && version >= 2 ? nil : [named]
        return try await fixture.send(request, version).topics.first?.partitions.first { $0.partitionIndex == 1 }?.committedOffset
    }

    @Test(arguments: Int16(0)...10)
    func aMembersLifeAtEveryVersion(version: Int16) async throws {
        let fixture = try await DoorFixture.open()
        let topic = try await fixture.broker.createTopic("t", partitions: 2, config: .defaults)
        var find = FindCoordinatorRequest()
        find.key = "g"
        find.coordinatorKeys = ["g"]
        let found = try await fixture.send(find, version)
        let port = min(version, 6) >= 4 ? found.coordinators.first?.port : found.port
        #expect(port == Int32(fixture.door.advertised.port))

        let joined = try await enter(fixture, version)
        #expect(joined.errorCode == .none)
        #expect(joined.generationId == 1)
        #expect(joined.leader == joined.memberId)
        #expect(joined.protocolName == "range")
        #expect(joined.members.map(\.memberId) == [joined.memberId])
        let synced = try await fixture.send(sync(joined, version), version)
        #expect(synced.errorCode == .none)
        #expect(synced.assignment == ByteBuffer(string: "assigned"))

        var heartbeat = HeartbeatRequest()
        heartbeat.groupId = "g"
        heartbeat.memberId = joined.memberId
        heartbeat.generationId = 1
        #expect(try await fixture.send(heartbeat, version).errorCode == .none)
        heartbeat.generationId = 2
        #expect(try await fixture.send(heartbeat, version).errorCode == .illegalGeneration)

        #expect(try await fetched(fixture, topic, version, all: false) == -1)
        let committed = try await fixture.send(commit(joined.memberId, 1, offset: 42, topic: topic), version)
        #expect(committed.topics.first?.partitions.first?.errorCode == ErrorCode.none)
        #expect(try await fetched(fixture, topic, version, all: false) == 42)
        #expect(try await fetched(fixture, topic, version, all: true) == 42)
        #expect(try await fetched(fixture, topic, version, all: true, group: "unknown") == (version < 2 ? -1 : nil))

        var describe = DescribeGroupsRequest()
        describe.groups = ["g"]
        let group = try await fixture.send(describe, version).groups[0]
        #expect(group.groupState == "Stable")
        #expect(group.protocolData == "range")
        #expect(group.members.first?.clientHost == "/127.0.0.1")
        #expect(group.members.first?.memberAssignment == ByteBuffer(string: "assigned"))

        var leave = LeaveGroupRequest()
        leave.groupId = "g"
        leave.memberId = joined.memberId
        var leaver = LeaveGroupRequest.MemberIdentity()
        leaver.memberId = joined.memberId
        leave.members = [leaver]
        let left = try await fixture.send(leave, version)
        #expect(left.errorCode == .none)
        if version >= 3 { #expect(left.members.first?.errorCode == ErrorCode.none) }
        #expect(try await fixture.send(leave, version).members.first?.errorCode == (version >= 3 ? .unknownMemberId : nil))
        await fixture.close()
    }

    @Test func groupsAreListedDescribedAndDeleted() async throws {
        let fixture = try await DoorFixture.open()
        let topic = try await fixture.broker.createTopic("t", partitions: 2, config: .defaults)
        let joined = try await enter(fixture, 9, group: "busy")
        _ = try await fixture.send(sync(joined, 5, group: "busy"))
        _ = try await fixture.send(commit(offset: 7, topic: topic, group: "idle"))
        var list = ListGroupsRequest()
        #expect(try await fixture.send(list).groups.map(\.groupId).sorted() == ["busy", "idle"])
        #expect(try await fixture.send(list, 0).groups.count == 2)
        list.statesFilter = ["stable"]
        let stable = try await fixture.send(list).groups
        #expect(stable.map(\.groupId) == ["busy"])
        #expect(stable.first?.groupType == "classic")
        list.statesFilter = []
        list.typesFilter = ["consumer"]
        #expect(try await fixture.send(list).groups.isEmpty)

        var describe = DescribeGroupsRequest()
        describe.groups = ["none"]
        let unknown = try await fixture.send(describe, 6).groups[0]
        #expect(unknown.errorCode == .groupIdNotFound)
        let dead = try await fixture.send(describe, 5).groups[0]
        #expect(dead.errorCode == .none)
        #expect(dead.groupState == "Dead")

        for version in DeleteGroupsRequest.versions {
            _ = try await fixture.send(commit(offset: 7, topic: topic, group: "idle"))
            var delete = DeleteGroupsRequest()
            delete.groupsNames = ["busy", "idle", "none"]
            let codes = try await fixture.send(delete, version).results.map(\.errorCode)
            #expect(codes == [.nonEmptyGroup, .none, .groupIdNotFound])
        }
        #expect(try await fetched(fixture, topic, 9, all: true, group: "idle") == nil)
        await fixture.close()
    }

    @Test func offsetsAreDeletedUnlessSubscribed() async throws {
        let fixture = try await DoorFixture.open()
        let subscribed = try await fixture.broker.createTopic("t", partitions: 2, config: .defaults)
        let other = try await fixture.broker.createTopic("u", partitions: 2, config: .defaults)
        let joined = try await enter(fixture, 9)
        _ = try await fixture.send(sync(joined, 5))
        for topic in [subscribed, other] {
            let answer = try await fixture.send(commit(joined.memberId, 1, offset: 3, topic: topic))
            #expect(answer.topics[0].partitions[0].errorCode == .none)
        }
        var request = OffsetDeleteRequest()
        request.groupId = "g"
        request.topics = ["t", "u", "gone"].map { name in
            var topic = OffsetDeleteRequest.OffsetDeleteRequestTopic()
            topic.name = name
            var partition = OffsetDeleteRequest.OffsetDeleteRequestPartition()
            partition.partitionIndex = 1
            topic.partitions = [partition]
            return topic
        }
        let response = try await fixture.send(request)
        #expect(response.errorCode == .none)
        #expect(response.topics.map { $0.partitions[0].errorCode } == [.groupSubscribedToTopic, .none, .unknownTopicOrPartition])
        #expect(try await fetched(fixture, subscribed, 9, all: false) == 3)
        #expect(try await fetched(fixture, other, 9, all: false) == -1)
        request.groupId = "none"
        #expect(try await fixture.send(request).errorCode == .groupIdNotFound)
        await fixture.close()
    }

    @Test func whatDoesNotExistIsSaid() async throws {
        let fixture = try await DoorFixture.open()
        let topic = try await fixture.broker.createTopic("t", partitions: 1, config: .defaults)
        let ghost = Topic(
            id: TopicID(high: 1, low: 1), name: "ghost", partitions: 1, config: .defaults, createdAt: Timestamp(ms: 0))
        #expect(try await fixture.send(commit(offset: 1, topic: topic)).topics[0].partitions[0].errorCode == .unknownTopicOrPartition)
        #expect(try await fixture.send(commit(offset: 1, topic: ghost), 9).topics[0].partitions[0].errorCode == .unknownTopicOrPartition)
        #expect(try await fixture.send(commit(offset: 1, topic: ghost), 10).topics[0].partitions[0].errorCode == .unknownTopicId)
        let two = try await fixture.broker.createTopic("two", partitions: 2, config: .defaults)
        for (version, code) in [(Int16(8), ErrorCode.illegalGeneration), (9, .groupIdNotFound)] {
            let answer = try await fixture.send(commit("member", 4, offset: 1, topic: two, group: "none"), version)
            #expect(answer.topics[0].partitions[0].errorCode == code)
        }
        for request in [join(group: ""), join("someone")] {
            let code = try await fixture.send(request).errorCode
            #expect(code == (request.groupId.isEmpty ? .invalidGroupId : .unknownMemberId))
        }
        var find = FindCoordinatorRequest()
        find.keyType = 1
        find.coordinatorKeys = ["transaction"]
        #expect(try await fixture.send(find).coordinators[0].errorCode == .coordinatorNotAvailable)
        await fixture.close()
    }

    /// Old versions count a string's bytes in 16 bits: what a new version brings in must still fit when an old client asks.
    @Test func namesThatOldVersionsCannotCarryAreRefused() async throws {
        let fixture = try await DoorFixture.open()
        let topic = try await fixture.broker.createTopic("t", partitions: 2, config: .defaults)
        let long = String(repeating: "n", count: 40_000)
        #expect(try await fixture.send(join(group: long)).errorCode == .invalidGroupId)
        let committed = try await fixture.send(commit(offset: 1, topic: topic, group: long))
        #expect(committed.topics[0].partitions[0].errorCode == .invalidGroupId)
        #expect(try await fixture.send(join(instance: long)).errorCode == .unknownMemberId)
        #expect(try await fixture.send(join(long)).errorCode == .unknownMemberId)
        var request = join()
        request.protocols[0].name = long
        #expect(try await fixture.send(request).errorCode == .inconsistentGroupProtocol)
        request = join()
        request.protocolType = long
        #expect(try await fixture.send(request).errorCode == .inconsistentGroupProtocol)
        #expect(try await fixture.send(ListGroupsRequest(), 0).errorCode == .none)

        // A client id of the longest length there is, at the last version that counts in 16 bits.
        var options = ClientOptions(bootstrap: [HostPort(host: "127.0.0.1", port: UInt16(fixture.door.advertised.port))])
        options.clientID = String(repeating: "c", count: 32_767)
        let connection = try await BrokerConnection.connect(
            to: options.bootstrap[0], options: options, group: MultiThreadedEventLoopGroup.singleton)
        let answer = try await connection.send(join(), limit: 5)
        #expect(answer.errorCode == .memberIdRequired)
        #expect(answer.memberId.utf8.count == 237)
        connection.close()
        await fixture.close()
    }

    @Test func severalGroupsAreFetchedAtOnce() async throws {
        let fixture = try await DoorFixture.open()
        let topic = try await fixture.broker.createTopic("t", partitions: 2, config: .defaults)
        for index in 0..<20 { _ = try await fixture.send(commit(offset: Int64(index), topic: topic, group: "g\(index)")) }
        var request = OffsetFetchRequest()
        request.groups = (0..<20).map { index in
            var wanted = OffsetFetchRequest.OffsetFetchRequestGroup()
            wanted.groupId = "g\(index)"
            wanted.topics = nil
            return wanted
        }
        let groups = try await fixture.send(request).groups
        #expect(groups.map(\.groupId) == (0..<20).map { "g\($0)" })
        #expect(groups.compactMap { $0.topics.first?.partitions.first?.committedOffset } == (0..<20).map(Int64.init))
        await fixture.close()
    }
}
