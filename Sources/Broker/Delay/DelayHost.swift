import Logging
import Model
import NIOCore
import Queues
import Storage

/// The delay store of one shard: keeps delayed messages in the shard's own streams, and appends them to their targets when they are due,
/// exactly once across a crash.
///
/// ```
/// publish    body batches → delay bodies-0 … 6; the index learns of them when they are written
/// release    due → read the bodies → (fact: target open) → append to the targets, stamped → durable: the front moves up
/// front      fact, every 20 ms while messages are released: all up to here is done, and where to search the targets after a crash
/// ```
/// So a crash costs a search of the open targets' last moments for `weir.delay.handle`; what is found there is not released again.
/// All state is touched on the shard's loop only, which is what `@unchecked Sendable` rests on.
final class DelayHost: @unchecked Sendable {
    /// Kept: what is on its way for it may come back after its broker was let go (a test that kills one).
    let shard: Shard
    let limits: Limits
    let logger: Logger
    var store: DelayStore

    // MARK: Streams, by band
    /// The next offset to hand out, and the end of what is written.
    var bodyEnds: [Offset]
    var writtenEnds: [Offset]
    /// The same, but never between a producer's batch and what stands before it to say when it is due: a start can begin to read there.
    var wholeEnds: [Offset]
    var runEnds: [Offset]
    /// Bodies below these have been freed.
    private var trimmedEnds: [Offset]

    // MARK: Publishing
    /// The earliest due time of each append that is not written yet, in order: nothing from then on may be released before it.
    var unwritten: [Int64] = []
    var unwrittenStart = 0

    // MARK: Releasing
    var rounds: [ReleaseRound] = []
    /// A round is being read and packed; the next waits for it.
    var isPreparing = false
    /// Something failed: what is under way is waited for, then it is tried again.
    var isFailing = false
    var isTicking = false
    var targets: [UInt32: OpenTarget] = [:]
    /// Where the start has looked for what was released before. What it found is passed over when it comes up again; until then the next
    /// start must look there as well.
    var searched: [UInt32: Offset] = [:]
    private var searchedThrough: DelayKey?
    var pace: ReleasePace
    var wakeAt: Int64?
    var retryAt: Monotonic?
    let bodies: BodyReader
    /// What publishes are put together in.
    let pool: BufferPool

    // MARK: Facts
    var frontIsLogging = false
    var frontIsScheduled = false
    var loggedEnd = Offset.zero
    var bytesLogged = 0
    var snapshotRunning = false
    /// Times that facts were decided and could not be logged, and how many of these a snapshot holds.
    private var losses = 0
    private var lossesSaved = 0
    var spillRunning = false
    var spillDone: (LogError?) -> Void = { _ in }
    /// Run when the spill that is under way has ended.
    var afterSpill: [() -> Void] = []
    /// Run when the front has been logged.
    var afterFront: [() -> Void] = []
    var isStopped = false
    /// Producers' batches that only the delay store knows of, for partitions that have not been asked yet.
    var traces: [PartitionID: [Trace]] = [:]

    var released: Int64 = 0
    /// Messages whose topic was gone, or whose bodies were lost, when they came due.
    var dropped: Int64 = 0

    struct OpenTarget {
        /// Where appends lie whose rounds the front has not passed, ascending.
        private var appends: [(base: Offset, through: DelayKey)] = []
        /// Since the front was last logged.
        var isUsed = false

        init(isUsed: Bool = false) { self.isUsed = isUsed }

        mutating func appended(at base: Offset, through: DelayKey) {
            isUsed = true
            appends.append((base, through))
        }

        /// Where to search from when everything up to `front` is known to be done; nil: from the end.
        mutating func from(_ front: DelayKey) -> Offset? {
            appends.removeAll { $0.through <= front }
            return appends.map(\.base).min()
        }
    }

    struct Trace {
        var base: Offset
        var header: RecordBatchHeader
    }

    init(shard: Shard) {
        self.shard = shard
        limits = shard.options.limits
        logger = shard.logger
        store = DelayStore(limits: limits)
        bodyEnds = Array(repeating: .zero, count: DelayBand.count)
        writtenEnds = bodyEnds
        wholeEnds = bodyEnds
        runEnds = bodyEnds
        trimmedEnds = bodyEnds
        pace = ReleasePace(perSecond: limits.releasesPerSecond)
        bodies = BodyReader(log: shard.log, shard: shard.id)
        pool = BufferPool(limitBytes: shard.options.limits.delayPoolBytes)
    }

    var now: Int64 { shard.clock.now.ms }

    func bodiesStream(_ band: Int) -> StreamID { .delay(shard.id, .bodies(band)) }
    func runsStream(_ band: Int) -> StreamID { .delay(shard.id, .runs(band)) }

    // MARK: Facts

    /// Logs facts in order; `done` runs when they are as durable as the broker's settings ask.
    func log(_ facts: [DelayFact], done: @escaping (LogError?) -> Void) {
        var builder = RecordBatchBuilder(baseOffset: .zero)
        let time = shard.clock.now
        for fact in facts { builder.append(timestamp: time, value: fact.encoded()) }
        bytesLogged += builder.byteCount
        var end = Offset.zero
        shard.appendFacts(.delay, &builder) { error in
            if error == nil { self.loggedEnd = max(self.loggedEnd, end) }
            done(error)
        }
        end = shard.factEnds[.delay] ?? .zero
    }

