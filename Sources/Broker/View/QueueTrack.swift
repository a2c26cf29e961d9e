import Control
import Model
import Queues

/// One queue's counts, rates and history, fed once a second.
struct QueueTrack: Sendable {
    private(set) var sample: QueueSample
    /// The name in lower case, for filters.
    let folded: String
    /// What the queue is told to do with its messages, and the settings this was read from.
    var policy = QueuePolicy()
    var settings: QueueSettings?
    /// It is another queue's dead-letter target for another reason than expiry.
    var isDeadLetter = false
    private(set) var sums = QueueSums()
    private(set) var inRate = 0.0
    private(set) var outRate = 0.0
    private(set) var ackRate = 0.0
    /// Change of `ready` per second over the last ten seconds.
    private(set) var netRate = 0.0
    private(set) var refusedRate = 0.0
    /// Ready messages, a point a second.
    private(set) var trend = Ring<Float>(capacity: 60)
    /// A point every ten seconds, a quarter of an hour; and every second, for the busiest queues.
    private(set) var coarse = Ring<QueuePoint>(capacity: 90)
    var fine: Ring<QueuePoint>?
    /// Attempt counts every five minutes for an hour.
    private var attemptMarks = Ring<[AttemptCount]>(capacity: 12)
    private var ticks = 0

    static let coarseSeconds = 10
    private static let attemptSeconds = 300

    init(_ sample: QueueSample) {
        self.sample = sample
        folded = sample.name.lowercased()
    }

    mutating func take(_ next: QueueSample, seconds: Double) {
        let before = sums
        let isFirst = ticks == 0
        sums = QueueSums(next.cursors)
        if !isFirst {
            inRate = Double(max(0, next.recordsIn - sample.recordsIn)) / seconds
            outRate = Double(max(0, sums.delivered - before.delivered)) / seconds
            ackRate = Double(max(0, sums.accepted - before.accepted)) / seconds
            refusedRate = Double(max(0, sums.refused - before.refused)) / seconds
        }
        sample = next
        trend.append(Float(sums.ready))
        let recent = trend.suffix(11)
        netRate = recent.count > 1 ? Double((recent.last ?? 0) - (recent.first ?? 0)) / Double(recent.count - 1) : 0
        let point = QueuePoint(ready: Float(sums.ready), inRate: Float(inRate), outRate: Float(outRate))
        fine?.append(point)
        if ticks % Self.coarseSeconds == 0 { coarse.append(point) }
        if ticks % Self.attemptSeconds == 0 { attemptMarks.append(sums.attempts) }
        ticks += 1
    }

    /// Takes over counts between two seconds: rates and graphs stay as they are.
    mutating func refresh(_ next: QueueSample) {
        let recordsIn = sample.recordsIn
        sample = next
        sample.recordsIn = recordsIn
        sums = QueueSums(next.cursors)
    }

    /// Messages that were not settled: what lies in a dead-letter queue.
    var open: Int64 { sums.ready + sums.unacked + sums.retrying }

    /// Change of `ready` per minute over the last minute.
    var perMinute: Double {
        let points = trend.suffix(60)
        guard points.count > 1 else { return 0 }
        return Double((points.last ?? 0) - (points.first ?? 0)) * 60 / Double(points.count - 1)
    }

    /// What became of deliveries by attempt number within the last hour: at index 0 the first attempts.
    var attempts: [AttemptCount] {
        let old = attemptMarks.suffix(12).first ?? []
        return sums.attempts.enumerated().map { index, count in
            guard index < old.count else { return count }
            var change = AttemptCount()
            change.delivered = max(0, count.delivered - old[index].delivered)
            change.succeeded = max(0, count.succeeded - old[index].succeeded)
            change.died = max(0, count.died - old[index].died)
            return change
        }
    }

    /// The same of several queues together.
    static func attempts(of tracks: [QueueTrack]) -> [AttemptCount] {
        var sum: [AttemptCount] = []
        for track in tracks {
            for (index, count) in track.attempts.enumerated() {
                if index == sum.count { sum.append(AttemptCount()) }
                sum[index].delivered += count.delivered
                sum[index].succeeded += count.succeeded
                sum[index].died += count.died
            }
        }
        return sum
    }

    /// The nearest limit and how full it is, 0 to 1 and above; nil without one.
    var nearestLimit: (name: String, limit: Int64, share: Double)? {
        let limits: [(String, Int64?, Int64)] = [
            ("max.depth", policy.maxDepth, sums.ready), ("max.bytes", policy.maxBytes, sums.openBytes),
        ]
        return limits.compactMap { name, limit, value in
            // The cursors know how full they are; before the first message nobody does.
            limit.map { (name: name, limit: $0, share: sums.limitShare ?? Double(value) / Double(max(1, $0))) }
        }.max { $0.share < $1.share }
    }
}

/// What a queue's policy and place among others is read from: when it is equal, nothing has to be read again.
struct QueueSettings: Equatable, Sendable {
    var topic: [String: String]
    var group: [String: String]
}

struct QueuePoint: Sendable {
    var ready: Float
    var inRate: Float
    var outRate: Float
}

/// A queue's cursors added up.
struct QueueSums: Sendable {
    var ready: Int64 = 0
    var unacked: Int64 = 0
    var retrying: Int64 = 0
    var dead: Int64 = 0
    var dropped: Int64 = 0
    var delivered: Int64 = 0
    var accepted: Int64 = 0
    var refused: Int64 = 0
    /// Bytes of the log, and of its part that is not settled: in proportion, as the log keeps no sizes of single messages.
    var bytes: Int64 = 0
    var openBytes: Int64 = 0
    /// How full the fullest partition's nearest limit is; nil when no cursor says so.
    var limitShare: Double?
    var holdsDelivery = false
    var holdsPublishing = false
    var attempts: [AttemptCount] = []

    init() {}

    init(_ cursors: [CursorCounts]) {
        for counts in cursors {
            ready += counts.ready
            unacked += counts.acquired
            retrying += counts.waiting
            dead += counts.dead
            dropped += counts.dropped
            delivered += counts.delivered
            accepted += counts.accepted
            refused += counts.refused
            bytes += counts.bytes
            let span = counts.end - counts.start - counts.holes
            let open = counts.ready + counts.acquired + counts.waiting
            openBytes += span > 0 ? Int64(Double(counts.bytes) * min(1, Double(open) / Double(span))) : 0
            if let share = counts.limitShare { limitShare = max(limitShare ?? 0, share) }
            holdsDelivery = holdsDelivery || counts.holdsDelivery
            holdsPublishing = holdsPublishing || counts.holdsPublishing
            for (index, attempt) in counts.attempts.enumerated() {
                if index == attempts.count { attempts.append(AttemptCount()) }
                attempts[index].delivered += attempt.delivered
                attempts[index].succeeded += attempt.succeeded
                attempts[index].died += attempt.died
            }
        }
    }
}
