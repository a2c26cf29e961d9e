import Control
import Model
import NIOCore
import Queues
import Storage

extension JobRecord {
    /// It copies settled messages and leaves its source as it is.
    var isCopy: Bool {
        if case .replay = task { true } else { false }
    }
}

extension Broker {
    // MARK: Redrive and move

    /// Starts a job that sends messages on, or with `dryRun` only counts what it would do.
    func redrive(_ redrive: Redrive, actor: String) async throws(ControlError) -> CommandOutcome {
        let source = try queue(redrive.queue)
        try Self.check(redrive)
        if let target = redrive.target, target == redrive.queue { throw ControlError(.invalid, "\(target) is the source itself") }
        var preview = try await preview(redrive, source)
        let kind = redrive.target == nil ? "redrive" : isDeadLetterQueue(source.topic) ? "redrive" : "move"
        let to = redrive.target ?? "origin"
        if redrive.dryRun {
            preview.durationMs = RedriveJob.durationMs(redrive.rules, count: preview.go)
            return CommandOutcome(message: "\(redrive.queue) > \(to): \(preview.go) would go, \(preview.skipped) skipped", preview: preview)
        }
        guard preview.go > 0 || !preview.skips.isEmpty else {
            throw ControlError(.invalid, "\(redrive.queue) has no messages that match; nothing was started")
        }
        var row = JobRow()
        row.kind = kind
        row.source = redrive.queue
        row.target = redrive.target
        row.total = preview.go + preview.skipped
        row.startedMs = clock.now.ms
        let from = await starts(of: source)
        let job = JobRecord(row: row, task: .redrive(redrive), from: from, watermark: preview.watermark, position: from, actor: actor)
        let id = try await jobs.start(job, on: self)
        return CommandOutcome(message: "\(redrive.queue) > \(to): job \(id) started, \(preview.go) messages", preview: preview, job: id)
    }

    private static func check(_ redrive: Redrive) throws(ControlError) {
        func positive(_ value: Double?, _ name: String) throws(ControlError) {
            if let value, !(value > 0 && value.isFinite) { throw ControlError(.invalid, "\(name) must be more than 0") }
        }
        try positive(redrive.rate, "--rate")
        try positive(redrive.rampFrom, "--ramp")
        if let share = redrive.stopIfDead, !(0...1).contains(share) { throw ControlError(.invalid, "--stop-if-dead must be 0 to 100") }
        if let canary = redrive.canary, canary < 0 { throw ControlError(.invalid, "--canary must be 0 or more") }
        if let skip = redrive.skipIfRedriven, skip < 1 { throw ControlError(.invalid, "--skip-if-redriven must be 1 or more") }
        if !(0...3_600_000).contains(redrive.canaryWaitMs) { throw ControlError(.invalid, "the canary's wait must be at most an hour") }
    }

    /// The decisions of a job, by the topics of now.
    func plan(for job: JobRecord) throws(ControlError) -> MessagePlan {
        let source = try queue(job.row.source)
        switch job.task {
        case .redrive(let redrive):
            return try MessagePlan(
                filter: redrive.filter, source: source,
                target: try redrive.target.map { name throws(ControlError) in try destination(name) },
                skipIfRedriven: redrive.skipIfRedriven, job: job.row.id, counts: true, topics: catalog.current)
        case .replay(let replay):
            return try MessagePlan(
                filter: replay.filter, source: source, target: try replay.into.map { name throws(ControlError) in try destination(name) },
                skipIfRedriven: nil, job: job.row.id, counts: false, topics: catalog.current)
        }
    }

    private func destination(_ name: String) throws(ControlError) -> Topic {
        guard let topic = catalog.current[name] else { throw ControlError(.notFound, "there is no queue or topic \(name) to send to") }
        return topic
    }

