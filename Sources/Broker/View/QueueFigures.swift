import Model
import Queues

/// One queue in plain numbers: what lists sort by and totals add up. Kept apart from names and graphs, so that a look at ten thousand
/// queues reads two megabytes and counts no references.
struct QueueFigures: Sendable {
    var ready: Int64 = 0
    /// In a consumer's hands, or in those of a job or on the way to the dead-letter queue.
    var unacked: Int64 = 0
    var delayed: Int64 = 0
    var retrying: Int64 = 0
    var dead: Int64 = 0
    /// Died or expired without a target.
    var dropped: Int64 = 0
    var delivered: Int64 = 0
    var accepted: Int64 = 0
    /// Records appended to the topic since the broker's start.
    var recordsIn: Int64 = 0
    var refused: Int64 = 0
    /// Bytes of the log, and of its part that is not settled: in proportion, as the log keeps no sizes of single messages.
    var bytes: Int64 = 0
    var openBytes: Int64 = 0
    var consumers = 0
    var inRate = 0.0
    var outRate = 0.0
    var ackRate = 0.0
    var refusedRate = 0.0
    /// Change of `ready` per second over the last ten seconds.
    var netRate = 0.0
    /// When the slowest of several partitions is drained; nil for one partition, and for priorities.
    var slowest: QueueDrain.ETA?
    /// When the oldest message that is not settled was appended, where any is ready; nil when it is not known.
    var oldestAt: Timestamp?
    /// The nearest limit and how full it is, 0 to 1 and above; nil without one.
    var limit: NearestLimit?
    var holdsDelivery = false
    var holdsPublishing = false
    /// See ``QueueTracks/deadLetterSources``.
    var isDeadLetter = false

    /// Messages that were not settled: what lies in a dead-letter queue.
    var open: Int64 { ready + unacked + retrying }

    init() {}

    /// Takes over what its cursors count; rates and what is known otherwise stay.
    mutating func take(_ sample: QueueSample, _ policy: QueuePolicy) {
        (ready, unacked, retrying, dead, dropped, delivered, accepted) = (0, 0, 0, 0, 0, 0, 0)
        (refused, bytes, openBytes) = (0, 0, 0)
        (holdsDelivery, holdsPublishing) = (false, false)
        var share: Double?
        for counts in sample.cursors {
            ready += counts.ready
            unacked += counts.unacked
            retrying += counts.waiting
            dead += counts.dead
            dropped += counts.dropped + counts.expired
            delivered += counts.delivered
            accepted += counts.accepted
            refused += counts.refused
            bytes += counts.bytes
            let span = counts.end - counts.start - counts.holes
            openBytes += span > 0 ? Int64(Double(counts.bytes) * min(1, Double(counts.open) / Double(span))) : 0
            if let cursor = counts.limitShare { share = max(share ?? 0, cursor) }
            holdsDelivery = holdsDelivery || counts.holdsDelivery
            holdsPublishing = holdsPublishing || counts.holdsPublishing
        }
        recordsIn = sample.recordsIn
        limit = NearestLimit(policy, ready: ready, bytes: openBytes, share: share)
    }
}

struct NearestLimit: Sendable {
    enum Kind: String, Sendable {
        case depth = "max.depth"
        case bytes = "max.bytes"
    }
    var kind: Kind
    var limit: Int64
    var share: Double

    /// - Parameter share: how full the fullest partition's nearest limit is; the cursors know, but before the first message nobody does.
    init?(_ policy: QueuePolicy, ready: Int64, bytes: Int64, share: Double?) {
        guard policy.maxDepth != nil || policy.maxBytes != nil else { return nil }
        let limits: [(Kind, Int64?, Int64)] = [(.depth, policy.maxDepth, ready), (.bytes, policy.maxBytes, bytes)]
        let full = limits.compactMap { kind, limit, value in
            limit.map { (kind, $0, share ?? Double(value) / Double(max(1, $0))) }
        }.max { $0.2 < $1.2 }
        guard let (kind, limit, share) = full else { return nil }
        (self.kind, self.limit, self.share) = (kind, limit, share)
    }
}

/// All queues added up. What lies in dead-letter queues counts as dead, not as ready.
struct QueueTotals: Sendable {
    var queues = 0
    var ready: Int64 = 0
    var unacked: Int64 = 0
    var delayed: Int64 = 0
    var retrying: Int64 = 0
    var dead: Int64 = 0

    init() {}

    mutating func add(_ queue: QueueFigures, times sign: Int64 = 1) {
        queues += Int(sign)
        if queue.isDeadLetter {
            dead += sign * queue.open
        } else {
            ready += sign * queue.ready
            unacked += sign * queue.unacked
            retrying += sign * queue.retrying
        }
        delayed += sign * queue.delayed
    }
}
