import Broker
import Control
import Model

/// The operator: redrives the dead, moves and copies, purges and takes it back, holds and resumes, looks after what is delayed.
extension World {
    func operate(_ broker: Broker) {
        let queue = temper.expires && random.below(3) == 0 ? "brief" : "queue"
        var choices: [(World) -> Void] = []
        if temper.redrives { choices += Array(repeating: { $0.redrive(queue, broker) }, count: 3) }
        if temper.purges { choices.append { $0.purge(queue, broker) } }
        if temper.gates { choices += [{ $0.hold(queue, .delivery, broker) }, { $0.hold(queue, .publishing, broker) }] }
        if temper.moves { choices.append { $0.move(broker) } }
        if temper.replays { choices += [{ $0.replay(queue, broker) }, { $0.copy(queue, broker) }] }
        if temper.edits { choices += [{ $0.edit(broker) }, { $0.edit(broker) }, { $0.discard(queue, broker) }, { $0.retryNow(broker) }] }
        if temper.redrives || temper.moves || temper.replays { choices.append { $0.cancelJob(broker) } }
        if !choices.isEmpty { choices[random.below(choices.count)](self) }
    }

    func openGates(_ broker: Broker) {
        for line in Topics.lines {
            for gate in [QueueCommand.Gate.delivery, .publishing] {
                wait { done in
                    Task {
                        do { _ = try await broker.perform(.gate(queue: line.queue, gate, held: false), actor: "simulator") } catch {
                            if isDecayed {
                                machine.reports.add("the gate does not open: \(error)")
                            } else {
                                fail("the gate does not open: \(error)")
                            }
                        }
                        done()
                    }
                }
            }
        }
    }

    // MARK: Jobs

    private func redrive(_ queue: String, _ broker: Broker) {
        guard let line = Topics.line(queue) else { return }
        var redrive = Redrive(queue: line.dead)
        if random.below(3) == 0 { redrive.rate = 5 }
        oracle.redriveAsked(of: queue)
        tell("redrive of \(line.dead)")
        command(.redrive(redrive), broker)
    }

    private func move(_ broker: Broker) {
        var redrive = Redrive(queue: "queue")
        redrive.target = "other"
        if random.below(3) == 0 { redrive.rate = 5 }
        hasMoved = true
        tell("move of queue to other")
        command(.redrive(redrive), broker)
    }

    private func cancelJob(_ broker: Broker) {
        let id = Int64(1 + random.below(4))
        tell("cancel of job \(id)")
        command(.cancelJob(id: id), broker)
    }

    private func copy(_ queue: String, _ broker: Broker) {
        var replay = Replay(queue: queue)
        replay.into = Topics.copies
        oracle.copies += 1
        tell("copy of \(queue)")
        command(.replay(replay), broker)
    }

    private func replay(_ queue: String, _ broker: Broker) {
        var replay = Replay(queue: queue)
        if random.below(2) == 0 { replay.from = .offset(Int64(random.below(40))) }
        oracle.replayAsked()
        tell("replay of \(queue)")
        command(.replay(replay), broker) { [oracle] _ in oracle.replayAnswered() }
    }

    // MARK: Queues

    private func hold(_ queue: String, _ gate: QueueCommand.Gate, _ broker: Broker) {
        let isHeld = random.below(2) == 0
        tell("\(gate) of \(queue) is \(isHeld ? "held" : "resumed")")
        command(.gate(queue: queue, gate, held: isHeld), broker)
    }

    private func purge(_ queue: String, _ broker: Broker) {
        let withDelayed = temper.edits && random.below(3) == 0
        let purge = oracle.purgeAsked(of: queue)
        if withDelayed { oracle.cancelAllAsked(of: queue) }
        let takesBack = random.below(3) > 0
        let oracle = oracle
        tell("purge of \(queue)\(takesBack ? ", to be undone" : "")\(withDelayed ? ", with what is delayed" : "")")
        if withDelayed { oracle.cancelling += 1 }
        command(.purge(queue: queue, delayed: withDelayed), broker) { [unowned self] outcome in
            if withDelayed { oracle.cancelling -= 1 }
            oracle.purgeAnswered(purge)
            guard takesBack, let undo = outcome?.undo else { return }
            command(.undo(id: undo), broker) { outcome in
                // Too many purges: it was forgotten.
                if let outcome, !outcome.message.contains(": 0 messages") { oracle.purgeUndone(purge) }
            }
        }
    }

