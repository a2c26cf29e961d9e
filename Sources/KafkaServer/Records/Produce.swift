import Broker
import KafkaWire
import Model
import NIOCore

/// Produce, key 0: see `Messages/Produce.kafka` for the versions.
///
/// Batches are checked on the connection's loop (magic, length, count, CRC), go to the shards that own their partitions in one hop
/// each, and the answer is put together when the last shard has answered.
enum Produce {
    static func handle(_ request: ProduceRequest, _ context: RequestContext) {
        let broker = context.door.broker
        let operation = ProduceOperation(context, acks: request.acks)
        guard request.acks >= -1 && request.acks <= 1 else { return operation.refuseAll(request, .invalidRequiredAcks) }
        if request.transactionalId != nil { return operation.refuseAll(request, .transactionalIdAuthorizationFailed) }
        let topics = broker.catalog.current
        var byShard: [[ProduceItem]] = Array(repeating: [], count: broker.shards.count)
        for requested in request.topicData {
            let topic = context.version >= 13 ? topics[TopicID(requested.topicId)] : topics[requested.name]
            var answer = ProduceResponse.TopicProduceResponse()
            answer.name = requested.name
            answer.topicId = requested.topicId
            for data in requested.partitionData {
                let slot = operation.reserve(topic: operation.topics.count, partition: data.index)
                answer.partitionResponses.append(.init())
                guard let id = topic?.partition(data.index) else {
                    let unknown: ErrorCode = context.version >= 13 && topic == nil ? .unknownTopicId : .unknownTopicOrPartition
                    operation.set(slot, unknown)
                    continue
                }
                switch check(data.records, maxBytes: broker.limits.batchBytes) {
                case .success(let (header, batch)):
                    byShard[broker.shard(of: id).id.value].append(
                        ProduceItem(slot: slot, partition: id, header: header, batch: batch))
                case .failure(let problem): operation.set(slot, problem.code, problem.message)
                }
            }
            operation.topics.append(answer)
        }
        operation.start(byShard, broker: broker)
    }

    struct Problem: Error {
        var code: ErrorCode
        var message: String?
    }

    /// The one batch a partition's records must be, since version 3.
    static func check(_ records: ByteBuffer?, maxBytes: Int) -> Result<(RecordBatchHeader, ByteBuffer), Problem> {
        guard let batch = records, batch.readableBytes > 0 else { return .failure(Problem(code: .invalidRecord, message: "no records")) }
        do {
            let header = try RecordBatchHeader.parse(batch)
            if header.totalBytes > batch.readableBytes {
                return .failure(Problem(code: .corruptMessage, message: "the batch is cut short"))
            }
            if header.totalBytes < batch.readableBytes {
                return .failure(Problem(code: .invalidRecord, message: "a partition's records must be exactly one batch"))
            }
            if header.recordCount < 1 || Int64(header.recordCount) != Int64(header.lastOffsetDelta) + 1 {
                return .failure(Problem(code: .invalidRecord, message: "record count and last offset delta contradict each other"))
            }
            if header.attributes.isControl || header.attributes.compression == nil {
                return .failure(Problem(code: .invalidRecord, message: "control batch or unknown compression"))
            }
            if header.attributes.isTransactional {
                return .failure(Problem(code: .invalidTxnState, message: "transactions are not built yet"))
            }
            guard batch.withUnsafeReadableBytes({ header.checksumMatches($0) }) else {
                return .failure(Problem(code: .corruptMessage, message: "the batch's CRC does not match"))
            }
            return .success((header, batch))
        } catch .magic(let magic) {
            return .failure(
                Problem(
                    code: .unsupportedForMessageFormat,
                    message: "message format \(magic) is not taken; produce with record batches v2 (Kafka 0.11 and later)"))
        } catch {
            return .failure(Problem(code: .corruptMessage, message: "not a record batch: \(error)"))
        }
    }
}

/// One produce request while shards work on it. Owned by the connection's loop, which is what `@unchecked Sendable` rests on.
private final class ProduceOperation: @unchecked Sendable {
    let context: RequestContext
    let acks: Int16
    var topics: [ProduceResponse.TopicProduceResponse] = []
    private var places: [(topic: Int, partition: Int)] = []
    private var outcomes: [ProduceResponse.PartitionProduceResponse] = []
    private var shardsLeft = 0
    private var hasError = false
    private var throttleMs: Int64 = 0

    init(_ context: RequestContext, acks: Int16) {
        self.context = context
        self.acks = acks
    }

    func reserve(topic: Int, partition: Int32) -> Int {
        var outcome = ProduceResponse.PartitionProduceResponse()
        outcome.index = partition
        outcome.baseOffset = -1
        outcomes.append(outcome)
        places.append((topic, places.last?.topic == topic ? (places.last?.partition ?? -1) + 1 : 0))
        return outcomes.count - 1
    }

    func set(_ slot: Int, _ code: ErrorCode, _ message: String? = nil) {
        outcomes[slot].errorCode = code
        outcomes[slot].errorMessage = message
        hasError = true
    }

    func refuseAll(_ request: ProduceRequest, _ code: ErrorCode) {
        for requested in request.topicData {
            var answer = ProduceResponse.TopicProduceResponse()
            answer.name = requested.name
            answer.topicId = requested.topicId
            for data in requested.partitionData {
                set(reserve(topic: topics.count, partition: data.index), code)
                answer.partitionResponses.append(.init())
            }
            topics.append(answer)
        }
        finish()
    }

    func start(_ byShard: [[ProduceItem]], broker: Broker) {
        shardsLeft = byShard.count { !$0.isEmpty }
        if acks == 0 { context.answer(Answer.none) }
        guard shardsLeft > 0 else { return acks == 0 ? closeOnError() : finish() }
        for (shard, items) in zip(broker.shards, byShard) where !items.isEmpty {
            shard.produce(items, wants: acks == -1 ? .durable : .written, replyLoop: context.loop) { self.take($0) }
        }
    }

    private func take(_ results: [ProduceResult]) {
        for result in results {
            throttleMs = max(throttleMs, result.throttleMs)
            if let error = result.error {
                // Shed load is counted by the queue; a new connection would not bring it in.
                if acks == 0, error.isAdmission { continue }
                set(result.slot, error.code, error.message)
            } else {
                outcomes[result.slot].baseOffset = result.baseOffset.value
                outcomes[result.slot].logAppendTimeMs = result.appendTime.ms
            }
            outcomes[result.slot].logStartOffset = result.logStart.value
        }
        shardsLeft -= 1
        guard shardsLeft == 0 else { return }
        if acks == 0 { closeOnError() } else { finish() }
    }

    private func finish() {
        if hasError { context.door.broker.noteError() }
        for (outcome, place) in zip(outcomes, places) { topics[place.topic].partitionResponses[place.partition] = outcome }
        var response = ProduceResponse()
        response.responses = topics
        response.throttleTimeMs = Int32(clamping: throttleMs)
        context.answer(response)
    }

    /// With `acks=0` there is no answer to carry an error; Kafka closes the connection so that the client looks for the leader again.
    private func closeOnError() {
        guard hasError else { return }
        context.door.broker.noteError()
        context.connection.closeAfterError()
    }
}
