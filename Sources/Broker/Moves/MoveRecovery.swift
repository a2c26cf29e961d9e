import Model
import NIOCore
import Queues
import Storage

/// Reads a shard's moves back, and brings those that a crash left open to an end: before the doors open, after all shards and their cursors
/// are there.
struct MoveRecovery {
    let shard: Shard
    let broker: Broker

    /// The ledger as it was logged.
    func ledger(extent: StreamExtent) async throws -> MoveLedger {
        var ledger = MoveLedger()
        var next = extent.start
        if let blob = try await shard.store.getBlob(MoveSnapshot.key(shard.id)) {
            if let snapshot = MoveSnapshot(blob) {
                for fact in snapshot.facts { ledger.apply(fact) }
                next = max(next, snapshot.end)
            } else if extent.start > .zero {
                throw StartFailure(
                    description:
                        "the snapshot of shard \(shard.id)'s moves is damaged, and what was before \(extent.start) is only there; "
                        + "restore the data directory's blobs from a copy, or remove the snapshot: then moves that were cut off may double"
                )
            }
        }
        try await StreamReader(log: shard.log).facts(.facts(shard.id, .moves), from: next, to: extent.end) { record in
            guard let value = record.value else { return }
            ledger.apply(try MoveFact.decode(ByteBuffer(bytes: value.readableBytesView)))
        }
        return ledger
    }

    /// Finds out what of each open move landed, settles that in the source and ends the move.
    func resolve(_ mover: Mover) async throws {
        for intent in await shard.ask({ _ in mover.ledger.openInOrder }) {
            var bases: [Offset?] = []
            var ranges: [Range<Offset>] = []
            for part in intent.parts {
                bases.append(try await find(part, of: intent))
                if bases.last != .some(nil) { ranges += part.ranges }
            }
            if let end = Settlement(rawValue: intent.end), !ranges.isEmpty {
                ranges.sort { $0.lowerBound < $1.lowerBound }
                let key = ShareKey(group: intent.group, partition: intent.source)
                if let error = await mover.settle(key, ranges, as: end) {
                    throw StartFailure(
                        description: "move \(intent.number) of shard \(shard.id) could not be settled in its source: \(error)")
                }
            }
            let landed = bases.count { $0 != nil }
            if let error = await mover.log([.ended(number: intent.number, bases: bases)]) {
                throw StartFailure(description: "move \(intent.number) of shard \(shard.id) could not be ended: \(error)")
            }
            shard.logger.info(
                "shard \(shard.id): move \(intent.number) was cut off; \(landed) of \(intent.parts.count) batches had landed")
        }
    }

    /// Where a part's batch begins in its target; nil when it is not there.
    private func find(_ part: MoveIntent.Part, of intent: MoveIntent) async throws -> Offset? {
        let target = part.target
        guard
            let range = await broker.shard(of: target).ask({ shard in
                shard.partitions[target].map { (start: $0.start, end: $0.highWatermark) }
            })
        else { return nil }
        let identity = MoveIdentity(shard: shard.id, number: intent.number, source: intent.source)
        let reader = StreamReader(log: shard.log)
        var next = max(part.targetEnd, range.start)
        let first = part.ranges.first?.lowerBound ?? .zero
        while next < range.end {
            let chunk = try await reader.read(.partition(target), from: next, to: range.end)
            if let found = chunk.records.first(where: { identity.wrote($0, at: first) }) { return found.offset }
            next = chunk.next
        }
        return nil
    }
}

extension Broker {
    /// Reads moves back and ends those that a crash cut off. Call once, when all shards and their cursors are there.
    func startMoves(_ extents: [ShardID: StreamExtent]) async throws {
        var movers: [(Mover, MoveRecovery)] = []
        for shard in shards {
            guard let mover = await shard.ask({ $0.mover }) else { continue }
            let recovery = MoveRecovery(shard: shard, broker: self)
            let extent = extents[shard.id] ?? .empty
            let ledger = try await recovery.ledger(extent: extent)
            _ = await shard.ask { _ in mover.begin(with: ledger, end: extent.end) }
            movers.append((mover, recovery))
        }
        for (mover, recovery) in movers { try await recovery.resolve(mover) }
        for (mover, recovery) in movers {
            _ = await recovery.shard.ask { _ in
                mover.isReady = true
                mover.dig()
            }
        }
    }

    /// Lets what is on its way arrive, and sends nothing more.
    func stopMoves() async {
        for shard in shards {
            _ = await shard.ask { $0.mover?.isStopped = true }
            while await !shard.ask({ $0.broken != nil || $0.mover?.graves.isIdle ?? true }) { await shard.pause(5) }
        }
    }
}
