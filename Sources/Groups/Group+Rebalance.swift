import Collections
import Model
import NIOCore

extension Group {
    mutating func rebalanceOrComplete(now: Moment, initialDelayMs: Int64 = 0, _ step: inout GroupStep) {
        switch state {
        case .stable, .completingRebalance, .empty: prepareRebalance(now: now, initialDelayMs: initialDelayMs, &step)
        case .preparingRebalance: completeJoinIfAllHere(now: now, &step)
        case .dead: break
        }
    }

    /// Calls all members to join again. An empty group first waits `initialDelayMs` for more of them.
    mutating func prepareRebalance(now: Moment, initialDelayMs: Int64, _ step: inout GroupStep) {
        if state == .completingRebalance {
            // The assignment in the making is void.
            for id in Array(members.keys) { members[id]?.assignment = ByteBuffer() }
            answerSyncs(error: .rebalanceInProgress, now: now, &step)
        }
        pendingSyncs.removeAll()
        syncDeadline = nil
        let wasEmpty = state == .empty
        enter(.preparingRebalance, now: now)
        if wasEmpty {
            let remaining = max(rebalanceTimeoutMs - initialDelayMs, 0)
            wait(
                .initial(
                    until: now.monotonic.advanced(byMs: initialDelayMs), delayMs: initialDelayMs, remainingMs: remaining, newcomers: false))
        } else if allJoined {
            completeJoin(now: now, &step)
        } else {
            wait(.rejoin(until: now.monotonic.advanced(byMs: rebalanceTimeoutMs)))
        }
    }

    /// Ends the join phase early when nobody is missing; the initial delay always runs its course.
    mutating func completeJoinIfAllHere(now: Moment, _ step: inout GroupStep) {
        guard state == .preparingRebalance, !joinPhase.isInitial, allJoined else { return }
        completeJoin(now: now, &step)
    }

    private mutating func wait(_ phase: JoinPhase) {
        joinPhase = phase
        if let deadline = phase.deadline { note(deadline) }
    }

    /// The join phase's time is up.
    mutating func joinPhaseEnded(delayLimitMs: Int64, now: Moment, _ step: inout GroupStep) {
        guard case .initial(_, let delayMs, let remainingMs, true) = joinPhase, remainingMs > 0 else {
            return completeJoin(now: now, &step)
        }
        let next = min(delayLimitMs, remainingMs)
        wait(
            .initial(
                until: now.monotonic.advanced(byMs: next), delayMs: next, remainingMs: max(remainingMs - delayMs, 0), newcomers: false))
    }

    /// Starts the next generation with the members whose joins wait. Dynamic members that are missing are dropped; static
    /// ones keep their place until their session ends.
    mutating func completeJoin(now: Moment, _ step: inout GroupStep) {
        joinPhase = .none
        for member in Array(members.values) where member.joinTicket == nil && member.instanceID == nil { remove(member.id, &step) }
        guard electLeader() || members.isEmpty else {
            // Only silent static members: wait until one comes or their sessions end.
            return wait(.rejoin(until: now.monotonic.advanced(byMs: rebalanceTimeoutMs)))
        }
        generation &+= 1
        pendingSyncs.removeAll()
        guard !members.isEmpty else {
            protocolName = nil
            readSubscribedTopics()
            enter(.empty, now: now)
            logGeneration(&step)
            return
        }
        protocolName = selectProtocol()
        readSubscribedTopics()
        enter(.completingRebalance, now: now)
        for id in Array(members.keys) {
            if let ticket = members[id]?.joinTicket {
                takeJoinTicket(id)
                step.answer(ticket, currentAnswer(for: id))
            }
            members[id]?.isNew = false
            renewSession(id, now: now)
            pendingSyncs.append(id)
        }
        let deadline = now.monotonic.advanced(byMs: rebalanceTimeoutMs)
        syncDeadline = deadline
        note(deadline)
    }

    /// Whether the generation has a leader that is here; the first member waiting takes over from one that is not.
    private mutating func electLeader() -> Bool {
        guard let leader else { return false }
        if members[leader]?.joinTicket != nil { return true }
        guard let heir = members.values.first(where: { $0.joinTicket != nil }) else { return false }
        self.leader = heir.id
        return true
    }

    /// A member asks for its assignment; the leader brings everybody's. The answer comes under `ticket`.
    public mutating func sync(_ request: SyncRequest, ticket: Int, now: Moment) -> GroupStep {
        var step = GroupStep()
        if let error = checkSync(request) {
            step.answer(ticket, SyncAnswer(error: error))
            return step
        }
        let id = request.memberID
        switch state {
        case .preparingRebalance:
            step.answer(ticket, SyncAnswer(error: .rebalanceInProgress))
        case .completingRebalance:
            if let superseded = members[id]?.syncTicket { step.answer(superseded, SyncAnswer(error: .rebalanceInProgress)) }
            members[id]?.syncTicket = ticket
            synced(id)
            if leader == id { assign(request.assignments, now: now, &step) }
        case .stable:
            synced(id)
            renewSession(id, now: now)
            step.answer(ticket, assignmentAnswer(for: id))
        case .empty, .dead:
            step.answer(ticket, SyncAnswer(error: .unknownMemberID))
        }
        return step
    }

    private func checkSync(_ request: SyncRequest) -> GroupError? {
        if state == .dead { return .coordinatorNotAvailable }
        if state == .empty { return .unknownMemberID }
        if let error = check(member: request.memberID, instance: request.instanceID) { return error }
        if request.generation != generation { return .illegalGeneration }
        if let type = request.protocolType, let own = protocolType, type != own { return .inconsistentGroupProtocol }
        if let name = request.protocolName, let own = protocolName, name != own { return .inconsistentGroupProtocol }
        return nil
    }

    private mutating func synced(_ id: String) {
        pendingSyncs.remove(id)
        if pendingSyncs.isEmpty { syncDeadline = nil }
    }

    private mutating func assign(
        _ assignments: [(memberID: String, assignment: ByteBuffer)], now: Moment, _ step: inout GroupStep
    ) {
        for id in Array(members.keys) { members[id]?.assignment = ByteBuffer() }
        for (id, assignment) in assignments { members[id]?.assignment = assignment }
        countMetadata()
        enter(.stable, now: now)
        logGeneration(&step)
        answerSyncs(error: nil, now: now, &step)
    }

    private mutating func answerSyncs(error: GroupError?, now: Moment, _ step: inout GroupStep) {
        for id in Array(members.keys) {
            guard let ticket = members[id]?.syncTicket else { continue }
            members[id]?.syncTicket = nil
            step.answer(ticket, error.map { SyncAnswer(error: $0) } ?? assignmentAnswer(for: id))
            renewSession(id, now: now)
        }
    }

    private func assignmentAnswer(for id: String) -> SyncAnswer {
        var answer = SyncAnswer(error: nil)
        answer.protocolType = protocolType
        answer.protocolName = protocolName
        answer.assignment = members[id]?.assignment ?? ByteBuffer()
        return answer
    }

    /// The facts of a step could not be logged: what was decided since is not to be relied on, so all members join again.
    /// The owner has answered that step's tickets with an error itself.
    public mutating func factsLost(now: Moment) -> GroupStep {
        var step = GroupStep()
        if state == .stable || state == .completingRebalance { prepareRebalance(now: now, initialDelayMs: 0, &step) }
        return step
    }
}
