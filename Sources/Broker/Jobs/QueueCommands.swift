import Control
import Model
import NIOCore
import Queues
import Storage

extension Broker {
    /// Carries out what an operator asked of queues, delays, dead letters and jobs, and writes it into the audit log with its outcome.
    /// - Parameter actor: as ``Control/AuditRow/actor`` has it.
    public func perform(_ command: QueueCommand, actor: String) async throws(ControlError) -> CommandOutcome {
        if Command.queue(command).onlyPreviews { return try await carryOut(command, actor: actor) }
        return try await audited(command.commandLine, actor: actor) { () async throws(ControlError) in
            try await carryOut(command, actor: actor)
        }
    }

    /// Runs a command and writes it down, done or refused.
    func audited(
        _ line: String, actor: String, _ body: () async throws(ControlError) -> CommandOutcome
    ) async throws(ControlError) -> CommandOutcome {
        var row = AuditRow()
        row.atMs = clock.now.ms
        row.actor = actor
        row.command = line
        do throws(ControlError) {
            let outcome = try await body()
            row.outcome = outcome.message
            row.undo = outcome.undo
            await audit.add([row])
            return outcome
        } catch {
            row.outcome = error.message
            row.ok = false
            await audit.add([row])
            throw error
        }
    }

    private func carryOut(_ command: QueueCommand, actor: String) async throws(ControlError) -> CommandOutcome {
        switch command {
        case .declare(let queue, let settings): return try await declare(queue, settings)
        case .delete(let name): return try await delete(name)
        case .purge(let queue, let delayed): return try await purge(queue, delayed: delayed)
        case .undo(let id): return try await undo(id)
        case .gate(let queue, let gate, let held): return try await setGate(queue, gate, held: held)
        case .cancelDelayed(let queue, let ids): return try await delayed(queue, ids, .cancel)
        case .runDelayed(let queue, let ids): return try await delayed(queue, ids, .run)
        case .reschedule(let queue, let ids, let dueMs): return try await delayed(queue, ids, .reschedule(Timestamp(ms: dueMs)))
        case .jitter(let queue, let fromMs, let toMs, let spreadMs):
            return try await jitter(queue, fromMs: fromMs, toMs: toMs, spreadMs: spreadMs)
        case .redrive(let redrive): return try await self.redrive(redrive, actor: actor)
        case .replay(let replay): return try await self.replay(replay, actor: actor)
        case .discard(let queue, let ids): return try await discard(queue, ids)
        case .cancelJob(let id):
            let row = try jobs.cancel(id)
            return CommandOutcome(message: "job \(id) (\(row.kind) \(row.source)) is being cancelled: \(row.outcome)", job: id)
        case .write(let queue, let key, let value, let headers, let delayMs):
            return try await write(queue, key: key, value: value, headers: headers, delayMs: delayMs)
        }
    }

    // MARK: Queues

    /// Makes a queue, makes a topic one, or changes a queue's settings: those that are named; an empty value takes one back.
    func declare(_ name: String, _ settings: [String: String]) async throws(ControlError) -> CommandOutcome {
        var settings = settings
        let partitions = settings.removeValue(forKey: "partitions").map { Int32($0) ?? 0 }
        settings["queue"] = "true"
        let changes = settings.mapValues { $0.isEmpty ? nil : $0 }
        do throws(Catalog.Failure) {
            guard let existing = catalog.current[name] else {
                let config = try config(changes, of: name, before: nil)
                try await createTopic(name, partitions: partitions ?? config.priorities ?? 1, config: config)
                return CommandOutcome(message: "\(name): queue declared")
            }
            let config = try config(changes, of: name, before: existing)
            // A queue gets the partitions that its priorities take; what it holds has the priority of its partition then.
            if let partitions = partitions ?? config.priorities, partitions != existing.partitions {
                if let problem = config.problem(partitions: partitions) { throw .invalidPartitions(problem) }
                try await growTopic(name, to: partitions)
            }
            try await configureTopic(name) { topic throws(Catalog.Failure) in try self.config(changes, of: name, before: topic) }
            return CommandOutcome(message: "\(name): queue \(existing.config.isQueue ? "changed" : "declared on the topic that was there")")
        } catch { throw error.queueControl(name) }
    }

    /// Deletes a queue with its topic; of a share group on a topic only its cursors.
    private func delete(_ name: String) async throws(ControlError) -> CommandOutcome {
        let queue = try queue(name)
        if queue.group == queue.topic.name, queue.topic.config.isQueue {
            do throws(Catalog.Failure) { try await deleteTopic(queue.topic.name) } catch { throw error.queueControl(name) }
            return CommandOutcome(message: "\(name): queue deleted")
        }
        var count = 0
        for key in queue.keys {
            let result = await withCheckedContinuation { continuation in
                shard(of: key.partition).deleteCursor(key) { continuation.resume(returning: $0) }
            }
            if case .success = result { count += 1 }
        }
        guard count > 0 else { throw ControlError(.notFound, "there is no share group \(queue.group) on \(queue.topic.name)") }
        return CommandOutcome(message: "\(name): deleted; topic \(queue.topic.name) stays")
    }

