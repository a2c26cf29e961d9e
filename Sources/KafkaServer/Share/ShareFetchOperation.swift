import Broker
import KafkaWire
import Model
import NIOCore
import Storage
import Synchronization

/// One share fetch from request to answer. Acknowledgements and the first acquisition go out together: a shard takes them in that order,
/// and the log's sync of the one is not waited for by the other. Owned by the connection's loop, which is what `@unchecked Sendable`
/// rests on.
final class ShareFetchOperation: @unchecked Sendable {
    private enum Phase { case acquiring, waiting, acquired, done }

    private static let lastWaiter = Atomic<UInt64>(1 << 63)
    /// KIP-1206's mode in which no more records than asked for are acquired.
    private static let recordLimit: Int8 = 1
    private static let leastReadBytes = 64 << 10
    private static let defaultLockMs: Int64 = 30_000

    private let context: RequestContext
    private let share: ShareRequest
    private let wanted: [ShareFetch.Wanted]
    private let maxRecords: Int
    private let maxBytes: Int
    private let byBatch: Bool
    private let deadline: Monotonic?
    private let waiterID: UInt64

    /// Who is asked for what, one after the other.
    private var steps: [ShareFetchStep] = []
    private var parts: [AcquiredPart?]
    private var phase = Phase.acquiring
    private var records = 0
    private var bytes = 0
    private var wokenWhileAcquiring = false
    /// Indices of steps whose shards may have kept the waiter.
    private var waitedOn: Set<Int> = []
    private var isFinal = false
    /// Results of the acknowledgements; nil while they are under way.
    private var acknowledged: [ShareRequest.Acknowledged]?

    init(_ context: RequestContext, _ request: ShareFetchRequest, _ share: ShareRequest, _ wanted: [ShareFetch.Wanted]) {
        self.context = context
        self.share = share
        self.wanted = wanted
        let limits = context.door.broker.limits
        let fetches = share.epoch != ShareRequest.closes && !request.isRenewAck
        maxRecords = fetches ? min(max(0, Int(request.maxRecords)), limits.shareFetchRecords) : 0
        byBatch = request.shareAcquireMode != Self.recordLimit
        maxBytes = min(max(0, Int(request.maxBytes)), limits.fetchBytes)
        let waitMs = min(Int64(request.maxWaitMs), limits.fetchWaitMs)
        deadline = waitMs > 0 && request.minBytes > 0 ? context.door.broker.clock.monotonic.advanced(byMs: waitMs) : nil
        waiterID = Self.lastWaiter.add(1, ordering: .relaxed).newValue
        parts = Array(repeating: nil, count: wanted.count)
    }

    func begin() {
        context.connection.shareState.fetches[waiterID] = self
        share.settle(context) { results in
            self.acknowledged = results
            // A member that is told about its answers late can't go on; with news for it the wait is over.
            if results.contains(where: { $0.result.code != .none }) { self.expire() }
            self.finishIfComplete()
        }
        if maxRecords > 0 {
            if wanted.contains(where: { $0.id == nil }) { isFinal = true }
            steps = ShareFetchStep.plan(wanted, group: share.key.group, readBytes: readBytes, context.door.broker)
        }
        if deadline == nil || steps.isEmpty && maxRecords == 0 { isFinal = true }
        attempt()
    }

    /// What one partition is read of: room for the wanted records and some more, so that a guess that is a little low costs no fetch.
    private var readBytes: Int {
        let recordBytes = context.connection.shareState.sessions[share.key]?.recordBytes ?? 0
        let (product, overflow) = (maxRecords * 2).multipliedReportingOverflow(by: recordBytes)
        return min(maxBytes, max(Self.leastReadBytes, overflow ? maxBytes : product))
    }

    private func attempt() {
        phase = .acquiring
        wokenWhileAcquiring = false
        let waiter = isFinal ? nil : FetchWaiter(id: waiterID) { self.context.loop.execute { self.woken() } }
        acquire(step: 0, waiter)
    }

    private func acquire(step index: Int, _ waiter: FetchWaiter?) {
        guard index < steps.count, records < maxRecords, bytes < maxBytes else { return attempted() }
        steps[index].shard.acquire(
            steps[index].items, member: share.key.member, maxRecords: maxRecords - records, minBytes: records > 0 ? 0 : 1,
            maxBytes: maxBytes - bytes,
            byBatch: byBatch, wantsRegion: true, waiter: waiter, replyLoop: context.loop
        ) { parts in
            let before = self.records
            for part in parts { self.take(part) }
            if waiter != nil, self.records == before { self.waitedOn.insert(index) }
            self.acquire(step: index + 1, waiter)
        }
    }

    private func take(_ part: AcquiredPart) {
        parts[part.slot] = part
        if part.error != nil { isFinal = true }
        guard !part.acquired.isEmpty else { return }
        for range in part.acquired { records += Int(range.last - range.first) + 1 }
        bytes += part.slice?.count ?? 0
    }

