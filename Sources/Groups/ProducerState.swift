import Model

/// What one partition remembers of its idempotent producers (KIP-98): enough to see a batch sent twice and a batch gone missing.
///
/// ```
/// admit(pid 7, epoch 0, sequences 0…9,   at 100)  → accepted
/// admit(pid 7, epoch 0, sequences 10…14, at 110)  → accepted
/// admit(pid 7, epoch 0, sequences 0…9,   at 115)  → duplicate(baseOffset 100)
/// admit(pid 7, epoch 0, sequences 20…24, at 115)  → refused(outOfOrderSequenceNumber)
/// admit(pid 7, epoch 1, sequences 0…4,   at 115)  → accepted; epoch 0 is refused from now on
/// ```
/// As Kafka's broker does (ProducerStateManager, ProducerAppendInfo): the last five batches of a producer are known; a producer nobody
/// remembers may begin at any sequence (its records may be gone by retention); a new epoch begins at 0; after `Int32.max` comes 0.
/// One dictionary lookup a batch. Offsets are those the batch will get, so admit only what is appended next.
public struct ProducerState: Equatable, Sendable {
    /// Batches remembered per producer: a client keeps at most five in flight.
    public static let batchesRemembered = 5

    /// A batch as it was appended.
    public struct Batch: Equatable, Sendable {
        public var firstSequence: Int32
        public var lastSequence: Int32
        public var baseOffset: Offset
        /// The batch's largest record time, given back with a duplicate's answer.
        public var timestamp: Timestamp

        /// Sequences from first to last, less one, going on at 0 after `Int32.max`.
        public var length: Int64 { (Int64(lastSequence) - Int64(firstSequence)) & 0x7FFF_FFFF }

        static let none = Batch(firstSequence: -1, lastSequence: -1, baseOffset: Offset(-1), timestamp: .none)
    }

    /// Why a batch is not appended. The raw value is Kafka's error code.
    public enum Refusal: Int16, Error, Equatable, Sendable {
        /// Not the sequence that follows the last batch, and none of the batches remembered.
        case outOfOrderSequenceNumber = 45
        /// A later instance of the producer has been here.
        case invalidProducerEpoch = 47
        /// A producer id with a negative epoch or sequence.
        case invalidRecord = 87
    }

    public enum Verdict: Equatable, Sendable {
        case accepted
        /// Appended before: answer success with the first append's place, once that is as durable as the request asks.
        case duplicate(Batch)
        case refused(Refusal)
    }

    var producers: [ProducerID: ProducerEntry] = [:]
    private let capacity: Int
    private let expirationMs: Int64

    public init(limits: Limits) {
        capacity = max(1, limits.producersPerPartition)
        expirationMs = limits.producerExpirationMs
    }

    /// Producers remembered.
    public var count: Int { producers.count }

    /// Judges a batch and, if it is accepted, remembers it as appended at `baseOffset`. For batches that carry a producer id.
    /// - Parameter baseOffset: where the batch will be; the header still has the client's own.
    public mutating func admit(_ header: RecordBatchHeader, at baseOffset: Offset, now: Timestamp) -> Verdict {
        guard header.producerEpoch >= 0, header.baseSequence >= 0 else { return .refused(.invalidRecord) }
        let batch = Self.batch(header, at: baseOffset)
        let verdict = producers[header.producerID, default: .unknown].admit(batch, epoch: header.producerEpoch, now: now)
        if producers.count > capacity { makeRoom(for: header.producerID, now: now) }
        return verdict
    }

    /// Whether anything is remembered of the producer.
    public func knows(_ id: ProducerID) -> Bool { producers[id] != nil }

    /// The batch of the log that this one is another copy of, as far as it is remembered; nil for one that is new, or out of order.
    public func known(_ header: RecordBatchHeader) -> Batch? {
        guard let entry = producers[header.producerID], entry.epoch == header.producerEpoch else { return nil }
        return entry.known(Self.batch(header, at: header.baseOffset))
    }

    /// Takes over a batch that is in the log already: recovery. Nothing is judged.
    /// - Parameter now: the broker's time. Not the records' own: a producer that sends old records is not an old producer.
    public mutating func replay(_ header: RecordBatchHeader, now: Timestamp) {
        guard header.producerID != .none, header.producerEpoch >= 0, header.baseSequence >= 0 else { return }
        let batch = Self.batch(header, at: header.baseOffset)
        // The part of a delayed batch that went to the log at once: the whole of it is known already.
        if let known = producers[header.producerID], known.epoch == header.producerEpoch, known.lastStarts(batch) { return }
        producers[header.producerID, default: .unknown].append(batch, epoch: header.producerEpoch, now: now)
        if producers.count > capacity { makeRoom(for: header.producerID, now: now) }
    }

