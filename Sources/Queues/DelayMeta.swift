import Model
import NIOCore
import Wire

/// The first record of a batch in a bodies stream: whose messages follow and when they are due.
///
/// ```
/// chunk       one batch: meta, body, body, …       bodies with times of their own, at most 8 KiB, so that one is read cheaply
/// as it came  two batches: meta │ the producer's   all bodies are due together; the producer's batch is not touched
/// ```
/// One publish may become several of these, in several bands, and a part that was not delayed in the target's log. All of it counts or
/// none: ``parts`` says how far each stream must reach.
public struct DelayMeta: Equatable, Sendable {
    public enum Dues: Equatable, Sendable {
        /// All bodies are due at once: `count` of them in the next batch.
        case next(ms: Int64, count: Int32)
        /// When each body of this batch is due.
        case each([Int64])
    }

    /// What a producer's batch leaves behind of itself, for judging a batch that is sent again.
    public struct Trace: Equatable, Sendable {
        public var producerID: ProducerID
        public var producerEpoch: Int16
        public var baseSequence: Int32
        public var lastOffsetDelta: Int32
        public var maxTimestamp: Timestamp

        public init(_ header: RecordBatchHeader) {
            producerID = header.producerID
            producerEpoch = header.producerEpoch
            baseSequence = header.baseSequence
            lastOffsetDelta = header.lastOffsetDelta
            maxTimestamp = header.maxTimestamp
        }
    }

    public struct Part: Equatable, Sendable {
        public var band: Int
        public var end: Offset

        public init(band: Int, end: Offset) {
            self.band = band
            self.end = end
        }
    }

    public var target: PartitionID
    public var arrivedMs: Int64
    public var dues: Dues
    public var parts: [Part]
    /// The target's end when the publish came, which was its answer; and how many of its records went there at once.
    public var base: Offset
    public var immediate: Int32
    /// With the first batch of an idempotent producer's publish only.
    public var trace: Trace?

    public init(target: PartitionID, arrivedMs: Int64, dues: Dues, parts: [Part], base: Offset, immediate: Int32, trace: Trace?) {
        self.target = target
        self.arrivedMs = arrivedMs
        self.dues = dues
        self.parts = parts
        self.base = base
        self.immediate = immediate
        self.trace = trace
    }

    private static let version: Int8 = 1

    public func encoded() -> ByteBuffer {
        var writer = WireWriter(encodedHead())
        switch dues {
        case .next(let ms, let count):
            writer.int8(0)
            writer.int64(ms)
            writer.int32(count)
        case .each(let times):
            writer.int8(1)
            writer.count(times.count, compact: true)
            for time in times { writer.varlong(time - arrivedMs) }
        }
        return writer.buffer
    }

    /// All but ``dues``, which come last: the chunks of one publish have it in common.
    public func encodedHead() -> ByteBuffer {
        var writer = WireWriter()
        writer.int8(Self.version)
        writer.uuid(target.topic.uuid)
        writer.int32(target.index)
        writer.int64(arrivedMs)
        writer.int64(base.value)
        writer.int32(immediate)
        writer.count(parts.count, compact: true)
        for part in parts {
            writer.int8(Int8(part.band))
            writer.int64(part.end.value)
        }
        writer.bool(trace != nil)
        if let trace {
            writer.int64(trace.producerID.value)
            writer.int16(trace.producerEpoch)
            writer.int32(trace.baseSequence)
            writer.int32(trace.lastOffsetDelta)
            writer.int64(trace.maxTimestamp.ms)
        }
        return writer.buffer
    }

    /// - Throws: for bytes that are no meta record or of a later release.
    public init(_ bytes: ByteBuffer) throws(WireError) {
        var reader = WireReader(bytes)
        let version = try reader.int8()
        guard version == Self.version else { throw .unsupportedVersion(api: 0, version: Int16(version)) }
        target = PartitionID(topic: TopicID(try reader.uuid()), index: try reader.int32())
        arrivedMs = try reader.int64()
        base = Offset(try reader.int64())
        immediate = try reader.int32()
        parts = []
        for _ in 0..<(try reader.count(compact: true, minimumBytes: 9)) {
            let band = Int(try reader.int8())
            guard (0..<DelayBand.count).contains(band) else { throw .negativeLength(band) }
            parts.append(Part(band: band, end: Offset(try reader.int64())))
        }
        if try reader.bool() {
            trace = try Trace(reading: &reader)
        }
        if try reader.int8() == 0 {
            dues = .next(ms: try reader.int64(), count: try reader.int32())
        } else {
            var times: [Int64] = []
            for _ in 0..<(try reader.count(compact: true)) { times.append(arrivedMs + (try reader.varlong())) }
            dues = .each(times)
        }
        try reader.expectEnd()
    }

    /// The meta record of a batch in a bodies stream, which begins with it.
    public static func read(_ header: RecordBatchHeader, _ batch: ByteBuffer) throws(WireError) -> DelayMeta {
        var body = batch
        body.moveReaderIndex(forwardBy: RecordBatchHeader.size)
        var first = header
        first.recordCount = 1
        guard let value = try Record.readAll(header: first, records: body)[0].value else { throw .unexpectedNull }
        return try DelayMeta(value)
    }

    /// The index entries of the bodies that follow the meta record at `offset`; neighbours due together are one.
    public func entries(at offset: Offset, band: Int, number: UInt32) -> [DelayEntry] {
        let first = DelayRef(band: band, offset: offset + 1)
        switch dues {
        case .next(let ms, let count): return [DelayEntry(dueMs: ms, ref: first, count: UInt32(count), target: number)]
        case .each(let times):
            var entries: [DelayEntry] = []
            for (index, time) in times.enumerated() {
                if let last = entries.last, last.dueMs == time {
                    entries[entries.count - 1].count += 1
                } else {
                    entries.append(DelayEntry(dueMs: time, ref: first.advanced(by: index), count: 1, target: number))
                }
            }
            return entries
        }
    }
}

extension DelayMeta.Trace {
    fileprivate init(reading reader: inout WireReader) throws(WireError) {
        producerID = ProducerID(try reader.int64())
        producerEpoch = try reader.int16()
        baseSequence = try reader.int32()
        lastOffsetDelta = try reader.int32()
        maxTimestamp = Timestamp(ms: try reader.int64())
    }

    /// The header of the producer's batch, as far as judging a repetition needs it, placed at `base`.
    public func header(at base: Offset) -> RecordBatchHeader {
        RecordBatchHeader(
            baseOffset: base, lastOffsetDelta: lastOffsetDelta, maxTimestamp: maxTimestamp, producerID: producerID,
            producerEpoch: producerEpoch, baseSequence: baseSequence)
    }
}
