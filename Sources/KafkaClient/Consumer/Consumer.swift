import KafkaWire
import Model
import NIOCore

/// Reads partitions: those it is given, or its share of a group's.
///
/// ```swift
/// let consumer = await Consumer(client: client, group: "billing", topics: ["orders"])
/// while running { for batch in try await consumer.poll() { … } }
/// await consumer.close()
/// ```
/// One fetch per leader is on its way while the caller works on the last answer; no more than that is kept.
public actor Consumer {
    private let client: Client
    private let options: ConsumerOptions
    private let lane: Client.Lane
    private let member: GroupMember?
    /// Where the next fetch of each partition begins; a place to be looked up first, or an offset.
    private var positions: [TopicPartition: StartPosition] = [:]
    /// Where the caller has read to: the offset after the last batch that ``poll(waitMs:)`` handed out.
    public private(set) var delivered: [TopicPartition: Offset] = [:]
    private var committed: [TopicPartition: Offset] = [:]
    private var watermarks: [TopicPartition: Offset] = [:]
    private var lastCommit: Monotonic
    private var planning = false
    private var fetching: [Int32: Task<Void, Never>] = [:]
    private var gathered: [FetchedPartition] = []
    private var failure: (any Error)?
    private var attempt = 0
    private var waiter: CheckedContinuation<Void, Never>?
    private var isClosed = false

    /// A consumer without a group; ``assign(_:)`` says what it reads.
    public init(client: Client, options: ConsumerOptions = ConsumerOptions()) async {
        self.client = client
        self.options = options
        lane = await client.newLane()
        member = nil
        lastCommit = client.clock.monotonic
    }

    /// A member of a group. It joins at the first ``poll(waitMs:)``.
    public init(client: Client, options: ConsumerOptions = ConsumerOptions(), group: String, topics: [String]) async {
        self.client = client
        self.options = options
        lane = await client.newLane()
        member = GroupMember(client: client, options: options, group: group, topics: topics, lane: await client.newLane())
        lastCommit = client.clock.monotonic
    }

    // MARK: What is read

    /// Replaces what this consumer reads.
    public func assign(_ places: [TopicPartition: StartPosition]) {
        precondition(member == nil, "a group member is assigned by its group")
        positions = places
        delivered = [:]
        gathered = []
    }

    /// What is read now, and where the caller has come to.
    public var assignment: Set<TopicPartition> { Set(positions.keys) }

    /// Records between where the caller is and the end, as far as fetches have shown it; nil before the first.
    public var lag: Int64? {
        guard !positions.isEmpty else { return nil }
        var sum: Int64 = 0
        for place in positions.keys {
            guard let end = watermarks[place], let offset = delivered[place] else { return nil }
            sum += max(0, end - offset)
        }
        return sum
    }

    // MARK: Reading

    /// The next batches: at once if there are any, else as soon as some come, else none after `waitMs`.
    public func poll(waitMs: Int64 = 1_000) async throws -> [FetchedBatch] {
        guard !isClosed else { throw ClientError.closed }
        let end = client.clock.monotonic.advanced(byMs: waitMs)
        while true {
            try await keepGroup()
            try await resolve()
            startFetches()
            let batches = try take()
            if !batches.isEmpty {
                startFetches()
                return batches
            }
            if let failure {
                self.failure = nil
                guard let error = failure as? ClientError, error.isRetriable else { throw failure }
                for topic in Set(positions.keys.map(\.topic)) { await client.forget(topic: topic) }
                try await client.pause(attempt: attempt)
                attempt += 1
            }
            let now = client.clock.monotonic
            guard now < end else { return [] }
            if gathered.isEmpty, failure == nil { await wait(ms: min(end.ms(since: now) + 1, 250)) }
        }
    }

    /// Commits what ``poll(waitMs:)`` has handed out.
    public func commit() async throws {
        try await commit(delivered.filter { committed[$0.key] != $0.value })
    }

    /// Commits these offsets: the first that is not yet done with. Does nothing without a group.
    public func commit(_ offsets: [TopicPartition: Offset]) async throws {
        guard let member else { return }
        lastCommit = client.clock.monotonic
        try await member.commit(offsets)
        committed.merge(offsets) { $1 }
    }

    /// Commits where that is automatic, leaves the group, and closes this consumer's connections: also when the caller's task is cancelled.
    public func close() async {
        guard !isClosed else { return }
        isClosed = true
        for task in fetching.values { task.cancel() }
        wake()
        await Task { await self.leave() }.value
    }

    private func leave() async {
        if let member {
            // What cannot be committed now is read again by the next owner: at least once.
            if options.autoCommitMs != nil, await !member.mustJoin { try? await commit() }
            await member.leave()
            await client.close(lane: member.lane)
        }
        await client.close(lane: lane)
    }

    // MARK: The group

    private func keepGroup() async throws {
        guard let member else { return }
        if await member.mustJoin {
            if options.autoCommitMs != nil, !delivered.isEmpty {
                // Refused once the group has moved on; then the next owner reads these records again.
                do { try await commit() } catch is ClientError {}
            }
            gathered = []
            positions = [:]
            delivered = [:]
            let share = try await member.join()
            let offsets = try await member.committed(share)
            committed = offsets
            delivered = offsets
            for place in share { positions[place] = try offsets[place].map { .offset($0) } ?? start(place) }
        } else if let interval = options.autoCommitMs, client.clock.monotonic.ms(since: lastCommit) >= interval {
            do { try await commit() } catch let error as ClientError where error.isRetriable || error.isRebalance {}
        }
    }

    private func start(_ place: TopicPartition) throws -> StartPosition {
        guard let reset = options.reset else { throw ClientError.refused(.offsetOutOfRange, what: "\(place) has no position") }
        return reset
    }

    /// Turns places such as "earliest" into offsets.
    private func resolve() async throws {
        let unknown = positions.filter { if case .offset = $0.value { false } else { true } }
        guard !unknown.isEmpty else { return }
        let found = try await client.retrying(what: "offsets") { try await self.client.offsets(unknown) }
        for (place, offset) in found where positions[place] == unknown[place] {
            positions[place] = .offset(offset)
            delivered[place] = delivered[place] ?? offset
        }
    }

    // MARK: Fetching

    /// Sends a fetch to every leader that has none on its way, as long as the last answers have been taken.
    private func startFetches() {
        guard gathered.isEmpty, failure == nil, !planning, !isClosed else { return }
        planning = true
        Task { await self.plan() }
    }

    private func plan() async {
        do {
            let metadata = try await client.metadata(topics: Set(positions.keys.map(\.topic)).sorted())
            planning = false
            var plans: [Int32: FetchPlan] = [:]
            for (place, position) in positions {
                guard case .offset(let offset) = position else { continue }
                guard let leader = metadata.leader(place.topic, place.partition) else {
                    throw ClientError.refused(metadata.topics[place.topic]?.error ?? .leaderNotAvailable, what: "\(place)")
                }
                plans[leader, default: FetchPlan(leader: leader, positions: [:])].positions[place] = offset
            }
            for plan in plans.values where fetching[plan.leader] == nil {
                fetching[plan.leader] = Task { await self.fetch(plan) }
            }
        } catch {
            planning = false
            failure = error
            wake()
        }
    }

    private func fetch(_ plan: FetchPlan) async {
        do {
            let answer = try await Fetcher.fetch(plan, client: client, lane: lane, options: options)
            fetching[plan.leader] = nil
            attempt = 0
            for part in answer { try await accept(part) }
            // Nothing came: ask again without waiting to be polled.
            if gathered.isEmpty { startFetches() }
        } catch {
            fetching[plan.leader] = nil
            failure = failure ?? error
        }
        wake()
    }

    private func accept(_ part: FetchedPartition) async throws {
        // The position may have moved while the fetch was under way; what it brought is then not wanted.
        guard positions[part.source] == .offset(part.from) else { return }
        switch part.code {
        case .none:
            watermarks[part.source] = part.highWatermark
            guard let last = part.batches.last else { return }
            positions[part.source] = .offset(last.header.nextOffset)
            gathered.append(part)
        case .offsetOutOfRange:
            positions[part.source] = try start(part.source)
            // What was read no longer tells where to go on, and must not be committed.
            delivered[part.source] = nil
        case let code where code.isRetriable:
            await client.forget(topic: part.source.topic)
            throw ClientError.refused(code, what: "\(part.source)")
        default:
            throw ClientError.refused(part.code, what: "\(part.source)")
        }
    }

    /// Hands out what was gathered; checks that it is still wanted.
    private func take() throws -> [FetchedBatch] {
        var batches: [FetchedBatch] = []
        for part in gathered {
            guard let last = part.batches.last, positions[part.source] == .offset(last.header.nextOffset) else { continue }
            delivered[part.source] = last.header.nextOffset
            batches.append(contentsOf: part.batches)
        }
        gathered = []
        return batches
    }

    // MARK: Waiting

    private func wait(ms: Int64) async {
        let timer = Task {
            // Cancelled when the wait ends; it must not end the next one.
            do { try await Task.sleep(for: .milliseconds(ms)) } catch { return }
            self.wake()
        }
        await withCheckedContinuation { continuation in
            waiter?.resume()
            waiter = continuation
        }
        timer.cancel()
    }

    private func wake() {
        waiter?.resume()
        waiter = nil
    }
}
