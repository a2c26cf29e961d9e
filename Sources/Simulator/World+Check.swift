import Broker
import Model
import NIOCore
import Queues

/// Comparing the broker with the oracle, and with itself.
extension World {
    /// Reads every log whole and lists what is delayed, and lets the oracle judge.
    func check(_ broker: Broker) {
        guard problem == nil else { return }
        let ends = logEnds(broker)
        let waiting = delayed(broker)
        guard let logs = read(broker, to: ends), problem == nil else { return }
        tally["checks"] += 1
        if let wrong = oracle.judge(logs) { fail(wrong) }
        if let waiting, let wrong = oracle.judgeWaiting(waiting, logs) { fail(wrong) }
    }

    /// All logs as of now.
    func logs(_ broker: Broker) -> Oracle.Logs? { read(broker, to: logEnds(broker)) }

    /// Where the queues' logs end at this moment.
    private func logEnds(_ broker: Broker) -> [PartitionID: Offset] {
        var ends: [PartitionID: Offset] = [:]
        for topic in broker.catalog.current.sorted where topic.config.isQueue {
            for id in topic.partitionIDs {
                let shard = broker.shard(of: id)
                turns.inside(shard.loop) {
                    shard.counts(of: ShareKey(group: topic.name, partition: id)) { [unowned self] in endAnswer = $0?.end }
                }
                ends[id] = endAnswer ?? .zero
            }
        }
        return ends
    }

    private func read(_ broker: Broker, to ends: [PartitionID: Offset]) -> Oracle.Logs? {
        var logs = Oracle.Logs(at: broker.clock.now)
        for topic in broker.catalog.current.sorted {
            for id in topic.partitionIDs {
                if topic.config.isQueue, ends[id] == nil { continue }
                switch LogReading(broker: broker, id: id).all(in: self) {
                case .success(let found): logs.found[topic.name, default: [:]][id] = found.filter { $0.offset < ends[id] ?? Offset(.max) }
                case .failure(let problem):
                    if isDecayed { machine.reports.add("reading \(topic.name): \(problem)") }
                    if !machine.isDown, !isDecayed { fail("\(topic.name) can't be read: \(problem)") }
                    return nil
                }
            }
        }
        return logs
    }

    private func delayed(_ broker: Broker) -> [(message: Int?, due: Timestamp)]? {
        var rows: [(message: Int?, due: Timestamp)]?
        wait { done in
            Task { [unowned self] in
                do {
                    let page = try await broker.delayedMessages(queue: "queue", fromMs: nil, toMs: nil, limit: 1_000)
                    delayedAnswer = page.rows.map { (Int($0.value.prefix { $0 != " " }), Timestamp(ms: $0.dueMs ?? 0)) }
                } catch {
                    delayedAnswer = nil
                    if !machine.isDown { fail("what is delayed can't be listed: \(error)") }
                }
                done()
            }
        }
        rows = machine.isDown ? nil : delayedAnswer
        return rows
    }

    // MARK: States

    /// Each message of a queue is in one state: what the cursor says of every single one makes up its counts, and its counts the log. What
    /// was answered is settled, and nothing is that nobody asked for.
    func checkStates(_ broker: Broker) {
        for topic in broker.catalog.current.sorted where topic.config.isQueue && problem == nil {
            for id in topic.partitionIDs {
                let shard = broker.shard(of: id)
                turns.inside(shard.loop) { checkStates(ShareKey(group: topic.name, partition: id), shard) }
            }
        }
        tally["states"] += 1
    }

    private func checkStates(_ key: ShareKey, _ shard: Shard) {
        var states: [Offset: CursorState] = [:]
        // The first look makes ready what is due; the counts come after it.
        shard.message(key, at: .zero) { _ in }
        shard.counts(of: key) { [unowned self] in countsAnswer = $0 }
        guard let counts = countsAnswer else { return }
        for value in counts.start.value..<counts.end.value {
            shard.message(key, at: Offset(value)) { [unowned self] in stateAnswer = $0?.state }
            states[Offset(value)] = stateAnswer
        }
        var tally: [CursorState: Int64] = [:]
        for state in states.values { tally[state, default: 0] += 1 }
        let seen = [CursorState.ready, .acquired, .waiting, .moving].map { tally[$0] ?? 0 }
        let counted = [counts.ready, counts.acquired, counts.waiting, counts.moving]
        if seen != counted {
            return fail("\(key.group)-\(key.partition.index) counts \(counted) ready, acquired, waiting, moving; there are \(seen)")
        }
        let sum = tally.values.reduce(0, +)
        if sum != counts.end - counts.start { return fail("\(key.group): \(sum) messages have a state, of \(counts.end - counts.start)") }
        guard let line = Topics.line(key.group) else { return }
        for (number, message) in oracle.messages.enumerated() where message.partition == key.partition && !message.mayBeLost {
            guard let offset = message.offset, let state = states[offset] else { continue }
            if message.end == .sure(.accepted), state != .settled { return fail("message \(number) was accepted for sure and is \(state)") }
            if message.end == .sure(.rejected), state != .settled, state != .moving {
                return fail("message \(number) was rejected for sure and is \(state)")
            }
            let place = Oracle.Place(partition: key.partition, offset: offset)
            if state == .settled, message.end == .open, !oracle.mayBeSettled(number, at: [place]), !hasMoved, line.ttlMs == nil,
                message.deliveries < line.deliveryLimit
            {
                return fail("message \(number) is settled, and nobody asked for it")
            }
        }
    }

    func tellState(of number: Int, _ broker: Broker) {
        guard oracle.messages.indices.contains(number), let offset = oracle.messages[number].offset else { return }
        let message = oracle.messages[number]
        let shard = broker.shard(of: message.partition)
        turns.inside(shard.loop) {
            shard.message(ShareKey(group: message.topic, partition: message.partition), at: offset) { [unowned self] in
                tell("message \(number): \($0.map { "\($0)" } ?? "on no cursor")")
            }
        }
    }

    // MARK: Facts

    /// Replaying the facts gives what lives.
    func audit(_ broker: Broker) {
        for shard in broker.shards where problem == nil && !machine.isDown {
            let audit = FactAudit(shard: shard)
            judge("cursors") { try await audit.cursors() }
            judge("moves") { try await audit.moves() }
            judge("delays") { try await audit.delays() }
        }
    }

    private func judge(_ what: String, _ body: @escaping @Sendable () async throws -> FactAudit.Verdict) {
        wait { done in
            Task { [unowned self] in
                do {
                    switch try await body() {
                    case .equal: tally["audits.\(what)"] += 1
                    case .busy: tally["audits.busy"] += 1
                    case .differs(let text): fail(text)
                    }
                } catch { if !machine.isDown { fail("the facts of \(what) can't be read: \(error)") } }
                done()
            }
        }
    }
}