    /// What a redrive would do, message by message, up to its watermark.
    private func preview(_ redrive: Redrive, _ source: QueueName) async throws(ControlError) -> Preview {
        let target = try redrive.target.map { name throws(ControlError) in try destination(name) }
        let plan = try MessagePlan(
            filter: redrive.filter, source: source, target: target, skipIfRedriven: redrive.skipIfRedriven, job: 0, counts: false,
            topics: catalog.current)
        var preview = Preview()
        preview.asOfMs = clock.now.ms
        preview.watermark = await ends(of: source)
        if !redrive.watermark.isEmpty {
            guard redrive.watermark.count == preview.watermark.count else {
                throw ControlError(.invalid, "the watermark must have one offset for each of the \(preview.watermark.count) partitions")
            }
            preview.watermark = zip(redrive.watermark, preview.watermark).map { min(max(0, $0), $1) }
        }
        let from = await starts(of: source)
        let takesAll =
            target.map { $0.config.priorities == nil } ?? false && redrive.skipIfRedriven == nil && redrive.filter == MessageFilter()
        var goes: [PartitionID: Int64] = [:]
        for (index, key) in source.keys.enumerated() {
            let range = Offset(from[index])..<Offset(max(from[index], preview.watermark[index]))
            try await count(key, range, settled: false, plan, takesAll ? target : nil, &preview, &goes)
        }
        await finish(&preview, goes)
        return preview
    }