    private func attempted() {
        guard phase == .acquiring else { return giveBack() }
        // What is acquired is the member's from now on and can't wait for more, so `minBytes` asks for any.
        if records > 0 || isFinal {
            phase = .acquired
            guard records == 0, share.acknowledged.isEmpty, deadline != nil, hasError else { return finishIfComplete() }
            // A topic that is gone stays in the client's session until its next heartbeat.
            context.loop.scheduleTask(in: .milliseconds(context.door.broker.limits.shareErrorDelayMs)) { self.finishIfComplete() }
            return
        }
        if wokenWhileAcquiring { return attempt() }
        phase = .waiting
        wait()
    }

    private var hasError: Bool { wanted.contains { $0.id == nil } || parts.contains { $0?.error != nil } }

    private func woken() {
        switch phase {
        case .acquiring: wokenWhileAcquiring = true
        case .waiting: attempt()
        case .acquired, .done: break
        }
    }

    // MARK: Waiting

    private func wait() {
        guard let deadline, !context.connection.isClosed else { return cancel() }
        Self.setTimer(context.connection, deadline)
    }

    /// One timer per connection, for the earliest deadline of its fetches that wait.
    private static func setTimer(_ connection: Connection, _ deadline: Monotonic) {
        if let at = connection.shareState.timerAt, at <= deadline { return }
        connection.shareState.timerAt = deadline
        let now = connection.door.broker.clock.monotonic
        connection.loop.scheduleTask(in: .nanoseconds(max(0, Int64(bitPattern: deadline.ns &- now.ns)))) {
            guard connection.shareState.timerAt == deadline else { return }
            connection.shareState.timerAt = nil
            let now = connection.door.broker.clock.monotonic
            for fetch in Array(connection.shareState.fetches.values) where fetch.phase == .waiting {
                guard let deadline = fetch.deadline else { continue }
                if now >= deadline { fetch.expire() } else { setTimer(connection, deadline) }
            }
        }
    }

    /// The time is over: answers with what there is.
    func expire() {
        isFinal = true
        if phase == .waiting { attempt() }
    }

    /// The connection is gone. What is acquired from now on goes back at once; what was before, with the session.
    func cancel() {
        phase = .done
        stopWaiting()
    }

    private func stopWaiting() {
        for index in waitedOn { steps[index].shard.stopWaiting(waiterID, on: steps[index].items.map(\.key)) }
        waitedOn = []
    }

    /// Records that were acquired while the connection went away.
    private func giveBack() {
        guard records > 0 else { return }
        for step in steps { step.shard.releaseShare(member: share.key.member, keys: step.items.map(\.key), wasLost: false) }
    }

    // MARK: Answering

    private func finishIfComplete() {
        guard phase == .acquired, let acknowledged, !context.connection.isClosed else { return }
        phase = .done
        stopWaiting()
        let connection = context.connection
        connection.shareState.fetches[waiterID] = nil
        connection.shareState.sessions[share.key]?.learn(records: records, bytes: bytes)
        if share.epoch == ShareRequest.closes { connection.endShareSession(share.key, wasLost: false) }
        context.answer(ShareFetchAnswer.encode(context, lockMs: lockMs, answers(acknowledged)))
    }

    private var lockMs: Int64 {
        let longest = parts.reduce(0) { max($0, $1?.lockMs ?? 0) }
        return longest > 0 ? longest : Self.defaultLockMs
    }

    /// Partitions with records, with an error or with answers; the others are left out.
    private func answers(_ acknowledged: [ShareRequest.Acknowledged]) -> [ShareFetchAnswer.Partition] {
        var answers: [ShareFetchAnswer.Partition] = []
        var places: [PartitionID: Int] = [:]
        func place(_ topic: TopicID, _ index: Int32) -> Int {
            let id = PartitionID(topic: topic, index: index)
            if let place = places[id] { return place }
            var data = ShareFetchResponse.PartitionData()
            data.partitionIndex = index
            places[id] = answers.count
            answers.append(.init(topic: topic.uuid, data: data))
            return answers.count - 1
        }
        for entry in acknowledged {
            let place = place(TopicID(entry.topic), entry.index)
            answers[place].data.acknowledgeErrorCode = entry.result.code
            answers[place].data.acknowledgeErrorMessage = entry.result.message
        }
        for (slot, wanted) in wanted.enumerated() where maxRecords > 0 {
            let part = parts[slot]
            guard wanted.id == nil || part?.error != nil || part?.acquired.isEmpty == false else { continue }
            let place = place(TopicID(wanted.topic), wanted.index)
            if wanted.id == nil {
                let isKnown = context.door.broker.catalog.current[TopicID(wanted.topic)] != nil
                answers[place].data.errorCode = isKnown ? .unknownTopicOrPartition : .unknownTopicId
            } else if let error = part?.error {
                answers[place].data.errorCode = error.code
                answers[place].data.errorMessage = error.message
            }
            answers[place].acquired = part?.acquired ?? []
            answers[place].slice = part?.slice
            if answers[place].data.errorCode != .none { context.door.broker.noteError() }
        }
        return answers.sorted { ($0.topic.high, $0.topic.low) < ($1.topic.high, $1.topic.low) }
    }
}
