import Control

/// The queues' part of the story: orders pile up, payments die of a gateway that times out, a batch queue is held.
extension FakeControl {
    static let nowMs = startMs

    static func queue(
        _ name: String, ready: Int64 = 0, unacked: Int64 = 0, delayed: Int64 = 0, retrying: Int64 = 0, dead: Int64 = 0, inRate: Double = 0,
        outRate: Double = 0, consumers: Int = 0, oldestMs: Int64? = nil, etaMs: Int64? = nil, trend: [Double?] = []
    ) -> QueueRow {
        var row = QueueRow(name: name)
        (row.ready, row.unacked, row.delayed, row.retrying, row.dead) = (ready, unacked, delayed, retrying, dead)
        (row.inRate, row.outRate, row.netRate, row.ackRate) = (inRate, outRate, inRate - outRate, outRate)
        (row.consumers, row.oldestMs, row.etaMs, row.drains) = (consumers, oldestMs, etaMs, etaMs != nil || ready == 0)
        (row.bytes, row.trend) = (ready * 200, trend)
        return row
    }

    static let storyQueues: [QueueRow] = {
        var orders = queue(
            "shop.orders", ready: 31_200, unacked: 800, delayed: 210, dead: 12, inRate: 4_100, outRate: 3_980, consumers: 8,
            oldestMs: 252_000, trend: ramp(60, from: 9_000, to: 31_200))
        orders.limitShare = 0.31
        var batch = queue(
            "payments.batch", ready: 4_400, inRate: 12, consumers: 2, oldestMs: 1_860_000, trend: ramp(60, from: 4_000, to: 4_400))
        batch.held = true
        var dlq = queue("payments.dlq", ready: 214, inRate: 0.6, oldestMs: 360_000, trend: ramp(60, from: 10, to: 214))
        dlq.isDeadLetter = true
        return [
            orders,
            queue(
                "shop.orders.retry", retrying: 1_842, inRate: 31, outRate: 31, consumers: 2, trend: wave(60, seed: 4, scale: 3)),
            batch, dlq,
            queue("email.out", ready: 9_100, inRate: 12, oldestMs: 1_320_000, trend: ramp(60, from: 8_000, to: 9_100)),
            queue(
                "thumbs", ready: 6_800, unacked: 240, inRate: 310, outRate: 520, consumers: 3, oldestMs: 41_000, etaMs: 32_000,
                trend: ramp(60, from: 9_000, to: 6_800)),
        ]
    }()

    static func detail(queue name: String, _ state: State) -> QueueDetail? {
        guard let row = state.queues.first(where: { $0.name == name }) else { return nil }
        var detail = QueueDetail()
        detail.row = row
        detail.policy = "16 attempts, 10s 30s 1m … 2h"
        detail.deadLetter = row.isDeadLetter ? nil : "\(name).dlq"
        detail.limits = row.limitShare == nil ? "" : "100k msgs / 2G, at 31%"
        detail.consumers = (0..<row.consumers).map { index in
            var consumer = ConsumerRow()
            (consumer.id, consumer.client, consumer.host) = ("\(name)-\(index)-8f20", "worker-\(index)", "10.0.4.\(15 + index)")
            (consumer.unacked, consumer.ackRate, consumer.lastAckMs) = index == 0 ? (100, 0, 252_000) : (90, 512, 20)
            consumer.silentMs = consumer.lastAckMs
            if index > 0 { (consumer.ackP50Ms, consumer.ackP99Ms) = (6, 240) }
            return consumer
        }
        var partition = QueuePartitionRow()
        (partition.topic, partition.start, partition.end, partition.firstOpen) = (name, 1_000, 90_000, 58_000)
        (partition.ready, partition.unacked, partition.retrying) = (row.ready, row.unacked, row.retrying)
        (partition.netRate, partition.etaMs) = (row.netRate, row.etaMs)
        detail.partitions = [partition]
        detail.attempts = attempts
        detail.configs = [ConfigRow(name: "delivery.limit", value: "16", isDefault: false)]
        detail.history.endMs = state.nowMs
        detail.history.ready = ramp(300, from: 9_000, to: Double(row.ready))
        detail.history.inRate = wave(300, seed: 2, scale: row.inRate)
        detail.history.outRate = wave(300, seed: 7, scale: row.outRate)
        detail.undos = state.undos.filter { $0.queue == name }
        return detail
    }

