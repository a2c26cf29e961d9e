import Logging
import Model
import NIOCore
import Queues
import Storage
import Synchronization

/// Carries messages of a shard's cursors to other partitions, exactly once across a crash. One per shard.
///
/// ```
/// 1  begun    fact: move 42, offsets [17, 20), target D at its end 900 — logged before anything else
/// 2  append   one record batch at D, each record stamped with `weir.move: 0.42/…`; waited for until it is as durable as a publish
/// 3  settle   the source's cursor settles [17, 20) — a fact of its own
/// 4  ended    fact
/// ```
/// A crash before 2 leaves the messages in the source; between 2 and 3 the start finds the stamp at D, from offset 900 on, and goes on
/// with 3; after 3 settling again changes nothing. So no step is taken twice that would double a message, and none is skipped that would
/// lose one.
///
/// The ledger and what is dying are touched on the shard's loop only, which is what `@unchecked Sendable` rests on.
public final class Mover: @unchecked Sendable {
    /// Kept: what is on its way for it may come back after its broker was let go (a test that kills one).
    let shard: Shard
    weak var broker: Broker?
    /// The cursors; there once they have been recovered.
    weak var source: (any MoveSource)?
    let limits: Limits
    var ledger = MoveLedger()
    var graves = Graves()
    /// Refused publishes on their way to dead-letter targets.
    var rejections = Rejections()
    /// Open moves of before have come to an end.
    var isReady = false
    var isStopped = false
    private var bytesLogged = 0
    private(set) var loggedEnd = Offset.zero
    private var snapshotRunning = false
    private let numbers = Atomic<UInt64>(0)

    init(shard: Shard, broker: Broker?) {
        self.shard = shard
        self.broker = broker
        limits = shard.options.limits
    }

    /// Takes over what was read back.
    func begin(with recovered: MoveLedger, end: Offset) {
        ledger = recovered
        loggedEnd = end
        numbers.store(recovered.lastNumber, ordering: .relaxed)
    }

    /// A number that no move has had.
    func nextNumber() -> UInt64 { numbers.wrappingAdd(1, ordering: .relaxed).newValue }

    // MARK: One move

    /// Carries an order out. When it returns, what landed is settled in the source; what was refused is still claimed there.
    func perform(_ order: MoveOrder) async -> MoveResult {
        guard let broker, !order.parts.isEmpty else { return MoveResult(isStuck: broker == nil) }
        var result = MoveResult(bases: order.parts.map { _ in nil })
        var ends: [Offset] = []
        for part in order.parts {
            ends.append(await broker.shard(of: part.target).ask { $0.partitions[part.target]?.highWatermark ?? .zero })
        }
        for (part, end) in zip(order.parts, ends) { shard.space?.moveBegan(to: part.target, at: end) }
        if await log([.begun(order.intent(ends: ends))]) != nil { return MoveResult(isStuck: true) }
        var settled: [Range<Offset>] = []
        for answer in await append(order.parts, obeysAdmission: order.job != 0, broker) {
            switch answer.error {
            case nil:
                result.bases[answer.slot] = answer.baseOffset
                settled += order.parts[answer.slot].ranges
            case .storage: result.isStuck = true
            case .some(let error): result.refused.append((answer.slot, error))
            }
        }
        if let end = order.end, !settled.isEmpty {
            settled.sort { $0.lowerBound < $1.lowerBound }
            if await settle(order.key, settled, as: end) != nil { return MoveResult(isStuck: true) }
        }
        // What may or may not have landed stays open: the next start looks.
        if result.isStuck { return result }
        if await log([.ended(number: order.number, bases: result.bases)]) == nil {
            for (part, end) in zip(order.parts, ends) { shard.space?.moveEnded(to: part.target, at: end) }
        }
        return result
    }

    /// Appends the parts' batches and waits until they are durable; answers in the order of the parts.
    func append(_ parts: [MoveOrder.Part], obeysAdmission: Bool, _ broker: Broker) async -> [ProduceResult] {
        var answers = parts.indices.map { ProduceResult(slot: $0, error: .unknownPartition) }
        for target in broker.shards {
            var items: [ProduceItem] = []
            for (index, part) in parts.enumerated() where broker.shard(of: part.target) === target {
                guard case .success(let header) = part.batch.withUnsafeReadableBytes({ RecordBatchHeader.parse($0) }) else {
                    preconditionFailure("a batch that was built here is a batch")
                }
                items.append(
                    ProduceItem(
                        slot: index, partition: part.target, header: header, batch: part.batch, isMove: true, obeysAdmission: obeysAdmission
                    ))
            }
            guard !items.isEmpty else { continue }
            let sent = items
            let loop = target.loop
            let results = await withCheckedContinuation { continuation in
                target.produce(sent, wants: .durable, replyLoop: loop) { continuation.resume(returning: $0) }
            }
            for result in results { answers[result.slot] = result }
        }
        return answers
    }

    /// Settles messages in the source; returns when that is logged.
    func settle(_ key: ShareKey, _ ranges: [Range<Offset>], as end: Settlement) async -> LogError? {
        await withCheckedContinuation { continuation in
            shard.run {
                guard let source = self.source else { return continuation.resume(returning: .unavailable("no cursors")) }
                source.settle(key, ranges, as: end) { continuation.resume(returning: $0) }
            }
        }
    }

    func giveBack(_ key: ShareKey, _ ranges: [Range<Offset>]) {
        guard !ranges.isEmpty else { return }
        shard.run { self.source?.giveBack(key, ranges.sorted { $0.lowerBound < $1.lowerBound }) }
    }

    // MARK: Facts

    /// Logs facts and applies them when they are logged.
    func log(_ facts: [MoveFact]) async -> LogError? {
        await withCheckedContinuation { continuation in
            shard.run {
                var builder = RecordBatchBuilder(baseOffset: .zero)
                let now = self.shard.clock.now
                for fact in facts { builder.append(timestamp: now, value: fact.encoded()) }
                self.bytesLogged += builder.byteCount
                var end = Offset.zero
                self.shard.appendFacts(.moves, &builder) { error in
                    if error == nil {
                        for fact in facts { self.ledger.apply(fact) }
                        self.loggedEnd = end
                        self.snapshotIfDue()
                    }
                    continuation.resume(returning: error)
                }
                end = self.shard.factEnds[.moves] ?? .zero
            }
        }
    }

    private func snapshotIfDue() {
        guard !snapshotRunning, bytesLogged >= limits.factSnapshotBytes else { return }
        snapshotRunning = true
        bytesLogged = 0
        let facts = ledger.snapshot()
        let end = loggedEnd
        Task {
            do {
                try await shard.store.putBlob(MoveSnapshot.key(shard.id), MoveSnapshot(end: end, facts: facts).encoded())
                shard.log.trim(.facts(shard.id, .moves), before: end) { _ in }
            } catch {
                shard.logger.warning("shard \(shard.id): the snapshot of moves was not written (\(error)); the next start reads more")
            }
            shard.run { self.snapshotRunning = false }
        }
    }
}
