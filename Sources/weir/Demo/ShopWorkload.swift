import KafkaClient
import Model
import NIOCore

/// Acts a ``ShopScript`` out against a broker with share groups, through its Kafka door: queues are topics, workers are share consumers.
///
/// Against a broker without them it does nothing: the rest of the demo needs no queues.
struct ShopWorkload: Sendable {
    let address: HostPort
    let script: ShopScript
    let clock: any Clock
    let start: Monotonic

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await keep("shop-front") { try await publishOrders($0) } }
            group.addTask { await keep("shop-sale") { try await publishSale($0) } }
            group.addTask { await keep("shop-reminders") { try await publishReminders($0) } }
            for queue in script.queues {
                for number in 1...queue.workers {
                    group.addTask { await keep("\(queue.name)-worker-\(number)") { try await work(queue, number: number, $0) } }
                }
            }
        }
    }

    /// Runs `body` with a client of its own and, after an error, begins again.
    private func keep(_ id: String, _ body: @Sendable (Client) async throws -> Void) async {
        while !Task.isCancelled {
            var options = ClientOptions(bootstrap: [address])
            options.clientID = id
            options.deliveryTimeoutMs = 10_000
            options.metadataMaxAgeMs = 10_000
            let client = Client(options: options, clock: clock)
            var isUnable = false
            do {
                try await body(client)
            } catch ClientError.unsupported {
                isUnable = true
            } catch {
                // The broker is away, or a queue was deleted or is not there yet: all are part of the play.
                await sleep(ms: 1_000)
            }
            await client.close()
            if isUnable { return }
        }
    }

    // MARK: Publishing

    private func declare(_ name: String, _ client: Client) async throws {
        guard let queue = script.queues.first(where: { $0.name == name }) else { return }
        do {
            try await client.createTopic(name, partitions: 1, configs: ShopScript.keep.merging(queue.settings) { $1 })
        } catch ClientError.refused(.topicAlreadyExists, _) {
            // From an earlier run.
        }
    }

    private func producer(_ client: Client) async throws -> Producer {
        var options = ProducerOptions()
        options.acks = .leader
        options.lingerMs = 20
        options.createTopics = false
        return try await Producer(client: client, options: options)
    }

    private func publishOrders(_ client: Client) async throws {
        try await declare("payments", client)
        try await declare("orders.unpaid", client)
        let producer = try await producer(client)
        // Numbers go on where the clock says, so that a second run does not repeat the first's.
        var order = Int(clock.now.ms / 1_000 % 1_000_000) * 100
        try await publish(producer, perSecond: { _ in script.ordersPerSecond }) { count in
            var payments: [OutgoingRecord] = []
            var checks: [OutgoingRecord] = []
            for _ in 0..<count {
                order += 1
                let amount = 500 + order * 37 % 49_500
                let key = ByteBuffer(string: "o\(order)")
                if script.isPaid(order: order) {
                    payments.append(OutgoingRecord(key: key, value: ByteBuffer(string: #"{"order":\#(order),"amount":\#(amount)}"#)))
                }
                checks.append(
                    OutgoingRecord(
                        key: key, value: ByteBuffer(string: #"{"order":\#(order),"if":"unpaid","do":"cancel"}"#),
                        headers: [Record.Header(name: "x-delay", value: ByteBuffer(string: String(script.unpaidAfterMs)))]))
            }
            if !payments.isEmpty { try await producer.send(payments, topic: "payments") }
            try await producer.send(checks, topic: "orders.unpaid")
        }
    }

    private func publishSale(_ client: Client) async throws {
        try await declare("flash-sale", client)
        let producer = try await producer(client)
        var number = 0
        try await publish(producer, perSecond: script.saleRate) { count in
            let bids = (0..<count).map { _ in
                number += 1
                return OutgoingRecord(value: ByteBuffer(string: #"{"bid":\#(number),"item":"lamp"}"#))
            }
            try await producer.send(bids, topic: "flash-sale")
        }
    }

    private func publishReminders(_ client: Client) async throws {
        try await declare("reminders", client)
        let producer = try await producer(client)
        var last = -1.0
        while !Task.isCancelled {
            let now = second
            if script.sendsHerd(from: last, to: now) {
                let due = Record.Header(name: "x-deliver-at", value: ByteBuffer(string: String(clock.now.ms + script.herdAfterMs)))
                let mails = (1...script.herdSize).map { number in
                    OutgoingRecord(value: ByteBuffer(string: #"{"customer":\#(number),"text":"back in stock"}"#), headers: [due])
                }
                try await producer.send(mails, topic: "reminders")
                try await producer.flush()
            }
            last = now
            await sleep(ms: 500)
        }
    }

    /// Calls `send` with how many are due, twenty times a second, and flushes once a second. A publish that the queue's gate refuses is
    /// lost: that is what shedding load means.
    private func publish(
        _ producer: Producer, perSecond: (Double) -> Double, _ send: (Int) async throws -> Void
    ) async throws {
        var last = second
        var owed = 0.0
        var flushed = last
        while !Task.isCancelled {
            await sleep(ms: 50)
            let now = second
            // After a pause (a laptop that slept) nothing is made up for.
            owed += perSecond(now) * min(1, now - last)
            last = now
            let count = Int(owed)
            owed -= Double(count)
            if count > 0 { try await send(count) }
            if now - flushed > 1 {
                flushed = now
                do { try await producer.flush() } catch ClientError.refused(.policyViolation, _) {}
            }
        }
    }

    // MARK: Working

    private func work(_ queue: ShopScript.Queue, number: Int, _ client: Client) async throws {
        // Queues are made by their publishers: a moment's patience.
        _ = try await client.topic(queue.name)
        let id = "\(queue.name)-\(number)-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        var options = ShareOptions()
        options.maxRecords = 50
        let consumer = await ShareConsumer(client: client, group: queue.name, topics: [queue.name], memberID: id, options: options)
        let result = await Result.async { try await work(queue, with: consumer, client) }
        await consumer.close()
        try result.get()
    }

    private func work(_ queue: ShopScript.Queue, with consumer: ShareConsumer, _ client: Client) async throws {
        let orders = queue.name == "orders.unpaid" ? try await producer(client) : nil
        while !Task.isCancelled {
            let records = try await consumer.poll()
            guard !records.isEmpty else { continue }
            await sleep(ms: Int64(Double(records.count) * 1_000 / queue.perSecond))
            var answers: [(record: SharedRecord, answer: ShareAnswer)] = []
            var cancelled: [OutgoingRecord] = []
            for record in records {
                let order = record.record.key.flatMap { ShopScript.order(key: String(buffer: $0)) }
                let verdict =
                    queue.name == "payments"
                    ? script.payment(order: order ?? 0, atSecond: second, draw: Double.random(in: 0..<1)) : ShareAnswer.accept
                answers.append((record, verdict))
                if orders != nil, let order, !script.isPaid(order: order) {
                    cancelled.append(
                        OutgoingRecord(
                            key: record.record.key, value: ByteBuffer(string: #"{"order":\#(order),"state":"cancelled"}"#)))
                }
            }
            if let orders, !cancelled.isEmpty {
                try await orders.send(cancelled, topic: "orders")
                try await orders.flush()
            }
            do {
                try await consumer.acknowledge(answers)
            } catch ClientError.refused(.invalidRecordState, _) {
                // An operator purged or discarded some of them meanwhile.
            }
        }
    }

    // MARK: Time

    /// Since the demo's start.
    private var second: Double { Double(clock.monotonic.ns &- start.ns) / 1e9 }

    private func sleep(ms: Int64) async {
        // Only cancellation ends it early, and every loop looks for that.
        try? await Task.sleep(for: .milliseconds(ms))
    }
}
