import Control
import Model
import NIOCore
import Queues
import Storage

/// What can be done to a message that waits.
enum DelayedAction: Sendable {
    case cancel
    case run
    case reschedule(Timestamp)

    func text(_ count: Int64) -> String {
        let messages = "\(count) message\(count == 1 ? "" : "s")"
        switch self {
        case .cancel: return "\(messages) cancelled"
        case .run: return "\(messages) released"
        case .reschedule: return "\(messages) rescheduled"
        }
    }
}

extension Broker {
    /// Acts on messages by id: `0/8917` waits for a retry on the queue's cursor, `d0-1234` in the delay store.
    func delayed(_ name: String, _ ids: [String], _ action: DelayedAction) async throws(ControlError) -> CommandOutcome {
        let queue = try queue(name)
        guard !ids.isEmpty, ids.count <= limits.namedMessages else {
            throw ControlError(.invalid, "name 1 to \(limits.namedMessages) messages of \(name) by their ids")
        }
        let stored = ids.filter { $0.hasPrefix("d") }
        let waiting = ids.filter { !$0.hasPrefix("d") }
        var count: Int64 = 0
        if !waiting.isEmpty {
            for (key, ranges) in try queue.places(waiting, limit: limits.namedMessages) {
                count += try await act(on: key, ranges, action)
            }
        }
        if !stored.isEmpty { count += try await actOnStored(queue.topic, stored, action) }
        if count == 0 { throw ControlError(.notFound, "none of these messages waits on \(name) any more") }
        return CommandOutcome(message: "\(name): \(action.text(count))")
    }

    private func act(on key: ShareKey, _ ranges: [Range<Offset>], _ action: DelayedAction) async throws(ControlError) -> Int64 {
        let shard = shard(of: key.partition)
        let offsets = ranges.flatMap { range in (range.lowerBound.value..<range.upperBound.value).map { Offset($0) } }
        let result = await withCheckedContinuation { continuation in
            switch action {
            case .cancel: shard.cancelWaiting(key, ranges) { continuation.resume(returning: $0) }
            case .run: shard.reschedule(key, offsets, at: nil) { continuation.resume(returning: $0) }
            case .reschedule(let time): shard.reschedule(key, offsets, at: time) { continuation.resume(returning: $0) }
            }
        }
        switch result {
        case .success(let count): return count
        case .failure(let error): throw ControlError(.failed, "\(key.group): waiting messages could not be changed: \(error)")
        }
    }

    /// Publishes one message.
    func write(
        _ name: String, key: String?, value: String, headers: [MessageHeader], delayMs: Int64?
    ) async throws(ControlError) -> CommandOutcome {
        guard let topic = catalog.current[name] else { throw ControlError(.notFound, "there is no queue or topic \(name)") }
        var headers = headers.map { Record.Header(name: $0.name, value: $0.value.map { ByteBuffer(string: $0) }) }
        if let delayMs {
            guard delayMs >= 0 else { throw ControlError(.invalid, "a delay is 0 ms or more") }
            guard topic.config.isDelayEnabled else {
                throw ControlError(.conflict, "\(name) takes no delayed messages; set delay.enable=true on it")
            }
            headers.append(.init(name: "x-delay", value: ByteBuffer(string: String(delayMs))))
        }
        let index = try place(of: key, headers, in: topic)
        guard let id = topic.partition(index) else { throw ControlError(.failed, "\(name) has no partition \(index)") }
        var builder = RecordBatchBuilder()
        builder.append(timestamp: clock.now, key: key.map { ByteBuffer(string: $0) }, value: ByteBuffer(string: value), headers: headers)
        let batch = builder.finish()
        guard case .success(let header) = batch.withUnsafeReadableBytes({ RecordBatchHeader.parse($0) }) else {
            preconditionFailure("a batch that was built here is a batch")
        }
        let shard = shard(of: id)
        let results = await withCheckedContinuation { continuation in
            shard.produce([ProduceItem(slot: 0, partition: id, header: header, batch: batch)], wants: .durable, replyLoop: shard.loop) {
                continuation.resume(returning: $0)
            }
        }
        if let error = results.first?.error {
            throw ControlError(error.isAdmission ? .conflict : .failed, "\(name) did not take the message: \(error.reason)")
        }
        let at = delayMs.map { " in \($0) ms" } ?? ""
        return CommandOutcome(message: "\(name): 1 message published\(at)")
    }

    /// The partition of a written message: by its key, or by its header `x-priority` where partitions are priorities.
    private func place(of key: String?, _ headers: [Record.Header], in topic: Topic) throws(ControlError) -> Int32 {
        guard let priorities = topic.config.priorities else {
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for byte in (key ?? "").utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            return Int32(hash % UInt64(topic.partitions))
        }
        guard let header = headers.last(where: { $0.name == "x-priority" }) else { return 0 }
        guard let priority = header.value.flatMap({ Int32(String(buffer: $0)) }), (0..<priorities).contains(priority) else {
            throw ControlError(.invalid, "x-priority is 0 to \(priorities - 1) in \(topic.name)")
        }
        return priority
    }

    // MARK: The delay store

    private func actOnStored(_ topic: Topic, _ ids: [String], _ action: DelayedAction) async throws(ControlError) -> Int64 {
        let outcome: DelayOutcome
        do throws(LogError) {
            outcome =
                switch action {
                case .cancel: try await cancelDelayed(queue: topic.name, ids: ids)
                case .run: try await runDelayed(queue: topic.name, ids: ids)
                case .reschedule(let time): try await rescheduleDelayed(queue: topic.name, ids: ids, dueMs: time.ms)
                }
        } catch {
            throw ControlError(.failed, "\(topic.name): the delay store could not be changed: \(error)")
        }
        if outcome.overLimit > 0 {
            throw ControlError(.conflict, "\(topic.name): \(tooManyChanged) \(outcome.done) of \(ids.count) messages were changed")
        }
        return Int64(outcome.done)
    }

    private var tooManyChanged: String { "a shard keeps \(limits.delayOverrides) changed due times;" }

    /// Takes all delayed messages of a queue out of the delay store; how many.
    func cancelAllDelayed(_ queue: QueueName) async throws(ControlError) -> Int64 {
        do throws(LogError) {
            return try await purgeDelayed(queue: queue.topic.name)
        } catch {
            throw ControlError(.failed, "\(queue.text): delayed messages could not be purged: \(error)")
        }
    }

    func jitter(_ queue: String?, fromMs: Int64, toMs: Int64, spreadMs: Int64) async throws(ControlError) -> CommandOutcome {
        guard fromMs < toMs, spreadMs >= 0 else { throw ControlError(.invalid, "jitter needs a span from earlier to later") }
        if let queue, catalog.current[queue] == nil { throw ControlError(.notFound, "there is no queue or topic \(queue)") }
        let outcome: DelayOutcome
        do {
            outcome = try await jitterDelayed(queue: queue, fromMs: fromMs, toMs: toMs, spreadMs: spreadMs)
        } catch {
            throw ControlError(.failed, "delayed messages could not be spread: \(error)")
        }
        var message = "\(queue ?? "all queues"): \(outcome.done) message\(outcome.done == 1 ? "" : "s") spread"
        if outcome.overLimit > 0 { message += "; \(tooManyChanged) \(outcome.overLimit) stay as they were" }
        return CommandOutcome(message: message)
    }
}
