import Control

/// What the Delay screen is about.
extension ConsoleModel {
    /// The bucket under the cursor, or the opened one.
    var selectedBucket: DelayBucketRow? {
        let buckets = shown?.delay?.buckets ?? []
        if let opened = delay.opened { return buckets.first { $0.label == opened } }
        return buckets.indices.contains(delay.list.cursor) ? buckets[delay.list.cursor] : nil
    }

    /// Wall times [from, to) of the bucket; nil where it has no end.
    var bucketSpan: (fromMs: Int64?, toMs: Int64?) {
        guard let bucket = selectedBucket else { return (nil, nil) }
        let now = brokerNowMs
        return (bucket.fromMs < 0 ? nil : now + bucket.fromMs, bucket.fromMs < 0 ? now : bucket.toMs.map { now + $0 })
    }
}
