import Broker
import Groups
import KafkaWire
import Model

/// ShareGroupDescribe, key 77, version 1 (KIP-932).
enum ShareGroupDescribe {
    static func handle(_ request: ShareGroupDescribeRequest, _ context: RequestContext) {
        let broker = context.door.broker
        context.answer {
            var response = ShareGroupDescribeResponse()
            for id in request.groupIds { response.groups.append(describe(id, await broker.shareGroup(id))) }
            return response
        }
    }

    private static func describe(_ id: String, _ found: ShareGroup?) -> ShareGroupDescribeResponse.DescribedGroup {
        var group = ShareGroupDescribeResponse.DescribedGroup()
        group.groupId = id
        guard let found else {
            group.errorCode = id.isEmpty ? .invalidGroupId : .groupIdNotFound
            group.errorMessage = "There is no share group '\(id)'."
            group.groupState = "Dead"
            return group
        }
        group.groupState = found.state
        group.groupEpoch = found.epoch
        group.assignmentEpoch = found.epoch
        group.assignorName = ShareAssignor.name
        group.members = found.members.values.map { member in
            var described = ShareGroupDescribeResponse.Member()
            described.memberId = member.id
            described.rackId = member.rackID
            described.memberEpoch = member.epoch
            described.clientId = member.clientID
            described.clientHost = member.clientHost
            described.subscribedTopicNames = member.topics
            described.assignment.topicPartitions = member.assignment.map { topic in
                var partitions = ShareGroupDescribeResponse.TopicPartitions()
                partitions.topicId = topic.id.uuid
                partitions.topicName = topic.topic
                partitions.partitions = topic.partitions
                return partitions
            }
            return described
        }
        return group
    }
}
