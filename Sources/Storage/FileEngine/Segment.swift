import Model
import NIOCore

/// What is known of one segment file: batches one after another, nothing else in it.
struct Segment: Sendable {
    let name: SegmentName
    /// The first offset it may hold.
    var base: Offset { name.base }
    /// Bytes written and published; the file may be longer while a frame is being written.
    var bytes: Int64 = 0
    /// The offset after the last record.
    var next: Offset
    var maxTimestamp = Timestamp.none
    /// Where the first batch with `maxTimestamp` begins.
    var maxTimestampPosition: UInt32 = 0
    var offsets = SparseIndex<OffsetEntry>()
    var times = SparseIndex<TimeEntry>()
    var lastOffsetEntryPosition: Int64 = 0
    var lastTimeEntryPosition: Int64 = 0
    /// Blocks were found up to here, in this run of the broker; 0 for none.
    var preallocatedBytes: Int64 = 0
    /// The largest timestamp of the first batch: what the segment's age counts from. `none` while empty.
    var firstTimestamp = Timestamp.none
    /// What rewriting left out, from base to next.
    var gaps = OffsetRanges()
    /// Freed records when rewriting was last found not to pay: with as few it is not tried again.
    var vainlyFreed: Int64 = 0

    init(base: Offset) { self.init(SegmentName(base)) }

    init(_ name: SegmentName) {
        self.name = name
        next = name.base
    }

    /// Takes over what an appender has seen.
    mutating func absorb(_ appender: SegmentAppender) {
        bytes = appender.position
        next = appender.next
        maxTimestamp = appender.maxTimestamp
        maxTimestampPosition = appender.maxTimestampPosition
        firstTimestamp = appender.firstTimestamp
        lastOffsetEntryPosition = appender.lastOffsetEntryPosition
        lastTimeEntryPosition = appender.lastTimeEntryPosition
        offsets.append(appender.offsets)
        times.append(appender.times)
    }
}

/// Walks batches that are to follow a segment's end, checks that they fit on to it and collects their index entries. Nothing changes in
/// the segment until it absorbs the appender, so a failed write leaves no trace.
struct SegmentAppender {
    static let offsetIntervalBytes: Int64 = 4096
    /// Coarser: a look-up by time may walk sixteen times as far, and the index takes little.
    static let timeIntervalBytes: Int64 = 65536

    let base: Offset
    private(set) var position: Int64
    private(set) var next: Offset
    private(set) var maxTimestamp: Timestamp
    private(set) var maxTimestampPosition: UInt32
    private(set) var firstTimestamp: Timestamp
    private(set) var lastOffsetEntryPosition: Int64
    private(set) var lastTimeEntryPosition: Int64
    private(set) var offsets: [OffsetEntry] = []
    private(set) var times: [TimeEntry] = []

    init(_ segment: Segment) {
        base = segment.base
        position = segment.bytes
        next = segment.next
        maxTimestamp = segment.maxTimestamp
        maxTimestampPosition = segment.maxTimestampPosition
        firstTimestamp = segment.firstTimestamp
        lastOffsetEntryPosition = segment.lastOffsetEntryPosition
        lastTimeEntryPosition = segment.lastTimeEntryPosition
    }

    /// Takes the batch at `position`.
    mutating func add(_ batch: BatchSpan) {
        if position == 0 { firstTimestamp = batch.maxTimestamp }
        if position - lastOffsetEntryPosition >= Self.offsetIntervalBytes {
            offsets.append(OffsetEntry(relativeOffset: UInt32(batch.base.value - base.value), position: UInt32(position)))
            lastOffsetEntryPosition = position
        }
        if position - lastTimeEntryPosition >= Self.timeIntervalBytes {
            times.append(TimeEntry(maxTimestampBefore: maxTimestamp, position: UInt32(position)))
            lastTimeEntryPosition = position
        }
        if batch.maxTimestamp > maxTimestamp {
            maxTimestamp = batch.maxTimestamp
            maxTimestampPosition = UInt32(position)
        }
        position += Int64(batch.totalBytes)
        next = batch.next
    }

    /// Takes whole batches; false when they are not batches that continue at `next` and end at the end of `bytes`.
    mutating func add(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            guard let batch = BatchSpan(rest), batch.base == next, batch.totalBytes <= rest.count else { return false }
            add(batch)
            rest = UnsafeRawBufferPointer(rebasing: rest[batch.totalBytes...])
        }
        return true
    }
}

/// The few header fields that an append needs, without the checks of a full parse.
struct BatchSpan {
    var base: Offset
    var totalBytes: Int
    var next: Offset
    var maxTimestamp: Timestamp

    /// Nil for anything that is not the beginning of a batch v2.
    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= RecordBatchHeader.size, bytes[16] == 2 else { return nil }
        func load<T: FixedWidthInteger>(_ offset: Int, as type: T.Type) -> T {
            T(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
        }
        let length = load(8, as: Int32.self)
        let lastDelta = load(23, as: Int32.self)
        guard length >= RecordBatchHeader.size - RecordBatchHeader.lengthPrefix, lastDelta >= 0 else { return nil }
        base = Offset(load(0, as: Int64.self))
        totalBytes = Int(length) + RecordBatchHeader.lengthPrefix
        next = base + (Int64(lastDelta) + 1)
        maxTimestamp = Timestamp(ms: load(35, as: Int64.self))
    }

    init(_ header: RecordBatchHeader) {
        base = header.baseOffset
        totalBytes = header.totalBytes
        next = header.nextOffset
        maxTimestamp = header.maxTimestamp
    }
}

extension StreamExtent {
    /// - Parameter segments: ascending, not empty.
    init(_ segments: [Segment]) {
        self.init(
            start: segments[0].base, end: segments[segments.count - 1].next, bytes: segments.reduce(0) { $0 + $1.bytes },
            maxTimestamp: segments.reduce(Timestamp.none) { max($0, $1.maxTimestamp) })
        var reached = start
        for segment in segments {
            holes.append(reached..<segment.base)
            for gap in segment.gaps.ranges { holes.append(gap) }
            reached = segment.next
        }
    }
}
