import Model
import NIOCore
import Storage

extension Shard {
    /// Sends the next frame if none is in flight. Call once after a batch of appends.
    func startFrame(sync: Bool = false) {
        guard broken == nil else { return failAll(.unavailable("the log is closed after an error")) }
        let frame = commit.nextFrame(
            epoch: epoch, frameBytes: log.limits.frameBytes, syncs: { self.syncs($0) }, sync: sync)
        guard let frame else {
            if commit.isIdle, let closing {
                self.closing = nil
                closing()
            }
            return
        }
        isDirty = frame.appends.contains { !$0.needsSync } || isDirty && !frame.appends.isEmpty
        log.commit(frame, shard: id) { result in
            self.loop.execute { self.progress(of: frame, result) }
        }
    }

    /// Whether a durable answer needs a sync here, by topic and broker settings.
    private func syncs(_ entry: GroupCommit.Entry) -> Bool {
        switch entry.owner {
        case .partition(let partition, _, _, _): (partition.config.flush ?? options.flush) == .commit
        case .delayed(let part): (part.partition.config.flush ?? options.flush) == .commit
        case .facts: options.flush == .commit
        }
    }

    private func progress(of frame: Frame, _ result: Result<CommitStage, LogError>) {
        guard commit.frame == frame.id else { return }
        switch result {
        case .success(.written):
            written(frame)
            if !frame.durable { complete(frame) }
        case .success(.durable):
            complete(frame)
        case .failure(.indeterminate):
            resolve(frame)
        case .failure(let error):
            fail(frame, error)
        }
    }

    /// Everything in the frame can be read: high watermarks rise, readers wake, and those who asked for no more are answered.
    private func written(_ frame: Frame) {
        let now = clock.now
        var answers: [(ProduceTicket?, ProduceResult)] = []
        var hasRecords = false
        for entry in commit.inFlight {
            if case .delayed(let part) = entry.owner {
                delays?.written(part, entry.append, now: now)
                if !(frame.durable && entry.wants == .durable) { answers.append((part.ticket, part.answer)) }
            }
            guard case .partition(let partition, let ticket, let slot, let appendTime) = entry.owner else { continue }
            partition.written(entry.append, now: now)
            hasRecords = true
            if !partition.cursors.isEmpty { cursors?.written(partition, from: entry.append.base) }
            if frame.durable && entry.wants == .durable { continue }
            answers.append((ticket, .init(slot: slot, baseOffset: entry.append.base, appendTime: appendTime, logStart: partition.start)))
        }
        if hasRecords { noteAppended() }
        finish(answers)
    }

    /// The frame's promise is kept: the rest is answered and the next frame goes.
    private func complete(_ frame: Frame) {
        var answers: [(ProduceTicket?, ProduceResult)] = []
        for entry in commit.finish() {
            switch entry.owner {
            case .partition(let partition, let ticket, let slot, let appendTime):
                if frame.durable && entry.wants == .durable {
                    answers.append(
                        (ticket, .init(slot: slot, baseOffset: entry.append.base, appendTime: appendTime, logStart: partition.start)))
                }
            case .delayed(let part):
                if frame.durable && entry.wants == .durable { answers.append((part.ticket, part.answer)) }
            case .facts(let done): done(nil)
            }
        }
        pendingBytes.store(commit.pendingBytes, ordering: .relaxed)
        finish(answers)
        takeUpResent()
        startFrame()
        snapshotIfDue()
    }

    /// Asks the log what became of a frame until it knows.
    private func resolve(_ frame: Frame) {
        logger.warning("shard \(id): commit of frame \(frame.id.value) is indeterminate; asking the log")
        log.resolve(frame.id, shard: id) { result in
            self.loop.execute {
                guard self.commit.frame == frame.id else { return }
                switch result {
                case .success(.committed):
                    self.written(frame)
                    self.complete(frame)
                case .success(.absent):
                    self.fail(frame, .unavailable("the frame was lost"))
                case .failure(.indeterminate):
                    self.loop.scheduleTask(in: .milliseconds(100)) { self.resolve(frame) }
                case .failure(let error):
                    self.broken = error
                    self.fail(frame, error)
                }
            }
        }
    }

    /// Nothing of the frame was written. The offsets handed out behind it are void too, so all that waits fails with it, and
    /// what producers are remembered for is read again from the log.
    private func fail(_ frame: Frame, _ error: LogError) {
        logger.error("shard \(id): frame \(frame.id.value) of \(frame.appends.count) appends failed: \(error)")
        switch error {
        case .fenced, .corrupt, .unavailable, .indeterminate: broken = broken ?? error
        case .full: whenFull?()
        case .outOfRange, .unknownStream: break
        }
        failAll(error)
    }

    private func failAll(_ error: LogError) {
        let failed = commit.finish() + commit.abandonWaiting()
        pendingBytes.store(0, ordering: .relaxed)
        var answers: [(ProduceTicket?, ProduceResult)] = []
        let reason: PartitionError = error == .full ? .full : .storage("\(error)")
        delays?.rolledBack()
        for entry in failed {
            switch entry.owner {
            case .partition(let partition, let ticket, let slot, _):
                partition.rollBack()
                answers.append((ticket, .init(slot: slot, error: reason)))
            case .delayed(let part):
                part.partition.rollBack()
                var answer = ProduceResult(slot: part.answer.slot, error: reason)
                answer.logStart = part.answer.logStart
                answers.append((part.ticket, answer))
            case .facts(let done):
                if case .facts(_, let stream) = entry.append.stream {
                    factEnds[stream] = min(factEnds[stream] ?? entry.append.base, entry.append.base)
                }
                done(error)
            }
        }
        finish(answers)
        takeUpResent()
        if let closing {
            self.closing = nil
            closing()
        }
        if !commit.isIdle { startFrame() }
    }

    /// Answers a request late: its publisher was faster than a queue's `rate.in`.
    private func holdBack(_ ticket: ProduceTicket) {
        var results = ticket.results
        for index in results.indices { results[index].throttleMs = ticket.holdMs }
        let held = results
        let reply = ticket.reply
        ticket.loop.scheduleTask(in: .milliseconds(ticket.holdMs)) { reply(held) }
    }

    /// Hands answers to their requests; one hop per loop and call.
    func finish(_ answers: [(ProduceTicket?, ProduceResult)]) {
        var complete: [(loop: any EventLoop, replies: [@Sendable () -> Void])] = []
        for (ticket, result) in answers {
            guard let ticket, ticket.answer(result) else { continue }
            if ticket.holdMs > 0 {
                holdBack(ticket)
                continue
            }
            let results = ticket.results
            let reply = ticket.reply
            let deliver: @Sendable () -> Void = { reply(results) }
            if let index = complete.firstIndex(where: { $0.loop === ticket.loop }) {
                complete[index].replies.append(deliver)
            } else {
                complete.append((ticket.loop, [deliver]))
            }
        }
        for (loop, replies) in complete {
            if loop.inEventLoop {
                for reply in replies { reply() }
            } else {
                loop.execute { for reply in replies { reply() } }
            }
        }
    }
}
