import Control
import Model
import Queues

/// One queue's name, cursors, policy and history. Written when something changed and, for as long as rates last, once a second.
struct QueueTrack: Sendable {
    private(set) var sample: QueueSample
    /// The name in lower case, for filters.
    let folded: String
    /// What the queue is told to do with its messages; read again when ``QueueSample/settings`` change.
    private(set) var policy = QueuePolicy()
    /// The topic that gets its dead letters; nil without one.
    private(set) var deadLetterTarget: String?
    /// Messages leave it dead for more than their age: what its target gets is dead, and not only late.
    private(set) var givesUp = false
    /// When each cursor's first open message was appended, in the order of the sample's cursors; nil where it is not known.
    private(set) var ages: [QueueAge?]
    /// Where the next look for unknown ages begins, so that a queue of many partitions gets to all of them.
    private var ageTurn = 0
    /// It is among those whose ages are to be looked up.
    var isAgeless = false
    /// Counts as of the last second.
    private var last: QueueFigures?
    private var lastAttempts: [AttemptCount] = []
    private(set) var drain = QueueDrain()
    /// Ready messages, a point a second.
    private(set) var trend = SteppedRing<Float>(capacity: 60)
    /// A point every ten seconds, a quarter of an hour; and every second, for the busiest queues.
    private var coarse = SteppedRing<QueuePoint>(capacity: 90)
    private var fine: SteppedRing<QueuePoint>?
    private var fineSince = 0
    /// Attempt counts every five minutes for an hour.
    private var attemptMarks = SteppedRing<[AttemptCount]>(capacity: 12)
    /// Seconds without a change until nothing is left of the rates.
    private(set) var idleSeconds = 0

    static let coarseSeconds = 10
    static let netSeconds = 10
    private static let attemptSeconds = 300
    private static let fineSeconds = 300

    var key: QueueKey { QueueKey(group: sample.group, topic: sample.topic) }

    init(_ sample: QueueSample, _ policy: QueuePolicy) {
        self.sample = sample
        self.policy = policy
        folded = sample.name.lowercased()
        ages = Array(repeating: nil, count: sample.cursors.count)
        followAges()
        judge(policy)
    }

    /// Takes over counts; rates and graphs follow at the next second.
    /// - Parameter policy: nil when it has not changed.
    mutating func take(_ next: QueueSample, _ policy: QueuePolicy?) {
        if next.cursors.count != sample.cursors.count || !zip(next.cursors, sample.cursors).allSatisfy({ $0.key == $1.key }) {
            let known = Dictionary(zip(sample.cursors.map(\.key), ages), uniquingKeysWith: { first, _ in first })
            ages = next.cursors.map { known[$0.key] ?? nil }
        }
        sample = next
        followAges()
        judge(policy)
    }

    private mutating func judge(_ next: QueuePolicy?) {
        if let next {
            policy = next
            deadLetterTarget = Broker.deadLetterName(policy.deadLetter, group: sample.group)
        }
        givesUp = !policy.diesByAgeOnly || sample.cursors.contains(where: \.hasFailures)
    }

    // MARK: A second

    /// A second has passed, the `tick`-th: rates and graphs follow the counts.
    /// - Parameter hasChanged: false when only its rates fade.
    mutating func tick(_ figures: inout QueueFigures, at tick: Int, seconds: Double, hasChanged: Bool) {
        let before = last ?? figures
        let old = QueuePoint(ready: Float(before.ready), inRate: 0, outRate: 0)
        idleSeconds = hasChanged ? 0 : idleSeconds + 1
        figures.inRate = Double(max(0, figures.recordsIn - before.recordsIn)) / seconds
        figures.outRate = Double(max(0, figures.delivered - before.delivered)) / seconds
        figures.ackRate = Double(max(0, figures.accepted - before.accepted)) / seconds
        figures.refusedRate = Double(max(0, figures.refused - before.refused)) / seconds
        trend.set(Float(figures.ready), at: tick, since: old.ready)
        let recent = trend.suffix(Self.netSeconds + 1, at: tick, now: Float(figures.ready))
        figures.netRate = recent.count > 1 ? Double((recent.last ?? 0) - (recent.first ?? 0)) / Double(recent.count - 1) : 0
        drain.tick(sample.cursors, at: tick)
        figures.slowest = arePriorities ? nil : drain.slowest(sample.cursors)
        let point = QueuePoint(ready: Float(figures.ready), inRate: Float(figures.inRate), outRate: Float(figures.outRate))
        fine?.set(point, at: tick, since: old)
        coarse.fill(to: (tick + Self.coarseSeconds - 1) / Self.coarseSeconds, with: old)
        if tick % Self.coarseSeconds == 0 || last == nil { coarse.set(point, at: tick / Self.coarseSeconds, since: old) }
        let marked = attempts(of: sample)
        attemptMarks.fill(to: (tick + Self.attemptSeconds - 1) / Self.attemptSeconds, with: lastAttempts)
        if tick % Self.attemptSeconds == 0 || last == nil {
            // What was delivered before the first look counts: nothing was before it.
            attemptMarks.set(last == nil ? [] : marked, at: tick / Self.attemptSeconds, since: lastAttempts)
        }
        lastAttempts = marked
        last = figures
    }

    /// Its partitions are priorities.
    private var arePriorities: Bool { sample.isQueue && (sample.settings.topic["queue.priorities"].flatMap { Int($0) } ?? 0) > 1 }

    /// Keeps a point a second from now on, or no longer.
    mutating func setFine(_ isFine: Bool, at tick: Int) {
        guard isFine != (fine != nil) else { return }
        fineSince = tick
        fine = isFine ? SteppedRing(capacity: Self.fineSeconds) : nil
        if let last {
            let point = QueuePoint(ready: Float(last.ready), inRate: Float(last.inRate), outRate: Float(last.outRate))
            fine?.set(point, at: tick, since: point)
        }
    }

