import Broker
import Groups
import KafkaWire
import Model

/// DescribeShareGroupOffsets, key 90, versions 0–1: where a share group's cursors begin; 1 tells what lies ahead (KIP-1226).
enum DescribeShareGroupOffsets {
    typealias Group = DescribeShareGroupOffsetsResponse.DescribeShareGroupOffsetsResponseGroup
    typealias Topic = DescribeShareGroupOffsetsResponse.DescribeShareGroupOffsetsResponseTopic
    typealias Partition = DescribeShareGroupOffsetsResponse.DescribeShareGroupOffsetsResponsePartition

    static func handle(_ request: DescribeShareGroupOffsetsRequest, _ context: RequestContext) {
        let broker = context.door.broker
        context.answer {
            var response = DescribeShareGroupOffsetsResponse()
            for wanted in request.groups {
                var group = Group()
                group.groupId = wanted.groupId
                if await broker.shareGroup(wanted.groupId) == nil {
                    group.errorCode = .groupIdNotFound
                    group.errorMessage = "There is no share group '\(wanted.groupId)'."
                } else {
                    let cursors = await broker.cursors(of: wanted.groupId)
                    group.topics =
                        wanted.topics.map { topics in topics.map { named($0.topicName, $0.partitions, cursors, broker) } }
                        ?? all(cursors, broker)
                }
                response.groups.append(group)
            }
            return response
        }
    }

    /// What was asked for; a partition that the group has never read from has no offset.
    private static func named(_ name: String, _ indices: [Int32], _ cursors: [CursorCounts], _ broker: Broker) -> Topic {
        var topic = Topic()
        topic.topicName = name
        let known = broker.catalog.current[name]
        topic.topicId = known?.id.uuid ?? .zero
        topic.partitions = indices.map { index in
            guard let id = known?.partition(index) else {
                var partition = Partition()
                partition.partitionIndex = index
                partition.startOffset = -1
                partition.errorCode = .unknownTopicOrPartition
                return partition
            }
            return describe(index, cursors.first { $0.key.partition == id }, broker)
        }
        return topic
    }

    private static func all(_ cursors: [CursorCounts], _ broker: Broker) -> [Topic] {
        var topics: [Topic] = []
        for cursor in cursors {
            if topics.last?.topicName != cursor.topic {
                var topic = Topic()
                topic.topicName = cursor.topic
                topic.topicId = cursor.key.partition.topic.uuid
                topics.append(topic)
            }
            topics[topics.count - 1].partitions.append(describe(cursor.key.partition.index, cursor, broker))
        }
        return topics
    }

    private static func describe(_ index: Int32, _ cursor: CursorCounts?, _ broker: Broker) -> Partition {
        var partition = Partition()
        partition.partitionIndex = index
        partition.startOffset = cursor?.firstOpen.value ?? -1
        partition.leaderEpoch = cursor == nil ? -1 : broker.epoch.value
        partition.lag = cursor.map { $0.ready + $0.acquired + $0.waiting } ?? -1
        return partition
    }
}

/// AlterShareGroupOffsets, key 91: moves the cursors of a group without members.
enum AlterShareGroupOffsets {
    static func handle(_ request: AlterShareGroupOffsetsRequest, _ context: RequestContext) {
        let broker = context.door.broker
        context.answer {
            var response = AlterShareGroupOffsetsResponse()
            var audit = AdminAudit(context)
            if let refusal = await ShareOffsets.refusal(request.groupId, mustExist: false, broker) {
                for topic in request.topics {
                    for change in topic.partitions {
                        audit.add(
                            .moveShares(
                                group: request.groupId, topic: topic.topicName, partition: change.partitionIndex, to: change.startOffset),
                            refusal.code, refusal.message)
                    }
                }
                await audit.write()
                response.errorCode = refusal.code
                response.errorMessage = refusal.message
                return response
            }
            for wanted in request.topics {
                var topic = AlterShareGroupOffsetsResponse.AlterShareGroupOffsetsResponseTopic()
                topic.topicName = wanted.topicName
                let known = broker.catalog.current[wanted.topicName]
                topic.topicId = known?.id.uuid ?? .zero
                for change in wanted.partitions {
                    var partition = AlterShareGroupOffsetsResponse.AlterShareGroupOffsetsResponsePartition()
                    partition.partitionIndex = change.partitionIndex
                    if let id = known?.partition(change.partitionIndex) {
                        let key = ShareKey(group: request.groupId, partition: id)
                        let error = await ShareOffsets.move(key, to: Offset(max(0, change.startOffset)), broker)
                        partition.errorCode = error?.code ?? .none
                        partition.errorMessage = error?.message
                    } else {
                        partition.errorCode = .unknownTopicOrPartition
                    }
                    topic.partitions.append(partition)
                    audit.add(
                        .moveShares(
                            group: request.groupId, topic: wanted.topicName, partition: change.partitionIndex, to: change.startOffset),
                        partition.errorCode, partition.errorMessage)
                }
                response.responses.append(topic)
            }
            await audit.write()
            await ShareOffsets.noteGroup(request.groupId, broker)
            return response
        }
    }
}