    /// The last batch of the producer if it is the first part of this one: what a crash left of a batch of which the rest was delayed.
    public func half(of header: RecordBatchHeader) -> Batch? {
        guard let entry = producers[header.producerID], entry.epoch == header.producerEpoch, let last = entry.batches.last else {
            return nil
        }
        let whole = Self.batch(header, at: last.baseOffset)
        return last.firstSequence == whole.firstSequence && last.length < whole.length ? last : nil
    }

    /// Makes the last batch of the producer the whole of which it was a part.
    public mutating func complete(_ header: RecordBatchHeader) {
        guard let half = half(of: header) else { return }
        producers[header.producerID]?.replaceLast(Self.batch(header, at: half.baseOffset))
    }

    /// Forgets producers that have been silent for `Limits.producerExpirationMs`.
    public mutating func expire(now: Timestamp) {
        let limit = now + -expirationMs
        producers = producers.filter { $0.value.lastSeen > limit }
    }

    /// Over the bound: the silent ones go first, then the tenth that was silent longest, so that the cost spreads over many admissions.
    private mutating func makeRoom(for newcomer: ProducerID, now: Timestamp) {
        expire(now: now)
        guard producers.count > capacity else { return }
        let byAge = producers.sorted { ($0.value.lastSeen, $0.key) < ($1.value.lastSeen, $1.key) }
        let surplus = producers.count - capacity + capacity / 10
        for (id, _) in byAge.prefix(surplus) where id != newcomer { producers[id] = nil }
    }

    private static func batch(_ header: RecordBatchHeader, at baseOffset: Offset) -> Batch {
        Batch(
            firstSequence: header.baseSequence, lastSequence: sequence(header.baseSequence, plus: header.lastOffsetDelta),
            baseOffset: baseOffset, timestamp: header.maxTimestamp)
    }

    /// `sequence` + `count`, going on at 0 after `Int32.max`.
    static func sequence(_ sequence: Int32, plus count: Int32) -> Int32 {
        Int32(truncatingIfNeeded: (Int64(sequence) + Int64(count)) & 0x7FFF_FFFF)
    }
}

/// One producer's epoch and last batches.
struct ProducerEntry: Equatable, Sendable {
    typealias Batch = ProducerState.Batch

    /// −1 while nothing is known.
    var epoch: Int16
    /// A ring in place: no allocation per producer or batch.
    private var ring: [5 of Batch] = .init(repeating: .none)
    private var next = 0
    private(set) var count = 0
    /// Broker's wall time of the last append, for expiry.
    var lastSeen: Timestamp

    static let unknown = ProducerEntry(epoch: -1, lastSeen: .none)

    init(epoch: Int16, lastSeen: Timestamp) {
        self.epoch = epoch
        self.lastSeen = lastSeen
    }

    /// Oldest first.
    var batches: [Batch] { (0..<count).map { ring[(next - count + $0 + ring.count) % ring.count] } }

    static func == (left: ProducerEntry, right: ProducerEntry) -> Bool {
        left.epoch == right.epoch && left.lastSeen == right.lastSeen && left.batches == right.batches
    }

    mutating func admit(_ batch: Batch, epoch: Int16, now: Timestamp) -> ProducerState.Verdict {
        if self.epoch >= 0 {
            if epoch < self.epoch { return .refused(.invalidProducerEpoch) }
            if epoch > self.epoch {
                if batch.firstSequence != 0 { return .refused(.outOfOrderSequenceNumber) }
            } else if batch.firstSequence != expectedSequence {
                return duplicate(of: batch).map { .duplicate($0) } ?? .refused(.outOfOrderSequenceNumber)
            }
        }
        append(batch, epoch: epoch, now: now)
        return .accepted
    }

    mutating func append(_ batch: Batch, epoch: Int16, now: Timestamp) {
        if epoch != self.epoch {
            self.epoch = epoch
            count = 0
        }
        ring[next] = batch
        next = (next + 1) % ring.count
        count = min(count + 1, ring.count)
        lastSeen = now
    }

    func known(_ batch: Batch) -> Batch? { batch.firstSequence == expectedSequence ? nil : duplicate(of: batch) }

    func lastStarts(_ batch: Batch) -> Bool {
        guard let last = batches.last else { return false }
        return last.firstSequence == batch.firstSequence && last.length > batch.length
    }

    mutating func replaceLast(_ batch: Batch) { ring[(next + ring.count - 1) % ring.count] = batch }

    private var expectedSequence: Int32 {
        count == 0 ? 0 : ProducerState.sequence(ring[(next + ring.count - 1) % ring.count].lastSequence, plus: 1)
    }

    private func duplicate(of batch: Batch) -> Batch? {
        for index in 0..<count {
            let known = ring[(next - 1 - index + 2 * ring.count) % ring.count]
            if known.firstSequence == batch.firstSequence, known.lastSequence == batch.lastSequence { return known }
        }
        return nil
    }
}
