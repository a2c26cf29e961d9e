import KafkaClient
import Model
import NIOCore

/// Acts a ``DemoScript`` out against a broker, through its Kafka door like any other client: one client for each producer and each member.
///
/// It goes on whatever the operator does meanwhile: topics that are deleted are made again, groups that are reset read again.
struct DemoWorkload: Sendable {
    let address: HostPort
    let script: DemoScript
    let clock: any Clock

    /// Runs until the time is over or the task is cancelled. Throws only when the broker can't be reached at the start.
    static func run(against address: HostPort, script: DemoScript = .standard, seconds: Int? = nil, clock: any Clock) async throws {
        let workload = DemoWorkload(address: address, script: script, clock: clock)
        let client = workload.client("demo")
        do {
            try await client.metadata(topics: [])
        } catch {
            await client.close()
            throw error
        }
        await client.close()
        await withTaskGroup(of: Void.self) { group in
            let start = clock.monotonic
            for (index, topic) in script.topics.enumerated() {
                group.addTask { await workload.keepPublishing(topic, seed: UInt64(index) + 1, start: start) }
            }
            for member in script.groups.flatMap({ group in group.members.indices.map { (group, $0) } }) {
                group.addTask { await workload.keepConsuming(member.0, member: member.1, start: start) }
            }
            group.addTask { await ShopWorkload(address: address, script: script.shop, clock: clock, start: start).run() }
            if let seconds {
                await workload.sleep(ms: Int64(seconds) * 1_000)
                group.cancelAll()
            }
            await group.waitForAll()
        }
    }

    private func client(_ id: String) -> Client {
        var options = ClientOptions(bootstrap: [address])
        options.clientID = id
        options.deliveryTimeoutMs = 10_000
        options.metadataMaxAgeMs = 10_000
        return Client(options: options, clock: clock)
    }

    // MARK: Publishing

    /// Publishes and, after an error, begins again with a new client.
    private func keepPublishing(_ topic: DemoScript.Topic, seed: UInt64, start: Monotonic) async {
        var records = DemoRecords(seed: seed)
        while !Task.isCancelled {
            let client = client("demo-\(topic.name)")
            do {
                try await publish(topic, &records, over: client, start: start)
            } catch {
                // The broker is away, or the topic was deleted under way: both are part of the play.
                await sleep(ms: 1_000)
            }
            await client.close()
        }
    }

    private func publish(_ topic: DemoScript.Topic, _ records: inout DemoRecords, over client: Client, start: Monotonic) async throws {
        do {
            // 16 MiB a partition keeps the demo small in memory.
            try await client.createTopic(topic.name, partitions: topic.partitions, configs: ["retention.bytes": "16777216"])
        } catch ClientError.refused(.topicAlreadyExists, _) {
            // From an earlier run.
        }
        var options = ProducerOptions()
        options.acks = .leader
        options.lingerMs = 20
        options.createTopics = false
        let producer = try await Producer(client: client, options: options)
        var last = clock.monotonic
        var owed = 0.0
        var flushed = last
        while !Task.isCancelled {
            await sleep(ms: 50)
            let now = clock.monotonic
            owed += topic.rate(atSecond: seconds(start, now)) * seconds(last, now)
            last = now
            // After a pause (a laptop that slept) nothing is made up for.
            let count = min(Int(owed), Int(topic.perSecond * 2) + 1)
            owed = min(owed - Double(count), topic.perSecond)
            if count > 0 { try await producer.send(records.make(count, for: topic), topic: topic.name) }
            if now.ms(since: flushed) > 1_000 {
                flushed = now
                try await producer.flush()
            }
        }
        try await producer.flush()
    }

    // MARK: Consuming

    private func keepConsuming(_ group: DemoScript.Group, member: Int, start: Monotonic) async {
        let habit = group.members[member]
        while !Task.isCancelled {
            let client = client("\(group.name)-\(member + 1)")
            var isOver = false
            var awayMs: Int64 = 0
            do {
                // Topics are made by their producers: a moment's patience.
                _ = try await client.topic(group.topic)
                isOver = try await consume(group, habit, over: client, start: start)
                if case .comesAndGoes(_, let away) = habit { awayMs = Int64(away * 1_000) }
            } catch {
                // The broker is away, the group has moved on, or there is no topic yet.
                awayMs = 1_000
            }
            await client.close()
            if isOver { return }
            await sleep(ms: awayMs)
        }
    }

    /// One stay in the group. True when this member never comes back.
    private func consume(_ group: DemoScript.Group, _ habit: DemoScript.Habit, over client: Client, start: Monotonic) async throws -> Bool {
        var options = ConsumerOptions()
        options.reset = .earliest
        options.autoCommitMs = nil
        options.partitionBytes = 64 << 10
        let consumer = await Consumer(client: client, options: options, group: group.name, topics: [group.topic])
        let result = await Result.async { try await work(consumer, habit, start: start) }
        await consumer.close()
        return try result.get()
    }

    private func work(_ consumer: Consumer, _ habit: DemoScript.Habit, start: Monotonic) async throws -> Bool {
        let arrived = clock.monotonic
        var committed = arrived
        while !Task.isCancelled {
            let now = clock.monotonic
            switch habit {
            case .comesAndGoes(let stay, _) where seconds(arrived, now) > stay: return false
            case .gaveUp(let after) where seconds(arrived, now) > after: return true
            case .stalls(let every, let pause) where Self.isStalled(seconds(start, now), every: every, pause: pause):
                await sleep(ms: 1_000)
                try await commit(consumer)
                // Keeps its place in the group when that rebalances; what comes is left for later by not being asked for.
                continue
            default: break
            }
            let batches = try await consumer.poll(waitMs: 500)
            let count = batches.reduce(0) { $0 + Int($1.header.recordCount) }
            if case .limited(let perSecond) = habit { await sleep(ms: Int64(Double(count) * 1_000 / perSecond)) }
            if clock.monotonic.ms(since: committed) > 1_000 {
                committed = clock.monotonic
                try await commit(consumer)
            }
        }
        return true
    }

    /// Commits what was read. When the group has moved on or the broker is away, that is left to the next time.
    private func commit(_ consumer: Consumer) async throws {
        do {
            try await consumer.commit(await consumer.delivered)
        } catch let error as ClientError where error.isRebalance || error.isRetriable {}
    }

    /// The last `pause` seconds of every `every`.
    static func isStalled(_ second: Double, every: Double, pause: Double) -> Bool {
        second.truncatingRemainder(dividingBy: every) >= every - pause
    }

    // MARK: Time

    private func seconds(_ from: Monotonic, _ to: Monotonic) -> Double { Double(to.ns &- from.ns) / 1e9 }

    private func sleep(ms: Int64) async {
        // Only cancellation ends it early, and every loop looks for that.
        try? await Task.sleep(for: .milliseconds(ms))
    }
}
