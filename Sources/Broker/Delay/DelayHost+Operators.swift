import Model
import NIOCore
import Queues
import Storage

/// What operators do to waiting messages.
extension DelayHost {
    /// Moves messages to other times (nil: cancels them), or with `restoring` brings cancelled ones back. `done` gets how many, why others
    /// were left, and when the changed ones were due before.
    func move(
        _ moves: [DelayedMessage], toMs: [Int64?], restoring: Bool = false, done: @escaping (Result<DelayChange, LogError>) -> Void
    ) {
        var change = DelayChange()
        var facts: [DelayFact] = []
        for (message, dueMs) in zip(moves, toMs) {
            guard let number = store.numbers[message.target] else {
                change.outcome.notWaiting += 1
                continue
            }
            let before = store.dueMs(of: message.ref, indexed: message.indexedMs, target: number)
            let decided =
                restoring
                ? store.restore(message.ref, target: number, toMs: dueMs ?? message.indexedMs)
                : store.move(message.ref, target: number, indexed: message.indexedMs, toMs: dueMs)
            switch decided {
            case .success(let fact):
                store.perform(fact)
                facts.append(fact)
                change.outcome.done += 1
                guard let before, case .moved(_, _, let fromMs, let toMs) = fact else { continue }
                change.before.append(
                    DelayedTime(
                        id: message.ref.handle(shard: shard.id), dueMs: before, isCancelled: toMs == nil, untilMs: toMs ?? fromMs))
            case .failure(.notWaiting): change.outcome.notWaiting += 1
            case .failure(.tooManyOverrides): change.outcome.overLimit += 1
            }
        }
        let result = change
        guard !facts.isEmpty else { return done(.success(result)) }
        // The front that a release of these logs comes behind this in the stream.
        logInParts(facts) { error in
            if let error {
                self.noteLoss()
                return done(.failure(error))
            }
            done(.success(result))
        }
        tick()
    }

    private func logInParts(_ facts: [DelayFact], done: @escaping (LogError?) -> Void) {
        let part = 10_000
        var failure: LogError?
        var left = (facts.count + part - 1) / part
        for start in stride(from: 0, to: facts.count, by: part) {
            log(Array(facts[start..<min(start + part, facts.count)])) { error in
                failure = failure ?? error
                left -= 1
                if left == 0 { done(failure) }
            }
        }
    }

    /// Drops everything that waits for a partition; how many messages that were. What is not written yet comes after it: should its write
    /// fail, others get its offsets.
    func purge(_ id: PartitionID, done: @escaping (Result<Int64, LogError>) -> Void) {
        guard let number = store.numbers[id], store.counts.totals[number] != nil else { return done(.success(0)) }
        let (fact, count) = store.purge(target: number, ends: writtenEnds)
        store.performPurge(fact)
        log([fact]) { error in
            if error != nil { self.noteLoss() }
            done(error.map { .failure($0) } ?? .success(count))
        }
    }

    /// The partition is gone, and with it what waits for it.
    func forget(_ id: PartitionID) {
        traces[id] = nil
        purge(id) { result in
            switch result {
            case .success(let count): self.dropped += count
            case .failure(let error): self.logger.error("delayed messages of \(id) were not dropped: \(error); they are when they come due")
            }
        }
    }
}

/// A waiting message as the bodies streams have it.
struct DelayedMessage: Sendable {
    var ref: DelayRef
    var target: PartitionID
    /// When its index entry says it is due: before anything that operators changed.
    var indexedMs: Int64
    var arrivedMs: Int64
    /// nil when its bytes are malformed.
    var record: Record?
}

/// When a message was due before an operator changed it, as undo needs it.
struct DelayedTime: Codable, Sendable, Equatable {
    /// `dSHARD-SEQUENCE`
    var id: String
    /// Wall time in ms since 1970.
    var dueMs: Int64
    var isCancelled: Bool
    /// Until when the change can be taken back: from then on it was released, or a cancelled one's body may be gone.
    var untilMs: Int64
}

/// What operators changed, and how it was before.
struct DelayChange: Sendable {
    var outcome = DelayOutcome()
    var before: [DelayedTime] = []

    static func + (left: DelayChange, right: DelayChange) -> DelayChange {
        DelayChange(outcome: left.outcome + right.outcome, before: left.before + right.before)
    }
}

/// What became of messages that an operator named.
public struct DelayOutcome: Equatable, Sendable {
    public var done = 0
    /// Released, cancelled, purged or never there.
    public var notWaiting = 0
    /// Not changed, because too many times have been changed already (``Limits/delayOverrides``).
    public var overLimit = 0

    public init(done: Int = 0, notWaiting: Int = 0, overLimit: Int = 0) {
        self.done = done
        self.notWaiting = notWaiting
        self.overLimit = overLimit
    }

    static func + (left: DelayOutcome, right: DelayOutcome) -> DelayOutcome {
        DelayOutcome(
            done: left.done + right.done, notWaiting: left.notWaiting + right.notWaiting, overLimit: left.overLimit + right.overLimit)
    }
}