    // MARK: Ages

    /// What came lately the shard knows; the rest is looked up.
    private mutating func followAges() {
        for (index, counts) in sample.cursors.enumerated() {
            if let at = counts.firstOpenAt {
                ages[index] = QueueAge(offset: counts.firstOpen, appendedAt: at, end: counts.end)
            } else {
                ages[index] = ages[index]?.still(of: counts)
            }
        }
    }

    /// - Parameter time: when the message at `offset` was appended; nil when that could not be found out.
    mutating func learn(_ time: Timestamp?, at offset: Offset, of partition: PartitionID) {
        guard let index = sample.cursors.firstIndex(where: { $0.key.partition == partition }) else { return }
        let counts = sample.cursors[index]
        ages[index] = time.flatMap { QueueAge(offset: offset, appendedAt: $0, end: counts.end).still(of: counts) }
    }

    private func wantsAge(_ index: Int) -> Bool {
        sample.cursors[index].ready > 0 && ages[index]?.offset != sample.cursors[index].firstOpen
    }

    /// Some cursor has ready messages, and its oldest message's time is not known or is that of one before it.
    var wantsAges: Bool { ages.indices.contains(where: wantsAge) }

    /// First open messages whose times are wanted, of at most `limit` cursors; the next call goes on behind them.
    mutating func nextAges(_ limit: Int) -> [(PartitionID, Offset)] {
        var found: [(PartitionID, Offset)] = []
        let start = ages.isEmpty ? 0 : ageTurn % ages.count
        for step in ages.indices where found.count < limit {
            let index = (start + step) % ages.count
            ageTurn = index + 1
            if wantsAge(index) { found.append((sample.cursors[index].key.partition, sample.cursors[index].firstOpen)) }
        }
        return found
    }

    /// When the oldest open message was appended, where any is ready and the times are known of all cursors that have some: an age of a
    /// part could be far too young.
    var oldestAt: Timestamp? {
        var oldest: Timestamp?
        for (counts, age) in zip(sample.cursors, ages) where counts.ready > 0 {
            guard let age else { return nil }
            oldest = min(oldest ?? age.appendedAt, age.appendedAt)
        }
        return oldest
    }

    // MARK: What is shown

    /// Ready messages, the last `count` seconds.
    func trend(_ count: Int, _ figures: QueueFigures, at tick: Int) -> [Float] {
        trend.suffix(count, at: tick, now: Float(last?.ready ?? figures.ready))
    }

    /// Change of `ready` per minute over the last minute.
    func perMinute(_ figures: QueueFigures, at tick: Int) -> Double {
        let points = trend(60, figures, at: tick)
        guard points.count > 1 else { return 0 }
        return Double((points.last ?? 0) - (points.first ?? 0)) * 60 / Double(points.count - 1)
    }

    /// The graph's points and the seconds between them.
    func graph(_ figures: QueueFigures, at tick: Int) -> (points: [QueuePoint], seconds: Int) {
        let idle = QueuePoint(ready: Float(last?.ready ?? figures.ready), inRate: 0, outRate: 0)
        let points = coarse.suffix(90, at: tick / Self.coarseSeconds, now: idle)
        if let fine, tick - fineSince >= 30 || points.count < 4 {
            return (fine.suffix(Self.fineSeconds, at: tick, now: idle), 1)
        }
        return (points, Self.coarseSeconds)
    }

    /// What became of deliveries by attempt number within the last hour: at index 0 the first attempts.
    func attempts(at tick: Int) -> [AttemptCount] {
        let now = attempts(of: sample)
        let old = attemptMarks.suffix(12, at: tick / Self.attemptSeconds, now: lastAttempts).first ?? []
        return now.enumerated().map { index, count in
            guard index < old.count else { return count }
            var change = AttemptCount()
            change.delivered = max(0, count.delivered - old[index].delivered)
            change.succeeded = max(0, count.succeeded - old[index].succeeded)
            change.died = max(0, count.died - old[index].died)
            return change
        }
    }

    private func attempts(of sample: QueueSample) -> [AttemptCount] {
        guard var sum = sample.cursors.first?.attempts else { return [] }
        for counts in sample.cursors.dropFirst() { Self.add(counts.attempts, to: &sum) }
        return sum
    }

    static func add(_ counts: [AttemptCount], to sum: inout [AttemptCount]) {
        for (index, count) in counts.enumerated() {
            if index == sum.count { sum.append(AttemptCount()) }
            sum[index].delivered += count.delivered
            sum[index].succeeded += count.succeeded
            sum[index].died += count.died
        }
    }
}

/// What a queue's policy and place among others is read from: when it is equal, nothing has to be read again.
struct QueueSettings: Equatable, Sendable {
    var topic: [String: String]
    var group: [String: String]

    /// See ``TopicConfig/isDeadLetterQueue``.
    var isDeadLetterQueue: Bool { topic[TopicConfig.deadLetterSetting] == "true" }
}

struct QueuePoint: Sendable {
    var ready: Float
    var inRate: Float
    var outRate: Float
}

/// When the first open message of a cursor was appended. Good for what comes behind it, for the second until that is looked up; not for
/// messages that came when all of those had gone.
struct QueueAge: Sendable {
    var offset: Offset
    var appendedAt: Timestamp
    /// The log's end when it was last seen to hold.
    var end: Offset

    /// nil when it no longer says anything: the queue was drained meanwhile, or what lies before it is open again.
    func still(of counts: CursorCounts) -> QueueAge? {
        guard counts.ready > 0, counts.firstOpen >= offset, counts.firstOpen < end else { return nil }
        var age = self
        age.end = counts.end
        return age
    }
}