    private func discard(_ queue: String, _ broker: Broker) {
        let known = oracle.messages.indices.filter { oracle.messages[$0].topic == queue && oracle.messages[$0].offset != nil }
        guard !known.isEmpty else { return }
        let number = known[random.below(known.count)]
        guard let offset = oracle.messages[number].offset else { return }
        let partition = oracle.messages[number].partition
        let discard = oracle.discardAsked(.init(partition: partition, offset: offset))
        tell("discard of message \(number)")
        command(.discard(queue: queue, ids: ["\(partition.index)/\(offset)"]), broker) { [oracle] _ in oracle.discardAnswered(discard) }
    }

    // MARK: What waits

    /// Waiting retries of some offsets come at once, or later than they would.
    private func retryNow(_ broker: Broker) {
        let ids = (0..<3).map { _ in "\(random.below(Int(temper.partitions)))/\(random.below(40))" }
        oracle.retriesEdited()
        tell("retries \(ids.joined(separator: " ")) are run now")
        let dueMs = broker.clock.now.ms + 2_000
        command(
            random.below(2) == 0 ? .runDelayed(queue: "queue", ids: ids) : .reschedule(queue: "queue", ids: ids, dueMs: dueMs), broker
        ) { [oracle] _ in oracle.editingRetries -= 1 }
    }

    /// Looks up what is delayed and does something to one of it.
    private func edit(_ broker: Broker) {
        let run = machine.starts
        Task {
            guard let page = try? await broker.delayedMessages(queue: "queue", fromMs: nil, toMs: nil, limit: 100), run == machine.starts,
                !page.rows.isEmpty
            else { return }
            let row = page.rows[random.below(page.rows.count)]
            guard let number = Int(row.value.prefix { $0 != " " }), oracle.messages.indices.contains(number) else {
                return fail("the delay store lists '\(row.value)'")
            }
            if !oracle.messages[number].isEdited { edit(number, row.id, broker) }
        }
    }

    private func edit(_ number: Int, _ id: String, _ broker: Broker) {
        let oracle = oracle
        let now = broker.clock.now
        let command: QueueCommand
        var due: Timestamp?
        switch random.below(3) {
        case 0: command = .cancelDelayed(queue: "queue", ids: [id])
        case 1:
            due = now
            command = .runDelayed(queue: "queue", ids: [id])
        default:
            let later = now + Int64(random.below(6_000))
            due = later
            command = .reschedule(queue: "queue", ids: [id], dueMs: later.ms)
        }
        if let due { oracle.rescheduleAsked(number, to: due) } else { oracle.cancelAsked(number) }
        let run = machine.starts
        Task {
            var isDone = true
            do throws(ControlError) { _ = try await broker.perform(command, actor: "simulator") } catch {
                // Whether it was done when the log failed, nobody knows.
                guard error.code == .notFound else { return }
                isDone = false
            }
            guard run == machine.starts else { return }
            if let due {
                oracle.rescheduleAnswered(number, to: due, isDone: isDone)
            } else {
                oracle.cancelAnswered(number, isDone: isDone)
            }
        }
    }

    // MARK: Commands

    /// What is refused (a job runs already, there is nothing to do) gives nil. An answer after the machine went down is none.
    private func command(_ command: QueueCommand, _ broker: Broker, answered: (@Sendable (CommandOutcome?) -> Void)? = nil) {
        let run = machine.starts
        Task {
            let outcome = try? await broker.perform(command, actor: "simulator")
            if run == machine.starts { answered?(outcome) }
        }
    }
}