/// DeleteShareGroupOffsets, key 92: forgets the cursors of a group without members, topic by topic.
enum DeleteShareGroupOffsets {
    static func handle(_ request: DeleteShareGroupOffsetsRequest, _ context: RequestContext) {
        let broker = context.door.broker
        context.answer {
            var response = DeleteShareGroupOffsetsResponse()
            var audit = AdminAudit(context)
            if let refusal = await ShareOffsets.refusal(request.groupId, mustExist: true, broker) {
                for topic in request.topics {
                    audit.add(.deleteShares(group: request.groupId, topic: topic.topicName), refusal.code, refusal.message)
                }
                await audit.write()
                response.errorCode = refusal.code
                response.errorMessage = refusal.message
                return response
            }
            let cursors = await broker.cursors(of: request.groupId)
            for wanted in request.topics {
                var topic = DeleteShareGroupOffsetsResponse.DeleteShareGroupOffsetsResponseTopic()
                topic.topicName = wanted.topicName
                if let known = broker.catalog.current[wanted.topicName] {
                    topic.topicId = known.id.uuid
                    for cursor in cursors where cursor.key.partition.topic == known.id {
                        guard let error = await ShareOffsets.delete(cursor.key, broker) else { continue }
                        topic.errorCode = error.code
                        topic.errorMessage = error.message
                    }
                } else {
                    topic.errorCode = .unknownTopicOrPartition
                }
                response.responses.append(topic)
                audit.add(.deleteShares(group: request.groupId, topic: wanted.topicName), topic.errorCode, topic.errorMessage)
            }
            await audit.write()
            return response
        }
    }
}

/// What changes of share-group offsets have in common.
enum ShareOffsets {
    /// Why nothing may be changed; nil when it may.
    static func refusal(_ group: String, mustExist: Bool, _ broker: Broker) async -> (code: ErrorCode, message: String)? {
        if group.isEmpty { return (.invalidGroupId, "a group's name is not empty") }
        if broker.options.readOnly { return (.policyViolation, "the broker is read-only") }
        guard let found = await broker.shareGroup(group) else {
            return mustExist ? (.groupIdNotFound, "There is no share group '\(group)'.") : nil
        }
        guard found.members.isEmpty else {
            return (.nonEmptyGroup, "share group '\(group)' has \(found.members.count) members; stop its consumers first")
        }
        return nil
    }

    static func move(_ key: ShareKey, to offset: Offset, _ broker: Broker) async -> ShareError? {
        let moved = await withCheckedContinuation { continuation in
            broker.shard(of: key.partition).moveStart(key, to: offset) { continuation.resume(returning: $0) }
        }
        if case .failure(let error) = moved { return error }
        return nil
    }

    static func delete(_ key: ShareKey, _ broker: Broker) async -> ShareError? {
        let deleted = await withCheckedContinuation { continuation in
            broker.shard(of: key.partition).deleteCursor(key) { continuation.resume(returning: $0) }
        }
        if case .failure(let error) = deleted { return error }
        return nil
    }

    /// A group that got its first cursor by an operator is a share group from now on.
    static func noteGroup(_ group: String, _ broker: Broker) async {
        let coordinator = broker.shareCoordinator(of: group)
        await withCheckedContinuation { continuation in coordinator.noteNow(group) { continuation.resume() } }
    }
}