    /// Adds a partition's messages to a preview. `all` set: every message goes there, none needs to be read.
    private func count(
        _ key: ShareKey, _ range: Range<Offset>, settled: Bool, _ plan: MessagePlan, _ all: Topic?, _ preview: inout Preview,
        _ goes: inout [PartitionID: Int64]
    ) async throws(ControlError) {
        guard let mover = await shard(of: key.partition).ask({ $0.mover }) else { return }
        let reader = StreamReader(log: log)
        var from = range.lowerBound
        while from < range.upperBound {
            let stretch = await mover.stretch(
                key, from..<range.upperBound, count: all == nil ? 100_000 : Int(Int32.max), settled: settled,
                named: plan.named(key.partition.index))
            from = stretch.end
            if let all, let id = all.partition(key.partition.index % all.partitions) {
                goes[id, default: 0] += stretch.ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }
                continue
            }
            guard !stretch.ranges.isEmpty else { continue }
            do throws(LogError) {
                _ = try await reader.read(.partition(key.partition), ranges: stretch.ranges) { record in
                    switch plan.verdict(record, partition: key.partition.index) {
                    case .send(let target, _): goes[target, default: 0] += 1
                    case .skip(MessagePlan.withoutOrigin):
                        preview.withoutOrigin += 1
                        preview.skipped += 1
                        preview.skips[MessagePlan.withoutOrigin, default: 0] += 1
                    case .skip(let reason):
                        preview.skipped += 1
                        preview.skips[reason, default: 0] += 1
                    case .pass: break
                    }
                }
            } catch { throw ControlError(.failed, "the log of \(key.group) could not be read: \(error)") }
        }
    }

    /// Sums targets up, and what is beyond their admission limits.
    private func finish(_ preview: inout Preview, _ goes: [PartitionID: Int64]) async {
        for (id, count) in goes {
            preview.go += count
            guard let topic = catalog.current[id.topic] else { continue }
            preview.targets[topic.name, default: 0] += count
            guard topic.config.isQueue, let policy = policy(group: topic.name, topic: topic.name),
                let limit = policy.shared(by: topic.partitions, index: id.index).maxDepth
            else { continue }
            let ready = await counts(of: ShareKey(group: topic.name, partition: id))?.ready ?? 0
            preview.overLimit += max(0, min(count, ready + count - limit))
        }
    }

    // MARK: Replay

    /// Makes settled messages ready again, or copies them to another queue.
    func replay(_ replay: Replay, actor: String) async throws(ControlError) -> CommandOutcome {
        let source = try queue(replay.queue)
        let ranges = try await ranges(of: replay, source)
        let isWhole = replay.filter == MessageFilter()
        var plan: MessagePlan?
        if replay.into != nil || !isWhole {
            plan = try MessagePlan(
                filter: replay.filter, source: source,
                target: try replay.into.map { name throws(ControlError) in try destination(name) } ?? source.topic,
                skipIfRedriven: nil, job: 0, counts: false, topics: catalog.current)
        }
        if let into = replay.into {
            if into == replay.queue {
                throw ControlError(.invalid, "\(into) is the source itself; leave --into out to make messages ready again")
            }
            return try await copy(replay, source, ranges, plan, actor: actor)
        }
        var count: Int64 = 0
        for (key, range) in ranges where range.lowerBound < range.upperBound {
            guard let plan, !isWhole else {
                count += try await self.replay(key, range, dryRun: replay.dryRun)
                continue
            }
            for part in try await matching(key, range, plan) { count += try await self.replay(key, part, dryRun: replay.dryRun) }
        }
        var preview = Preview()
        preview.go = count
        preview.asOfMs = clock.now.ms
        preview.targets = [replay.queue: count]
        let verb = replay.dryRun ? "would be ready again" : "ready again"
        return CommandOutcome(message: "\(replay.queue): \(count) message\(count == 1 ? "" : "s") \(verb)", preview: preview)
    }

    private func copy(
        _ replay: Replay, _ source: QueueName, _ ranges: [(ShareKey, Range<Offset>)], _ plan: MessagePlan?, actor: String
    ) async throws(ControlError) -> CommandOutcome {
        guard let plan else { preconditionFailure("a copy has a target, and so a plan") }
        var preview = Preview()
        preview.asOfMs = clock.now.ms
        var goes: [PartitionID: Int64] = [:]
        for (key, range) in ranges { try await count(key, range, settled: true, plan, nil, &preview, &goes) }
        await finish(&preview, goes)
        let into = replay.into ?? ""
        if replay.dryRun { return CommandOutcome(message: "\(replay.queue) > \(into): \(preview.go) would be copied", preview: preview) }
        guard preview.go > 0 else { throw ControlError(.invalid, "\(replay.queue) has no settled messages there; nothing was started") }
        var row = JobRow()
        row.kind = "replay"
        row.source = replay.queue
        row.target = replay.into
        row.total = preview.go
        row.startedMs = clock.now.ms
        // A partition that is left out is an empty stretch.
        var from = [Int64](repeating: 0, count: Int(source.topic.partitions))
        var to = from
        for (key, range) in ranges {
            from[Int(key.partition.index)] = range.lowerBound.value
            to[Int(key.partition.index)] = range.upperBound.value
        }
        let job = JobRecord(row: row, task: .replay(replay), from: from, watermark: to, position: from, actor: actor)
        let id = try await jobs.start(job, on: self)
        return CommandOutcome(message: "\(replay.queue) > \(into): job \(id) started, \(preview.go) messages", preview: preview, job: id)
    }

    /// Offsets of settled messages that a plan takes.
    private func matching(_ key: ShareKey, _ range: Range<Offset>, _ plan: MessagePlan) async throws(ControlError) -> [Range<Offset>] {
        guard let mover = await shard(of: key.partition).ask({ $0.mover }) else { return [] }
        var offsets: [Offset] = []
        var from = range.lowerBound
        while from < range.upperBound {
            let stretch = await mover.stretch(
                key, from..<range.upperBound, count: 100_000, settled: true, named: plan.named(key.partition.index))
            from = stretch.end
            guard !stretch.ranges.isEmpty else { continue }
            do throws(LogError) {
                _ = try await StreamReader(log: log).read(.partition(key.partition), ranges: stretch.ranges) { record in
                    if case .send = plan.verdict(record, partition: key.partition.index) { offsets.append(record.offset) }
                }
            } catch { throw ControlError(.failed, "the log of \(key.group) could not be read: \(error)") }
        }
        return Burial.ranges(offsets)
    }
}
