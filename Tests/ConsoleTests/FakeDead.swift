import Control

/// Dead letters, jobs, the audit log and single messages of the story.
extension FakeControl {
    static func deadQueues(_ state: State) -> [DeadQueueRow] {
        state.queues.filter(\.isDeadLetter).map { row in
            var dead = DeadQueueRow()
            (dead.name, dead.messages, dead.perMinute) = (row.name, row.ready, 38)
            (dead.oldestMs, dead.newestMs) = row.ready == 0 ? (nil, nil) : (14_671_000, 31_000)
            (dead.topReason, dead.topShare) = row.ready == 0 ? (nil, nil) : ("delivery_limit: TimeoutError: gateway gw-2", 0.71)
            dead.sources = ["payments", "email.out"]
            return dead
        }
    }

    static func dead(_ query: MessageQuery, _ state: State) -> DeadDetail? {
        guard let row = deadQueues(state).first(where: { $0.name == query.queue }) else { return nil }
        var detail = DeadDetail()
        detail.row = row
        let rows = deadMessages(row, state)
        let reasons = [("delivery_limit: TimeoutError: gateway gw-2", ["payments"]), ("expired", ["email.out"])]
        detail.reasons = reasons.compactMap { reason, origins in
            let those = rows.filter { "\($0.reason ?? "")\($0.error.map { ": \($0)" } ?? "")" == reason }
            guard !those.isEmpty else { return nil }
            var group = DeadReasonRow()
            (group.reason, group.count, group.origins) = (reason, Int64(those.count), origins)
            (group.firstMs, group.lastMs) = (those.compactMap(\.diedMs).min(), those.compactMap(\.diedMs).max())
            return group
        }
        detail.messages = window(rows, query)
        detail.watermark = [row.messages]
        return detail
    }

    private static func deadMessages(_ queue: DeadQueueRow, _ state: State) -> [MessageRow] {
        (0..<Int(queue.messages)).map { index in
            let isTimeout = index % 19 != 5
            var row = MessageRow()
            (row.id, row.queue, row.state) = ("0/\(10_213 - index)", queue.name, .dead)
            (row.attempts, row.key, row.bytes) = (16, "card-\(index % 40)", 96)
            row.value = "{\"payment\":\(88_000 + index),\"amount\":12.50}"
            (row.reason, row.error) = isTimeout ? ("delivery_limit", "TimeoutError: gateway gw-2") : ("expired", nil)
            row.origin = isTimeout ? "payments" : "email.out"
            row.diedMs = startMs - 31_000 - Int64(index) * 1_500
            row.redriven = index % 60 == 0 ? 2 : 0
            return row
        }
    }

    static func message(_ name: MessageName, _ state: State) -> MessageDetail? {
        guard !state.cancelled.contains(name.id) else { return nil }
        var detail = MessageDetail()
        detail.row = MessageRow()
        (detail.row.id, detail.row.queue, detail.row.state) = (name.id, name.queue, .dead)
        (detail.row.attempts, detail.row.key, detail.row.bytes) = (16, "card-7", 96)
        (detail.row.reason, detail.row.error, detail.row.origin) = ("delivery_limit", "TimeoutError: gateway gw-2", "payments")
        (detail.row.diedMs, detail.row.redriven) = (startMs - 31_000, 1)
        (detail.topic, detail.offset, detail.timestampMs, detail.compression) = (name.queue, 10_213, startMs - 600_000, "zstd")
        // {"payment":88007,"card":{"last4":"4242","tags":[]},"amount":12.50}
        detail.value = "eyJwYXltZW50Ijo4ODAwNywiY2FyZCI6eyJsYXN0NCI6IjQyNDIiLCJ0YWdzIjpbXX0sImFtb3VudCI6MTIuNTB9"
        detail.headers = [
            MessageHeader(name: "trace", value: "7f3a"), MessageHeader(name: "__dlq.errors.topic", value: "payments"),
            MessageHeader(name: "__dlq.errors.delivery.count", value: "16"), MessageHeader(name: "note", value: nil),
        ]
        detail.timeline = [
            TimelineRow(atMs: startMs - 600_000, text: "published"), TimelineRow(atMs: nil, text: "delivered 16x"),
            TimelineRow(atMs: startMs - 31_000, text: "died (delivery_limit)"),
        ]
        return detail
    }

    // MARK: commands

