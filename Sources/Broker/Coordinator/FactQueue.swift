import Groups
import Model
import NIOCore
import Storage

/// Gathers a machine's facts into record batches, one being written while the next fills, and tells those who wait in order.
///
/// ```
/// log(a)            → batch 1 = [a], written at once
/// log(b), log(c, d) → batch 2 = [b, c, d], written when batch 1 is done
/// after { … }       → runs when batch 2 is done: an answer never overtakes the facts before it
/// ```
/// Used on one loop.
final class FactQueue {
    typealias Done = (LogError?) -> Void
    /// A fact as a record's key and value.
    typealias Entry = (key: ByteBuffer, value: ByteBuffer?)
    /// Writes a batch and tells when it is as durable as the broker's settings ask. Returns the stream's offset after it.
    typealias Write = (inout RecordBatchBuilder, @escaping Done) -> Offset

    private struct Batch {
        var builder = RecordBatchBuilder(baseOffset: .zero)
        var done: [Done] = []
        /// Takes no more facts.
        var isSealed = false
    }

    private let write: Write
    /// Facts go together up to this; a larger one goes alone.
    private static let batchBytes = 1 << 20
    private let factBytes: Int
    /// The first is being written when `isWriting`.
    private var batches: [Batch] = []
    private var isWriting = false
    private var writingEnd = Offset.zero
    /// The stream's offset after the last batch that was logged.
    var loggedEnd = Offset.zero
    /// Bytes of facts written since the counter was last reset.
    var bytesWritten = 0

    /// - Parameter factBytes: the largest batch the log takes, and so the largest fact.
    init(factBytes: Int, write: @escaping Write) {
        self.factBytes = factBytes
        self.write = write
    }

    /// Nothing is on its way to the log.
    var isIdle: Bool { batches.isEmpty }

    /// Logs facts in order; `done` runs when all of them are logged, or with the error that voided them.
    /// - Returns: false when a fact is too large to be logged at all; then nothing is logged and `done` does not run.
    func log(_ facts: [GroupFact], at now: Timestamp, done: @escaping Done) -> Bool {
        log(facts.map { $0.encoded() }, at: now, done: done)
    }

    /// The same for facts in their written form.
    func log(_ records: [Entry], at now: Timestamp, done: @escaping Done) -> Bool {
        guard records.allSatisfy({ Self.recordBytes($0.key, $0.value) + RecordBatchHeader.size <= factBytes }) else { return false }
        for (key, value) in records {
            openBatch(room: Self.recordBytes(key, value))
            batches[batches.count - 1].builder.append(timestamp: now, key: key, value: value)
        }
        after(done)
        writeNext()
        return true
    }

    /// Runs `done` once everything logged so far is through.
    func after(_ done: @escaping Done) {
        if batches.isEmpty { return done(nil) }
        batches[batches.count - 1].done.append(done)
    }

    /// Runs `done` once everything logged so far is through, and nothing that is logged later: ``loggedEnd`` is then exactly behind it.
    func seal(_ done: @escaping Done) {
        if !batches.isEmpty { batches[batches.count - 1].isSealed = true }
        after(done)
    }

    /// Makes sure that the last batch is open and has room.
    private func openBatch(room: Int) {
        let isOpen = batches.count > (isWriting ? 1 : 0)
        if !isOpen || batches[batches.count - 1].isSealed
            || (batches[batches.count - 1].builder.recordCount > 0
                && batches[batches.count - 1].builder.byteCount + room > Self.batchBytes)
        {
            batches.append(Batch())
        }
    }

    private func writeNext() {
        guard !isWriting, !batches.isEmpty else { return }
        isWriting = true
        bytesWritten += batches[0].builder.byteCount
        var builder = batches[0].builder
        batches[0].builder = RecordBatchBuilder(baseOffset: .zero, capacity: RecordBatchHeader.size)
        let end = write(&builder) { error in self.finished(error) }
        if isWriting { writingEnd = end }
    }

    private func finished(_ error: LogError?) {
        isWriting = false
        if let error {
            // The log takes no later facts without the earlier ones: all that waits is void.
            let voided = batches
            batches = []
            for done in voided.flatMap(\.done) { done(error) }
        } else {
            loggedEnd = writingEnd
            let batch = batches.removeFirst()
            for done in batch.done { done(nil) }
        }
        writeNext()
    }

    /// Bytes of a record at most: its fields are varints of at most five bytes each, the timestamp's of ten.
    private static func recordBytes(_ key: ByteBuffer, _ value: ByteBuffer?) -> Int {
        key.readableBytes + (value?.readableBytes ?? 0) + 36
    }
}