    /// The number of a target; logs it when it is new. What is appended behind this call can rely on it.
    func number(of partition: PartitionID) -> UInt32 {
        let (number, fact) = store.number(of: partition)
        if let fact {
            store.apply(fact)
            log([fact]) { error in
                if let error { self.logger.error("delay store of shard \(self.shard.id): target \(partition) was not logged: \(error)") }
            }
        }
        return number
    }

    // MARK: Front

    /// What a crash now would have to search: the targets with appends behind `key`, and those that a start has searched until all it found
    /// is passed. A target that was used and has none any more is named once more, from its end.
    private func openTargets(behind key: DelayKey) -> [UInt32: Offset] {
        var open: [UInt32: Offset] = [:]
        for number in targets.keys.sorted() {
            let from = targets[number]!.from(key)
            guard targets[number]!.isUsed || from != nil else {
                targets[number] = nil
                continue
            }
            targets[number]!.isUsed = false
            // An append that failed may have been meant for further on; what is appended next comes behind what is written.
            let written = store.targets[number].flatMap { shard.partitions[$0]?.highWatermark }
            open[number] = [from, written].compactMap { $0 }.min()
        }
        if !searched.isEmpty, store.released.isEmpty {
            // All that was found has come up again and was passed over.
            let last = searchedThrough ?? store.taken
            searchedThrough = last
            if key >= last { searched = [:] }
        }
        return open.merging(searched) { min($0, $1) }
    }

    /// Makes sure that the front is logged soon.
    func scheduleFront(afterMs: Int64 = 20) {
        guard !frontIsScheduled, !isStopped else { return }
        frontIsScheduled = true
        shard.loop.scheduleTask(in: .milliseconds(afterMs)) {
            self.frontIsScheduled = false
            self.logFront()
        }
    }

    /// The last key that is done: of the last finished round, or all that was taken when none is under way.
    func logFront() {
        guard !frontIsLogging, shard.broken == nil, let key = doneKey else { return }
        if hasLost {
            takeSnapshot()
            return scheduleFront(afterMs: 1_000)
        }
        let open = openTargets(behind: key)
        guard key > store.front || open != store.openTargets else {
            if !targets.isEmpty { scheduleFront(afterMs: 1_000) }
            return finishFront()
        }
        frontIsLogging = true
        let fact = DelayFact.front(key, open: open.sorted { $0.key < $1.key }.map { .init(target: $0.key, from: $0.value) })
        log([fact]) { error in
            self.frontIsLogging = false
            guard error == nil else { return }
            self.store.apply(fact)
            // The last of these closes the targets that were used.
            if !self.targets.isEmpty { self.scheduleFront(afterMs: 1_000) }
            self.finishFront()
        }
    }

    var doneKey: DelayKey?

    private func finishFront() {
        let waiting = afterFront
        afterFront = []
        for body in waiting { body() }
        trimDone()
        if bytesLogged >= limits.factSnapshotBytes { takeSnapshot() }
    }

    /// Frees the streams' fronts that nothing waits in.
    private func trimDone() {
        for band in 0..<DelayBand.count {
            let run = store.removeDoneRuns(band: band)
            if let run { trim(runsStream(band), before: run.end) }
            var end = run?.bodyEnd ?? trimmedEnds[band]
            let bodyEnd = store.bodyEnds[band]
            if bodyEnd > trimmedEnds[band], store.runs[band].isEmpty, !store.isPinned(band: band, below: bodyEnd) { end = bodyEnd }
            guard end > trimmedEnds[band] else { continue }
            trimmedEnds[band] = end
            trim(bodiesStream(band), before: end)
        }
    }

    func trim(_ stream: StreamID, before: Offset) {
        shard.log.trim(stream, before: before) { [logger] result in
            if case .failure(let error) = result { logger.warning("\(stream) before \(before) was not freed: \(error)") }
        }
    }

    // MARK: Snapshot

    /// Something was decided that the log does not have. A snapshot is to hold it before the front moves on: a crash would take it back,
    /// and with the front behind it the message would be lost.
    var hasLost: Bool { lossesSaved < losses }

    func noteLoss() {
        losses += 1
        takeSnapshot()
    }

    func takeSnapshot() {
        guard !snapshotRunning else { return }
        snapshotRunning = true
        bytesLogged = 0
        let held = losses
        Task {
            let isWritten = await self.putSnapshot()
            self.shard.run {
                self.snapshotRunning = false
                if isWritten { self.lossesSaved = held }
            }
        }
    }

    /// Writes the durable state and frees the facts before it.
    @discardableResult
    func putSnapshot() async -> Bool {
        let (end, facts) = await shard.ask { _ in (self.loggedEnd, self.store.snapshot()) }
        do {
            try await shard.store.putBlob(DelaySnapshot.key(shard.id), DelaySnapshot(end: end, facts: facts).encoded())
        } catch {
            logger.warning("shard \(shard.id): the delay store's snapshot was not written (\(error)); the next start reads more of the log")
            return false
        }
        if end > .zero { trim(.facts(shard.id, .delay), before: end) }
        return true
    }

    /// No more releases; what is done is logged.
    func stop() {
        isStopped = true
        logFront()
    }
}