    static let attempts: [AttemptRow] = [
        attempt(1, nil, 4_200, 3_444, 0), attempt(2, 10_000, 611, 373, 0), attempt(5, 1_800_000, 64, 3, 61),
    ]

    private static func attempt(_ number: Int, _ waitMs: Int64?, _ count: Int64, _ succeeded: Int64, _ died: Int64) -> AttemptRow {
        var row = AttemptRow()
        (row.attempt, row.waitMs, row.count, row.succeeded, row.died) = (number, waitMs, count, succeeded, died)
        return row
    }

    // MARK: delay

    static func delay(_ query: DelayQuery, _ state: State) -> DelayOverview {
        var overview = DelayOverview()
        overview.queue = query.queue
        let edges: [(String, Int64, Int64?, Int64, [Int: Int64])] = [
            ("overdue", -1, 0, 0, [:]), ("<1s", 0, 1_000, 140, [2: 12]), ("1-10s", 1_000, 10_000, 260, [2: 31]),
            ("10s-1m", 10_000, 60_000, 300, [2: 80, 3: 20]), ("1-5m", 60_000, 300_000, 758, [2: 1_200, 3: 500, 4: 142]),
            ("5-30m", 300_000, 1_800_000, 1_100, [4: 60, 5: 9]), ("30m-1h", 1_800_000, 3_600_000, 0, [:]),
            ("1-6h", 3_600_000, 21_600_000, 1_700, [5: 40]), (">6h", 21_600_000, nil, 190, [:]),
        ]
        overview.buckets = edges.map { label, from, to, delayed, retries in
            var bucket = DelayBucketRow()
            (bucket.label, bucket.fromMs, bucket.toMs) = (label, from, to)
            (bucket.delayed, bucket.retries) = (delayed, retries)
            bucket.releaseRate = label == "1-5m" ? 310 : Double(bucket.count) / 60
            return bucket
        }
        overview.delayed = overview.buckets.reduce(0) { $0 + $1.delayed } - Int64(state.cancelled.count)
        overview.retrying = overview.buckets.reduce(0) { $0 + $1.retries.values.reduce(0, +) }
        overview.nextDueMs = 200
        overview.drainLimit = 180
        overview.forecast = (0..<60).map { $0 == 18 ? 310 : Double($0 % 7) * 9 }
        overview.attempts = attempts
        return overview
    }

    static func messages(_ query: MessageQuery, _ state: State) -> Page<MessageRow> {
        let kind = query.state ?? .ready
        let rows = (0..<40).map { index -> MessageRow in
            var row = MessageRow()
            row.state = kind
            row.id = kind == .delayed ? "d0-\(1_200 + index)" : "0/\(58_000 + index)"
            row.queue = query.queue.isEmpty ? (index % 2 == 0 ? "shop.orders" : "email.out") : query.queue
            row.attempts = kind == .waiting ? 1 + index % 3 : 0
            if kind == .delayed || kind == .waiting { row.dueMs = (query.fromMs ?? state.nowMs) + Int64(index) * 700 }
            row.atMs = state.nowMs - 60_000 - Int64(index) * 250
            row.key = "cart-\(index)"
            row.value = "{\"order\":\(7_000 + index),\"total\":19.90}"
            row.bytes = 31
            return row
        }.filter { !state.cancelled.contains($0.id) }
        return window(rows, query)
    }

    static func window(_ rows: [MessageRow], _ query: MessageQuery) -> Page<MessageRow> {
        var matched = rows
        if let reason = query.filter.reason { matched.removeAll { !"\($0.reason ?? ""): \($0.error ?? "")".hasPrefix(reason) } }
        if let text = query.filter.match { matched.removeAll { !($0.key ?? "").contains(text) && !$0.value.contains(text) } }
        if !query.filter.headers.isEmpty { matched = [] }
        return Page(
            rows: Array(matched.dropFirst(query.start).prefix(query.count)), start: query.start, matched: matched.count, total: rows.count)
    }
}
