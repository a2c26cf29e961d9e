import Model
import NIOCore

extension Group {
    /// A member wants into the next generation. The answer comes under `ticket`, in this step or a later one.
    /// - Parameter freshID: a unique id for a member that has none, by custom `clientID-uuid` (static: `instanceID-uuid`).
    public mutating func join(
        _ request: JoinRequest, ticket: Int, freshID: String, limits: Limits, now: Moment
    ) -> GroupStep {
        var step = GroupStep()
        defer { countMetadata() }
        func refuse(_ error: GroupError, memberID: String? = nil) {
            step.answer(ticket, JoinAnswer(error: error, memberID: memberID ?? request.memberID))
        }
        if state == .dead {
            refuse(.coordinatorNotAvailable)
        } else if request.sessionTimeoutMs < limits.sessionTimeoutMinMs || request.sessionTimeoutMs > limits.sessionTimeoutMaxMs {
            refuse(.invalidSessionTimeout)
        } else if !hasRoom(for: request.memberID, limits: limits) {
            remove(request.memberID, &step)
            completeJoinIfAllHere(now: now, &step)
            refuse(.groupMaxSizeReached, memberID: "")
        } else if request.metadataBytes > limits.memberMetadataBytes {
            refuse(.groupMaxSizeReached)
        } else if max(request.memberID.utf8.count, request.instanceID?.utf8.count ?? 0) > limits.groupNameBytes {
            refuse(.unknownMemberID)
        } else if !request.hasSoundProtocols(limits)
            || !supports(protocolType: request.protocolType, request.protocols)
        {
            refuse(.inconsistentGroupProtocol)
        } else {
            var request = request
            request.rebalanceTimeoutMs = min(max(request.rebalanceTimeoutMs, 0), limits.rebalanceTimeoutMaxMs)
            if request.memberID.isEmpty {
                joinUnknown(request, ticket: ticket, freshID: freshID, limits: limits, now: now, &step)
            } else {
                joinKnown(request, ticket: ticket, limits: limits, now: now, &step)
            }
        }
        return step
    }

    /// Counts the members whose join waits while a rebalance gathers them, so that a group above its bound sheds the late ones;
    /// silent static members may then carry it above the bound, to twice of it at most.
    private func hasRoom(for id: String, limits: Limits) -> Bool {
        let isExpected = pendingJoins[id] != nil
        switch state {
        case .empty, .dead: return isExpected || pendingJoins.count < limits.membersPerGroup
        case .preparingRebalance:
            if members[id]?.joinTicket != nil || isExpected { return true }
            let isNew = members[id] == nil
            return joinsWaiting + pendingJoins.count < limits.membersPerGroup
                && (!isNew || members.count + pendingJoins.count < 2 * limits.membersPerGroup)
        case .completingRebalance, .stable:
            return members[id] != nil || isExpected || members.count + pendingJoins.count < limits.membersPerGroup
        }
    }

    private mutating func joinUnknown(
        _ request: JoinRequest, ticket: Int, freshID: String, limits: Limits, now: Moment, _ step: inout GroupStep
    ) {
        if let instance = request.instanceID {
            if let existing = staticMembers[instance] {
                replaceStatic(request, existing: existing, ticket: ticket, freshID: freshID, now: now, &step)
            } else {
                addMember(request, id: freshID, ticket: ticket, limits: limits, now: now, &step)
            }
        } else if request.requiresMemberID {
            let deadline = now.monotonic.advanced(byMs: Int64(request.sessionTimeoutMs))
            pendingJoins[freshID] = deadline
            note(deadline)
            step.answer(ticket, JoinAnswer(error: .memberIDRequired, memberID: freshID))
        } else {
            addMember(request, id: freshID, ticket: ticket, limits: limits, now: now, &step)
        }
    }

    private mutating func joinKnown(
        _ request: JoinRequest, ticket: Int, limits: Limits, now: Moment, _ step: inout GroupStep
    ) {
        let id = request.memberID
        if pendingJoins[id] != nil, request.instanceID == nil {
            return addMember(request, id: id, ticket: ticket, limits: limits, now: now, &step)
        }
        if let error = check(member: id, instance: request.instanceID) {
            return step.answer(ticket, JoinAnswer(error: error, memberID: id))
        }
        let unchanged = members[id]?.protocols == request.protocols
        switch state {
        case .preparingRebalance:
            updateMember(id, request, ticket: ticket, &step)
            rebalanceOrComplete(now: now, &step)
        case .completingRebalance where unchanged:
            // It may have missed the answer to its join: give it again.
            step.answer(ticket, currentAnswer(for: id))
        case .stable where unchanged && leader != id:
            step.answer(ticket, currentAnswer(for: id))
        case .completingRebalance, .stable:
            // Changed metadata, or the leader itself, which rejoins when what it knows of the topics has changed.
            updateMember(id, request, ticket: ticket, &step)
            rebalanceOrComplete(now: now, &step)
        case .empty, .dead:
            step.answer(ticket, JoinAnswer(error: .unknownMemberID, memberID: id))
        }
    }

