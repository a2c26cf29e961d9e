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
    /// Acts on messages by id: `0/8917` waits for a retry on the queue's cursor, `d0-1234` in the delay store. Cancelling and rescheduling
    /// what is in the delay store can be undone; a retry that was cancelled is settled, and a replay delivers it.
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
        let hasRetries = count > 0
        var before: [DelayedTime] = []
        if !stored.isEmpty {
            let change = try await actOnStored(queue.topic, stored, action)
            count += Int64(change.outcome.done)
            before = change.before
        }
        if count == 0 { throw ControlError(.notFound, "none of these messages waits on \(name) any more") }
        var undo: String?
        // Undo takes back all of it or is not offered. What is due now is released before anyone could take it back.
        if case .run = action { before = [] }
        if !hasRetries { undo = await noteUndo(queue, action.text(count), before) }
        return CommandOutcome(message: "\(name): \(action.text(count))", undo: undo)
    }

    /// Notes how due times were; the id by which that can be restored, nil where there is nothing or too much to restore.
    private func noteUndo(_ queue: QueueName, _ text: String, _ before: [DelayedTime]) async -> String? {
        let now = clock.now.ms
        guard let until = before.map(\.untilMs).max(), until > now, before.count <= limits.namedMessages else { return nil }
        return await undos.add(queue: queue, text: text, atMs: now, untilMs: until, .delays(before))
    }

    /// Takes a change of due times back, as far as the messages have not been released.
    func undoDelayed(_ name: String, _ before: [DelayedTime]) async throws(ControlError) -> String {
        let queue = try queue(name)
        let outcome: DelayOutcome
        do throws(LogError) { outcome = try await putBackDelayed(queue: queue.topic.name, before) } catch {
            throw ControlError(.failed, "\(name): the delay store could not be changed: \(error)")
        }
        if outcome.overLimit > 0 {
            throw ControlError(.conflict, "\(name): \(tooManyChanged) \(outcome.done) of \(before.count) messages are as they were")
        }
        guard outcome.done > 0 else { throw ControlError(.conflict, "\(name): all of these messages have been released or are gone") }
        let rest = outcome.notWaiting > 0 ? ", \(outcome.notWaiting) released or gone by now" : ""
        return "\(name): \(outcome.done) message\(outcome.done == 1 ? "" : "s") due as before\(rest)"
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

    /// The partition of a written message: by its key as a producer chooses it, anywhere without one, or by its header `x-priority` where
    /// partitions are priorities.
    private func place(of key: String?, _ headers: [Record.Header], in topic: Topic) throws(ControlError) -> Int32 {
        guard let priorities = topic.config.priorities else {
            guard let key else { return Int32(random() % UInt64(topic.partitions)) }
            return KeyHash.partition(key, count: Int(topic.partitions))
        }
        guard let header = headers.last(where: { $0.name == "x-priority" }) else { return 0 }
        guard let priority = header.value.flatMap({ Int32(String(buffer: $0)) }), (0..<priorities).contains(priority) else {
            throw ControlError(.invalid, "x-priority is 0 to \(priorities - 1) in \(topic.name)")
        }
        return priority
    }

    // MARK: The delay store

    private func actOnStored(_ topic: Topic, _ ids: [String], _ action: DelayedAction) async throws(ControlError) -> DelayChange {
        let now = clock.now.ms
        let change: DelayChange
        do throws(LogError) {
            change =
                switch action {
                case .cancel: try await changeDelayed(queue: topic.name, ids: ids) { _ in nil }
                case .run: try await changeDelayed(queue: topic.name, ids: ids) { _ in now }
                case .reschedule(let time):
                    try await changeDelayed(queue: topic.name, ids: ids) { [due = delayedDue(time.ms)] _ in due }
                }
        } catch {
            throw ControlError(.failed, "\(topic.name): the delay store could not be changed: \(error)")
        }
        if change.outcome.overLimit > 0 {
            throw ControlError(
                .conflict, "\(topic.name): \(tooManyChanged) \(change.outcome.done) of \(ids.count) messages were changed")
        }
        return change
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
        let change: DelayChange
        do {
            change = try await spreadDelayed(queue: queue, fromMs: fromMs, toMs: toMs, spreadMs: spreadMs)
        } catch {
            throw ControlError(.failed, "delayed messages could not be spread: \(error)")
        }
        let outcome = change.outcome
        let text = "\(outcome.done) message\(outcome.done == 1 ? "" : "s") spread"
        var message = "\(queue ?? "all queues"): \(text)"
        if outcome.overLimit > 0 { message += "; \(tooManyChanged) \(outcome.overLimit) stay as they were" }
        // An undo belongs to a queue: what was spread over all of them stays.
        let name = try? queue.map { name throws(ControlError) in try self.queue(name) }
        let undo = if let name { await noteUndo(name, text, change.before) } else { String?.none }
        return CommandOutcome(message: message, undo: undo)
    }
}
