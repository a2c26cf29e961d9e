import Broker
import KafkaWire
import Model
import NIOCore
import Storage
import Synchronization

/// One fetch from request to answer. Owned by the connection's loop, which is what `@unchecked Sendable` rests on.
final class FetchOperation: @unchecked Sendable {
    private enum Phase { case reading, waiting, done }

    private static let lastWaiter = Atomic<UInt64>(0)

    private let context: RequestContext
    private let partitions: [FetchedPartition]
    private let isIncremental: Bool
    private let minBytes: Int
    private let maxBytes: Int
    private let deadline: Monotonic?
    private let waiterID: UInt64

    /// Items by shard, and partitions that are refused without asking one.
    private var byShard: [(shard: Shard, items: [FetchItem])] = []
    private var refused: [Int: ErrorCode] = [:]
    private var parts: [FetchPart?]
    private var phase = Phase.reading
    private var bytes = 0
    private var wokenWhileReading = false
    /// Indices of shards that may have kept the waiter.
    private var waitedOn: Set<Int> = []
    private var isFinal = false

    init(_ context: RequestContext, _ request: FetchRequest, _ partitions: [FetchedPartition], isIncremental: Bool) {
        self.context = context
        self.partitions = partitions
        self.isIncremental = isIncremental
        let limits = context.door.broker.limits
        minBytes = Int(request.minBytes)
        maxBytes = min(max(0, Int(request.maxBytes)), limits.fetchBytes)
        let waitMs = min(Int64(request.maxWaitMs), limits.fetchWaitMs)
        deadline = waitMs > 0 && minBytes > 0 ? context.door.broker.clock.monotonic.advanced(byMs: waitMs) : nil
        waiterID = Self.lastWaiter.add(1, ordering: .relaxed).newValue
        parts = Array(repeating: nil, count: partitions.count)
    }

    func begin() {
        let broker = context.door.broker
        let topics = broker.catalog.current
        var items: [[FetchItem]] = Array(repeating: [], count: broker.shards.count)
        for (slot, wanted) in partitions.enumerated() {
            let topic = context.version >= 13 ? topics[wanted.topic.id] : topics[wanted.topic.name]
            guard let id = topic?.partition(wanted.index) else {
                refused[slot] = topic == nil && context.version >= 13 ? .unknownTopicId : .unknownTopicOrPartition
                continue
            }
            items[broker.shard(of: id).id.value].append(
                FetchItem(
                    slot: slot, partition: id, offset: wanted.offset, maxBytes: wanted.maxBytes, leaderEpoch: wanted.leaderEpoch,
                    advanced: advance(id, to: wanted.offset)))
        }
        for shard in broker.shards where !items[shard.id.value].isEmpty { byShard.append((shard, items[shard.id.value])) }
        isFinal = deadline == nil || !refused.isEmpty || partitions.isEmpty && minBytes == 0
        attempt()
    }

    /// How many records the reader took since its last fetch of this partition that got any.
    private func advance(_ id: PartitionID, to offset: Offset) -> Int64 {
        guard let from = context.connection.fetchState.served.removeValue(forKey: id) else { return 0 }
        return max(0, offset - from)
    }

    private func attempt() {
        phase = .reading
        bytes = 0
        wokenWhileReading = false
        let waiter = isFinal ? nil : FetchWaiter(id: waiterID) { self.context.loop.execute { self.woken() } }
        read(shardIndex: 0, waiter)
    }

    private func read(shardIndex index: Int, _ waiter: FetchWaiter?) {
        guard index < byShard.count else { return attempted() }
        let (shard, items) = byShard[index]
        shard.fetch(
            items, maxBytes: max(0, maxBytes - bytes), minBytes: max(1, minBytes - bytes), wantsRegion: true, waiter: waiter,
            replyLoop: context.loop
        ) { parts in
            let wanted = max(1, self.minBytes - self.bytes)
            let before = self.bytes
            for part in parts {
                self.parts[part.slot] = part
                self.bytes += part.slice?.count ?? 0
                if part.error != nil { self.isFinal = true }
            }
            if waiter != nil, self.bytes - before < wanted { self.waitedOn.insert(index) }
            self.read(shardIndex: index + 1, waiter)
        }
    }

    private func attempted() {
        guard phase == .reading else { return }
        if bytes >= minBytes || isFinal { return finish() }
        if wokenWhileReading { return again() }
        phase = .waiting
        wait()
    }

    private func again() {
        for index in byShard.indices {
            for item in byShard[index].items.indices { byShard[index].items[item].advanced = 0 }
        }
        attempt()
    }

    private func woken() {
        switch phase {
        case .reading: wokenWhileReading = true
        case .waiting: again()
        case .done: break
        }
    }

    // MARK: Waiting

    private func wait() {
        guard let deadline, !context.connection.isClosed else { return cancel() }
        Self.setTimer(context.connection, deadline)
    }

    /// One timer per connection: when it rings for a fetch that is over it is set again for the one that waits now, if any.
    private static func setTimer(_ connection: Connection, _ deadline: Monotonic) {
        guard !connection.fetchState.timerIsSet else { return }
        connection.fetchState.timerIsSet = true
        let now = connection.door.broker.clock.monotonic
        connection.loop.scheduleTask(in: .nanoseconds(max(0, Int64(bitPattern: deadline.ns &- now.ns)))) {
            connection.fetchState.timerIsSet = false
            guard let active = connection.fetchState.active, active.phase == .waiting, let deadline = active.deadline else { return }
            if connection.door.broker.clock.monotonic >= deadline { active.expire() } else { setTimer(connection, deadline) }
        }
    }

    /// The time is over: answers with what there is.
    func expire() {
        guard phase == .waiting else { return }
        isFinal = true
        again()
    }

    /// The connection is gone.
    func cancel() {
        phase = .done
        stopWaiting()
    }

    private func stopWaiting() {
        for index in waitedOn { byShard[index].shard.stopWaiting(waiterID, on: byShard[index].items.map(\.partition)) }
        waitedOn = []
    }

    // MARK: Answering

    private func finish() {
        phase = .done
        stopWaiting()
        for (_, items) in byShard {
            for item in items where (parts[item.slot]?.slice?.count ?? 0) > 0 {
                context.connection.fetchState.served[item.partition] = item.offset
            }
        }
        var answers: [FetchAnswer.Partition] = []
        answers.reserveCapacity(partitions.count)
        for (slot, wanted) in partitions.enumerated() {
            let answer = data(slot, wanted)
            let slice = parts[slot]?.slice
            let isNews = context.connection.fetchState.session?.tell(wanted, answer, bytes: slice?.count ?? 0) ?? true
            if isNews || !isIncremental { answers.append(.init(topic: wanted.topic, data: answer, slice: slice)) }
        }
        let session = context.connection.fetchState.session?.id ?? 0
        context.answer(FetchAnswer.encode(context, sessionID: session, answers))
        Fetch.next(context.connection)
    }

    private func data(_ slot: Int, _ wanted: FetchedPartition) -> FetchResponse.PartitionData {
        var data = FetchResponse.PartitionData()
        data.partitionIndex = wanted.index
        data.highWatermark = -1
        data.lastStableOffset = -1
        data.logStartOffset = -1
        if let code = refused[slot] {
            data.errorCode = code
        } else if let part = parts[slot] {
            data.errorCode = part.error?.code ?? .none
            data.highWatermark = part.highWatermark.value
            data.lastStableOffset = part.highWatermark.value
            data.logStartOffset = part.logStart.value
        }
        if data.errorCode != .none { context.door.broker.noteError() }
        return data
    }
}
