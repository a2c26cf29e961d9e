import Control

/// What the Delay screen is about.
extension ConsoleModel {
    /// The bucket under the cursor, or the opened one.
    var selectedBucket: DelayBucketRow? {
        let buckets = shown?.delay?.buckets ?? []
        if let opened = delay.opened { return buckets.first { $0.label == opened } }
        return buckets.indices.contains(delay.list.cursor) ? buckets[delay.list.cursor] : nil
    }

    /// Queues in which messages wait: for their time, or for their next attempt; the most first.
    var bucketQueues: [String] {
        if let delayQueue { return [delayQueue] }
        func waiting(_ row: QueueRow) -> Int64 { delay.tab == 0 ? row.delayed : row.retrying }
        let rows = (shown?.queues.rows ?? []).filter { waiting($0) > 0 }
        return rows.sorted { (waiting($1), $0.name) < (waiting($0), $1.name) }.map(\.name)
    }

    /// The queue whose messages an opened bucket shows.
    var shownBucketQueue: String? {
        let queues = bucketQueues
        return bucketQueue.flatMap { queues.contains($0) ? $0 : nil } ?? queues.first
    }

    /// `<` and `>` in an opened bucket.
    mutating func turnBucketQueue(_ step: Int) {
        let queues = bucketQueues
        guard let shown = shownBucketQueue, let place = queues.firstIndex(of: shown), queues.count > 1 else {
            say("no other queue has messages waiting", .dim)
            return
        }
        bucketQueue = queues[(place + step + queues.count) % queues.count]
        delay.messages = ListState()
    }

    /// Wall times [from, to) of the bucket; nil where it has no end.
    var bucketSpan: (fromMs: Int64?, toMs: Int64?) {
        guard let bucket = selectedBucket else { return (nil, nil) }
        let now = brokerNowMs
        return (bucket.fromMs < 0 ? nil : now + bucket.fromMs, bucket.fromMs < 0 ? now : bucket.toMs.map { now + $0 })
    }
}
