import Model

/// Heartbeats, leaving, expiry, deletion and restart.
extension Group {
    /// Keeps a member's session alive. nil is success; ``GroupError/rebalanceInProgress`` tells it to join again.
    public mutating func heartbeat(member: String, instance: String?, generation: Int32, now: Moment) -> GroupError? {
        if state == .dead { return .coordinatorNotAvailable }
        if let error = check(member: member, instance: instance) { return error }
        if generation != self.generation { return .illegalGeneration }
        if state == .empty { return .unknownMemberID }
        renewSession(member, now: now)
        return state == .preparingRebalance ? .rebalanceInProgress : nil
    }

    /// Members go for good; static ones too. One result per member, in the request's order.
    public mutating func leave(_ leaving: [LeavingMember], now: Moment) -> (results: [GroupError?], step: GroupStep) {
        var step = GroupStep()
        let results = leaving.map { leaver -> GroupError? in
            if leaver.memberID.isEmpty {
                guard let instance = leaver.instanceID, let id = staticMembers[instance] else { return .unknownMemberID }
                remove(id, &step)
            } else if pendingJoins[leaver.memberID] != nil {
                remove(leaver.memberID, &step)
            } else if let error = check(member: leaver.memberID, instance: leaver.instanceID) {
                return error
            } else {
                remove(leaver.memberID, &step)
            }
            return nil
        }
        if results.contains(nil), state != .empty { rebalanceOrComplete(now: now, &step) }
        countMetadata()
        return (results, step)
    }

    /// Acts on every deadline that has passed and makes ``nextDeadline`` exact.
    public mutating func tick(limits: Limits, now: Moment) -> GroupStep {
        var step = GroupStep()
        guard let due = nextDeadline, due <= now.monotonic else { return step }
        expireSessions(now: now, &step)
        if let until = joinPhase.deadline, until <= now.monotonic {
            joinPhaseEnded(delayLimitMs: limits.initialRebalanceDelayMs, now: now, &step)
        }
        if let until = syncDeadline, until <= now.monotonic { expireSyncs(now: now, &step) }
        findNextDeadline()
        countMetadata()
        return step
    }

    private mutating func expireSessions(now: Moment, _ step: inout GroupStep) {
        for (id, until) in Array(pendingJoins) where until <= now.monotonic {
            remove(id, &step)
            if state == .preparingRebalance, allJoined { completeJoin(now: now, &step) }
        }
        for id in Array(members.keys) {
            guard let member = members[id], let until = member.expiresAt, until <= now.monotonic else { continue }
            if member.vouchedFor {
                // Its waiting request vouches for it; the session starts again with the answer.
                members[id]?.expiresAt = nil
                continue
            }
            remove(id, &step)
            switch state {
            case .stable, .completingRebalance: prepareRebalance(now: now, initialDelayMs: 0, &step)
            case .preparingRebalance where allJoined: completeJoin(now: now, &step)
            case .preparingRebalance, .empty, .dead: break
            }
        }
    }

    /// Members that joined a generation and never asked for their assignment are dropped, the leader among them.
    private mutating func expireSyncs(now: Moment, _ step: inout GroupStep) {
        syncDeadline = nil
        guard state == .completingRebalance || state == .stable, !pendingSyncs.isEmpty else { return }
        for id in Array(pendingSyncs) { remove(id, &step) }
        prepareRebalance(now: now, initialDelayMs: 0, &step)
    }

    private mutating func findNextDeadline() {
        nextDeadline = nil
        for until in pendingJoins.values { note(until) }
        for member in members.values { if let until = member.expiresAt { note(until) } }
        if let until = joinPhase.deadline { note(until) }
        if let until = syncDeadline { note(until) }
    }

    /// Deletes an empty group and its offsets. On success the state is Dead; the owner removes the group when the facts are logged.
    public mutating func delete(now: Moment) -> Result<[GroupFact], GroupError> {
        switch state {
        case .dead: return .failure(.groupIDNotFound)
        case .stable, .preparingRebalance, .completingRebalance: return .failure(.nonEmptyGroup)
        case .empty:
            let facts = offsets.all.map { GroupFact.offsetDeleted(group: id, topic: $0.topic, partition: $0.partition) }
            enter(.dead, now: now)
            return .success(facts + [.groupDeleted(group: id)])
        }
    }

    /// A deletion could not be logged: the group is as it was.
    public mutating func deletionLost() {
        if state == .dead { state = .empty }
    }

    /// After a restart: members of the last generation go on if they are heard of within their session timeout.
    public mutating func resume(now: Moment) {
        for id in Array(members.keys) { renewSession(id, now: now) }
    }

    /// Replaces the logged part of the group by a generation from the log.
    mutating func restore(_ logged: GroupGeneration) {
        generation = logged.generation
        protocolType = logged.protocolType
        protocolName = logged.protocolName
        leader = logged.leader
        since = logged.since
        members.removeAll()
        staticMembers.removeAll()
        protocolSupport.removeAll()
        joinsWaiting = 0
        for one in logged.members {
            var member = GroupMember(
                id: one.id, instanceID: one.instanceID, clientID: one.clientID, clientHost: one.clientHost,
                sessionTimeoutMs: one.sessionTimeoutMs, rebalanceTimeoutMs: one.rebalanceTimeoutMs,
                protocols: [GroupProtocol(name: logged.protocolName ?? "", metadata: one.subscription)])
            member.assignment = one.assignment
            add(member)
        }
        leader = logged.leader
        self.logged = logged
        state = members.isEmpty ? .empty : .stable
        countMetadata()
        readSubscribedTopics()
    }
}