    static func outcome(_ command: QueueCommand, _ state: inout State) throws(ControlError) -> CommandOutcome {
        func index(_ name: String) throws(ControlError) -> Int {
            guard let index = state.queues.firstIndex(where: { $0.name == name }) else {
                throw ControlError(.notFound, "no queue \(name): weir queue ls lists them")
            }
            return index
        }
        switch command {
        case .declare(let name, _):
            state.queues.append(QueueRow(name: name))
            return CommandOutcome(message: "\(name): declared")
        case .delete(let name):
            state.queues.remove(at: try index(name))
            return CommandOutcome(message: "\(name): deleted")
        case .purge(let name, _):
            let place = try index(name)
            state.purged[name] = state.queues[place].ready
            var undo = UndoRow()
            (undo.id, undo.queue, undo.text) = ("u-\(name)", name, "purged \(state.queues[place].ready) messages")
            (undo.atMs, undo.untilMs) = (state.nowMs, state.nowMs + 600_000)
            state.undos.append(undo)
            let count = state.queues[place].ready
            state.queues[place].ready = 0
            return CommandOutcome(message: "\(name): \(count) messages purged", undo: undo.id)
        case .undo(let id):
            guard let undo = state.undos.first(where: { $0.id == id }), let count = state.purged[undo.queue] else {
                throw ControlError(.notFound, "nothing to undo under \(id)")
            }
            state.undos.removeAll { $0.id == id }
            state.queues[try index(undo.queue)].ready += count
            return CommandOutcome(message: "\(undo.queue): \(count) messages are back")
        case .gate(let name, let gate, let held):
            let place = try index(name)
            if gate == .delivery { state.queues[place].held = held } else { state.queues[place].blocked = held }
            return CommandOutcome(message: "\(name): \(gate.rawValue) \(held ? "held" : "resumed")")
        case .cancelDelayed(_, let ids), .runDelayed(_, let ids), .discard(_, let ids):
            state.cancelled.formUnion(ids)
            return CommandOutcome(message: "\(ids.count) messages done")
        case .reschedule(_, let ids, let dueMs): return CommandOutcome(message: "\(ids.count) due at \(dueMs)")
        case .jitter: return CommandOutcome(message: "758 messages spread")
        case .redrive(let redrive): return redrive.dryRun ? count(redrive, state) : start(redrive, &state)
        case .replay(let replay):
            guard replay.dryRun else { return CommandOutcome(message: "\(replay.queue): 1204 messages ready again", undo: "u-replay") }
            return CommandOutcome(message: "", preview: preview(go: 1_204, targets: [:]))
        case .cancelJob(let id):
            guard let place = state.jobs.firstIndex(where: { $0.id == id }) else { throw ControlError(.notFound, "no job \(id)") }
            state.jobs[place].state = .cancelled
            return CommandOutcome(message: "job \(id): cancelled")
        case .write(let name, _, _, _, _): return CommandOutcome(message: "\(name): written at offset 90000")
        }
    }

    private static func preview(go: Int64, targets: [String: Int64]) -> Preview {
        var preview = Preview()
        (preview.go, preview.targets, preview.asOfMs) = (go, targets, startMs)
        return preview
    }

    /// A job that sent all but one: two died again, one is not settled yet.
    static func job(_ query: JobQuery, _ state: State) -> JobDetail? {
        guard let row = state.jobs.first(where: { $0.id == query.id }) else { return nil }
        func outcome(
            _ outcome: JobOutcomeRow.Outcome, _ from: String?, _ to: String?, count: Int64 = 1, reason: String = ""
        ) -> JobOutcomeRow {
            var row = JobOutcomeRow()
            (row.outcome, row.from, row.to, row.count, row.reason) = (outcome, from, to, count, reason)
            row.queue = to == nil ? nil : "payments"
            return row
        }
        let rows = [
            outcome(.acked, "0/0", "0/8900", count: 147), outcome(.diedAgain, "0/147", "0/9047", reason: "rejected"),
            outcome(.skipped, "0/148", nil, reason: "redriven 2 times"), outcome(.diedAgain, nil, "0/9048", reason: "delivery_limit"),
            outcome(.sent, "0/150", "0/9049"),
        ]
        var detail = JobDetail(row: row)
        detail.outcomes = Page(rows: rows, start: 0, matched: rows.count, total: rows.count)
        detail.unlisted = ["acked": 1_204]
        return detail
    }

    private static func count(_ redrive: Redrive, _ state: State) -> CommandOutcome {
        var query = MessageQuery(queue: redrive.queue)
        (query.filter, query.count) = (redrive.filter, .max)
        var rows = dead(query, state)?.messages.rows ?? []
        if !redrive.filter.ids.isEmpty { rows.removeAll { !redrive.filter.ids.contains($0.id) } }
        let skipped = redrive.skipIfRedriven.map { limit in rows.count { $0.redriven >= limit } } ?? 0
        let target = redrive.target ?? "payments"
        var preview = preview(go: Int64(rows.count - skipped), targets: [target: Int64(rows.count - skipped)])
        preview.skipped = Int64(skipped)
        preview.skips = skipped > 0 ? ["redriven 2 times": Int64(skipped)] : [:]
        preview.durationMs = redrive.rate.map { Int64(Double(rows.count) / $0 * 1_000) }
        preview.watermark = [214]
        return CommandOutcome(message: "", preview: preview)
    }

    private static func start(_ redrive: Redrive, _ state: inout State) -> CommandOutcome {
        var job = JobRow()
        (job.id, job.kind, job.source, job.target) = (Int64(17 + state.jobs.count), "redrive", redrive.queue, redrive.target)
        (job.total, job.sent, job.rate, job.startedMs) = (152, 0, 50, state.nowMs)
        state.jobs.insert(job, at: 0)
        return CommandOutcome(message: "job \(job.id): redrive of \(redrive.queue) started", job: job.id)
    }
}