    private func purge(_ name: String, delayed: Bool) async throws(ControlError) -> CommandOutcome {
        let queue = try queue(name)
        var marks: [UndoRegistry.Entry.Mark] = []
        var count: Int64 = 0
        var until = Timestamp(ms: .max)
        for key in queue.keys {
            let result = await withCheckedContinuation { continuation in
                shard(of: key.partition).purge(key) { continuation.resume(returning: $0) }
            }
            switch result {
            case .success(let mark):
                guard let mark else { continue }
                count += mark.count
                marks.append(.init(partition: key.partition.index, id: mark.id))
                until = min(until, mark.until)
            case .failure(.unknownPartition): continue  // Nothing has ever been delivered: there is no cursor.
            case .failure(let error): throw ControlError(.failed, "\(name) could not be purged: \(error)")
            }
        }
        let waiting = delayed ? try await cancelAllDelayed(queue) : 0
        let text = "purged \(count) message\(count == 1 ? "" : "s")"
        let undo =
            marks.isEmpty
            ? nil
            : await undos.add(
                queue: queue, text: text, atMs: clock.now.ms, untilMs: until.ms, .purge(marks: marks))
        var preview = Preview()
        preview.go = count + waiting
        return CommandOutcome(
            message: "\(name): \(text)" + (delayed ? ", \(waiting) delayed cancelled (these stay cancelled)" : ""), preview: preview,
            undo: undo)
    }

    private func undo(_ id: String) async throws(ControlError) -> CommandOutcome {
        guard let entry = undos.find(id, nowMs: clock.now.ms) else {
            throw ControlError(.notFound, "there is nothing to undo under \(id), or no longer")
        }
        if let topic = entry.topic, try queue(entry.queue).topic.id.description != topic {
            throw ControlError(
                .conflict, "\(entry.queue) was deleted and declared again since: '\(entry.text)' was done to messages that are gone")
        }
        let message: String
        switch entry.action {
        case .command(let command):
            message = try await carryOut(command, actor: "undo").message
        case .delays(let before): message = try await undoDelayed(entry.queue, before)
        case .purge(let marks):
            let queue = try queue(entry.queue)
            var count: Int64 = 0
            for mark in marks {
                guard let key = queue.key(mark.partition) else { continue }
                let result = await withCheckedContinuation { continuation in
                    shard(of: key.partition).undoPurge(key, id: mark.id) { continuation.resume(returning: $0) }
                }
                switch result {
                case .success(let restored): count += restored ?? 0
                case .failure(let error): throw ControlError(.failed, "\(entry.queue): the purge could not be undone: \(error)")
                }
            }
            message = "\(entry.queue): \(count) message\(count == 1 ? "" : "s") back"
        }
        await undos.remove(id)
        return CommandOutcome(message: message)
    }

    private func setGate(_ name: String, _ gate: QueueCommand.Gate, held: Bool) async throws(ControlError) -> CommandOutcome {
        let queue = try queue(name)
        let what = gate == .delivery ? "delivery" : "publishing"
        let topic = queue.topic
        guard gate == .delivery || topic.config.isQueue && queue.group == topic.name else {
            throw ControlError(
                .invalid,
                "\(name) is a share group: publishing is held at a queue, for all who read it; hold the group's delivery, or publishing "
                    + (topic.config.isQueue ? "to the queue \(topic.name)" : "after 'weir queue declare \(topic.name)'"))
        }
        var isChange = false
        for key in queue.keys {
            let counts = await counts(of: key)
            let wasHeld = (gate == .delivery ? counts?.holdsDelivery : counts?.holdsPublishing) ?? false
            guard wasHeld != held else { continue }
            isChange = true
            let result = await withCheckedContinuation { continuation in
                shard(of: key.partition).setGate(key, gate == .delivery ? .delivery : .publishing, held: held) {
                    continuation.resume(returning: $0)
                }
            }
            if case .failure(let error) = result { throw ControlError(.failed, "\(name): the gate could not be set: \(error)") }
        }
        guard isChange else { return CommandOutcome(message: "\(name): \(what) is \(held ? "held already" : "not held")") }
        let text = "\(what) \(held ? "held" : "resumed")"
        let now = clock.now.ms
        let undo = await undos.add(
            queue: queue, text: text, atMs: now, untilMs: now + Self.gateUndoMs, .command(.gate(queue: name, gate, held: !held)))
        return CommandOutcome(message: "\(name): \(text)", undo: undo)
    }

    /// How long holding and resuming can be undone by id; they can always be done the other way round.
    private static let gateUndoMs: Int64 = 86_400_000

    private func discard(_ name: String, _ ids: [String]) async throws(ControlError) -> CommandOutcome {
        let queue = try queue(name)
        var count: Int64 = 0
        for (key, ranges) in try queue.places(ids, limit: limits.namedMessages) {
            count += try await settle(key, ranges, as: .discarded)
        }
        var preview = Preview()
        preview.go = count
        preview.skipped = Int64(ids.count) - count
        let skipped = preview.skipped > 0 ? ", \(preview.skipped) not there or in a consumer's hands" : ""
        return CommandOutcome(message: "\(name): \(count) message\(count == 1 ? "" : "s") discarded\(skipped)", preview: preview)
    }

    func settle(_ key: ShareKey, _ ranges: [Range<Offset>], as end: Settlement) async throws(ControlError) -> Int64 {
        let result = await withCheckedContinuation { continuation in
            shard(of: key.partition).settle(key, ranges, as: end) { continuation.resume(returning: $0) }
        }
        switch result {
        case .success(let count): return count
        case .failure(let error): throw ControlError(.failed, "\(key.group): messages could not be settled: \(error)")
        }
    }
}

extension Catalog.Failure {
    func queueControl(_ name: String) -> ControlError {
        switch self {
        case .exists: ControlError(.conflict, "\(name) exists already")
        case .unknown: ControlError(.notFound, "there is no queue \(name)")
        case .invalidName(let text), .invalidPartitions(let text), .invalidConfig(let text), .tooMany(let text):
            ControlError(.invalid, text)
        case .store(let error): ControlError(.failed, "the catalog could not be written: \(error)")
        }
    }
}
