import Model

/// Producers whose first batch for a partition was refused because publishers were held. A producer that nobody remembers may begin at any
/// sequence: when the hold ends before its next batch comes, that one would be taken for its beginning, and the first one, sent again, be
/// out of order for good.
///
/// ```
/// held      pid 7 sends 0…9     refused, remembered
/// resumed   pid 7 sends 10…14   out of order: the client sends it again behind the first
///           pid 7 sends 0…9     admitted; from now on the partition knows pid 7
/// ```
/// Bounded in number and time; a producer that is forgotten may begin anywhere, as after a restart.
struct HeldFirsts: Sendable {
    private struct Key: Hashable {
        var partition: PartitionID
        var producer: ProducerID
    }
    private struct First {
        var epoch: Int16
        var sequence: Int32
        var at: Monotonic
    }
    private var firsts: [Key: First] = [:]
    private let capacity: Int
    private let keptMs: Int64

    init(limits: Limits) {
        capacity = max(1, limits.heldFirsts)
        keptMs = limits.heldFirstMs
    }

    var isEmpty: Bool { firsts.isEmpty }
    var count: Int { firsts.count }

    /// A batch is refused of a producer that the partition does not know.
    mutating func note(_ header: RecordBatchHeader, of partition: PartitionID, now: Monotonic) {
        guard header.producerEpoch >= 0, header.baseSequence >= 0 else { return }
        let key = Key(partition: partition, producer: header.producerID)
        if var known = firsts[key], known.epoch >= header.producerEpoch {
            guard known.epoch == header.producerEpoch else { return }
            if Self.isAhead(known.sequence, of: header.baseSequence) { known.sequence = header.baseSequence }
            known.at = now
            firsts[key] = known
            return
        }
        firsts[key] = First(epoch: header.producerEpoch, sequence: header.baseSequence, at: now)
        if firsts.count > capacity { makeRoom(now) }
    }

    /// Whether the batch comes before one that was refused and has to come first.
    /// - Parameter isKnown: the partition knows the producer: what its next sequence is, it knows better.
    mutating func isTooEarly(_ header: RecordBatchHeader, of partition: PartitionID, isKnown: Bool, now: Monotonic) -> Bool {
        let key = Key(partition: partition, producer: header.producerID)
        guard let first = firsts[key] else { return false }
        guard !isKnown, header.producerEpoch == first.epoch, now.ms(since: first.at) < keptMs else {
            // With another epoch the client has begun anew.
            if isKnown || header.producerEpoch > first.epoch || now.ms(since: first.at) >= keptMs { firsts[key] = nil }
            return false
        }
        return Self.isAhead(header.baseSequence, of: first.sequence)
    }

    /// Sequences go on at 0 after `Int32.max`.
    private static func isAhead(_ sequence: Int32, of other: Int32) -> Bool {
        (1..<(1 << 30)).contains((Int64(sequence) - Int64(other)) & 0x7FFF_FFFF)
    }

    /// Over the bound: the old ones go first, then the tenth that was refused longest ago.
    private mutating func makeRoom(_ now: Monotonic) {
        firsts = firsts.filter { now.ms(since: $0.value.at) < keptMs }
        guard firsts.count > capacity else { return }
        let byAge = firsts.sorted { $0.value.at < $1.value.at }
        for (key, _) in byAge.prefix(firsts.count - capacity + capacity / 10) { firsts[key] = nil }
    }
}