    /// The answer for a member of the generation that is there.
    func currentAnswer(for id: String) -> JoinAnswer {
        var answer = JoinAnswer(memberID: id)
        answer.generation = generation
        answer.protocolType = protocolType
        answer.protocolName = protocolName
        answer.leader = leader ?? ""
        if leader == id {
            answer.members = members.values.map {
                JoinAnswer.Member(id: $0.id, instanceID: $0.instanceID, metadata: $0.metadata(for: protocolName))
            }
        }
        return answer
    }

    private mutating func addMember(
        _ request: JoinRequest, id: String, ticket: Int, limits: Limits, now: Moment, _ step: inout GroupStep
    ) {
        var member = GroupMember(
            id: id, instanceID: request.instanceID, clientID: request.clientID, clientHost: request.clientHost,
            sessionTimeoutMs: request.sessionTimeoutMs, rebalanceTimeoutMs: request.rebalanceTimeoutMs,
            protocols: request.protocols)
        member.isNew = true
        member.joinTicket = ticket
        if members.isEmpty { protocolType = request.protocolType }
        if case .initial(let until, let delayMs, let remainingMs, _) = joinPhase {
            joinPhase = .initial(until: until, delayMs: delayMs, remainingMs: remainingMs, newcomers: true)
        }
        add(member)
        renewSession(id, ms: limits.newMemberJoinTimeoutMs, now: now)
        rebalanceOrComplete(now: now, initialDelayMs: limits.initialRebalanceDelayMs, &step)
    }

    mutating func updateMember(_ id: String, _ request: JoinRequest, ticket: Int, _ step: inout GroupStep) {
        guard var member = members[id] else { return }
        withdrawProtocols(member)
        member.protocols = request.protocols
        for offered in member.protocols { protocolSupport[offered.name, default: 0] += 1 }
        member.rebalanceTimeoutMs = request.rebalanceTimeoutMs
        member.sessionTimeoutMs = request.sessionTimeoutMs
        if let superseded = member.joinTicket {
            step.answer(superseded, JoinAnswer(error: .rebalanceInProgress, memberID: id))
        } else {
            joinsWaiting += 1
        }
        member.joinTicket = ticket
        members[id] = member
    }

    /// A static member has come back with no id: it gets a new one and takes the old one's place. Who still uses the old one is fenced.
    private mutating func replaceStatic(
        _ request: JoinRequest, existing: String, ticket: Int, freshID: String, now: Moment, _ step: inout GroupStep
    ) {
        let formerLeader = leader ?? ""
        replaceID(of: existing, with: freshID, &step)
        updateMember(freshID, request, ticket: ticket, &step)
        renewSession(freshID, now: now)
        switch state {
        case .stable where selectProtocol() == protocolName:
            // The assignment stands, so nobody needs to stop; the new id must be remembered before it is given out.
            logGeneration(&step)
            takeJoinTicket(freshID)
            var answer = currentAnswer(for: freshID)
            if request.supportsSkippingAssignment {
                answer.skipAssignment = leader == freshID
            } else {
                answer.leader = formerLeader
                answer.members = []
            }
            step.answer(ticket, answer)
        case .stable, .completingRebalance:
            // The protocol changes, or the leader may be assigning to an id that is no more.
            prepareRebalance(now: now, initialDelayMs: 0, &step)
        case .preparingRebalance, .empty, .dead:
            completeJoinIfAllHere(now: now, &step)
        }
    }

    private mutating func replaceID(of old: String, with new: String, _ step: inout GroupStep) {
        guard var member = members[old], let index = members.index(forKey: old) else { return }
        if let ticket = member.joinTicket {
            joinsWaiting -= 1
            step.answer(ticket, JoinAnswer(error: .fencedInstanceID, memberID: old))
        }
        if let ticket = member.syncTicket { step.answer(ticket, SyncAnswer(error: .fencedInstanceID)) }
        member.id = new
        member.joinTicket = nil
        member.syncTicket = nil
        member.isNew = false
        members.remove(at: index)
        members.updateValue(member, forKey: new, insertingAt: index)
        if let instance = member.instanceID { staticMembers[instance] = new }
        if leader == old { leader = new }
        if pendingSyncs.remove(old) != nil { pendingSyncs.append(new) }
    }

    mutating func takeJoinTicket(_ id: String) {
        guard members[id]?.joinTicket != nil else { return }
        members[id]?.joinTicket = nil
        joinsWaiting -= 1
    }
}
