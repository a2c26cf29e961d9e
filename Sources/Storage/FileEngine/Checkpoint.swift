import Model
import NIOCore

/// What a shard knows to be on the disk: for every stream its segments and how far they were synced. Recovery reads only what lies beyond.
///
/// File: magic 4 │ version 2 │ journal generation 8 │ streams … │ CRC-32C of all that 4; replaced as a whole.
struct Checkpoint: Equatable, Sendable {
    /// One segment as of the checkpoint.
    struct Mark: Equatable, Sendable {
        var name: SegmentName
        /// Synced bytes; they end between batches.
        var bytes: Int64
        var next: Offset
        var maxTimestamp: Timestamp
        var maxTimestampPosition: UInt32
        var lastOffsetEntryPosition: UInt32
        var lastTimeEntryPosition: UInt32
        var offsetEntries: UInt32
        var timeEntries: UInt32
        var firstTimestamp: Timestamp
        /// What rewriting left out.
        var gaps: OffsetRanges

        /// At least.
        static let encodedBytes = 5 * 8 + 7 * 4

        init(_ segment: Segment) {
            name = segment.name
            bytes = segment.bytes
            next = segment.next
            maxTimestamp = segment.maxTimestamp
            maxTimestampPosition = segment.maxTimestampPosition
            lastOffsetEntryPosition = UInt32(segment.lastOffsetEntryPosition)
            lastTimeEntryPosition = UInt32(segment.lastTimeEntryPosition)
            offsetEntries = UInt32(segment.offsets.count)
            timeEntries = UInt32(segment.times.count)
            firstTimestamp = segment.firstTimestamp
            gaps = segment.gaps
        }

        var segment: Segment {
            var segment = Segment(name)
            segment.bytes = bytes
            segment.next = next
            segment.maxTimestamp = maxTimestamp
            segment.maxTimestampPosition = maxTimestampPosition
            segment.lastOffsetEntryPosition = Int64(lastOffsetEntryPosition)
            segment.lastTimeEntryPosition = Int64(lastTimeEntryPosition)
            segment.offsets = SparseIndex(onFile: Int(offsetEntries))
            segment.times = SparseIndex(onFile: Int(timeEntries))
            segment.firstTimestamp = firstTimestamp
            segment.gaps = gaps
            return segment
        }
    }

    /// Journal entries of this generation are younger than the checkpoint.
    var generation: UInt64
    /// By directory name.
    var streams: [String: [Mark]]

    static let magic: UInt32 = 0x5743_5031  // WCP1
    static let version: UInt16 = 2
    /// A file larger than this is not read: about 10 million segments.
    static let maxBytes = 1 << 29

    func encode() -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: 64 + streams.count * (48 + Mark.encodedBytes))
        buffer.writeMultipleIntegers(Self.magic, Self.version, generation, UInt32(streams.count))
        for (name, marks) in streams {
            buffer.writeInteger(UInt16(name.utf8.count))
            buffer.writeString(name)
            buffer.writeInteger(UInt32(marks.count))
            for mark in marks {
                buffer.writeMultipleIntegers(
                    mark.name.base.value, mark.bytes, mark.next.value, mark.maxTimestamp.ms, mark.firstTimestamp.ms)
                buffer.writeMultipleIntegers(
                    mark.maxTimestampPosition, mark.lastOffsetEntryPosition, mark.lastTimeEntryPosition, mark.offsetEntries,
                    mark.timeEntries, mark.name.version, UInt32(mark.gaps.ranges.count))
                for gap in mark.gaps.ranges { buffer.writeMultipleIntegers(gap.lowerBound.value, gap.upperBound.value) }
            }
        }
        buffer.writeInteger(CRC32C.checksum(buffer))
        return buffer
    }

    /// Nil when the bytes are damaged.
    init?(_ bytes: ByteBuffer) {
        guard bytes.readableBytes >= 4, let body = bytes.getSlice(at: bytes.readerIndex, length: bytes.readableBytes - 4),
            bytes.getInteger(at: bytes.writerIndex - 4, as: UInt32.self) == CRC32C.checksum(body)
        else { return nil }
        var rest = body
        guard let head = rest.readMultipleIntegers(as: (UInt32, UInt16, UInt64, UInt32).self), head.0 == Self.magic,
            head.1 == Self.version
        else { return nil }
        generation = head.2
        streams = [:]
        for _ in 0..<head.3 {
            guard let length: UInt16 = rest.readInteger(), let name = rest.readString(length: Int(length)),
                let count: UInt32 = rest.readInteger(), Int(count) <= rest.readableBytes / Mark.encodedBytes
            else { return nil }
            var marks: [Mark] = []
            marks.reserveCapacity(Int(count))
            for _ in 0..<count {
                guard let mark = Mark(&rest) else { return nil }
                marks.append(mark)
            }
            streams[name] = marks
        }
    }

    init(generation: UInt64, streams: [String: [Mark]]) {
        self.generation = generation
        self.streams = streams
    }
}

extension Checkpoint.Mark {
    fileprivate init?(_ buffer: inout ByteBuffer) {
        guard let long = buffer.readMultipleIntegers(as: (Int64, Int64, Int64, Int64, Int64).self),
            let short = buffer.readMultipleIntegers(as: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32).self)
        else { return nil }
        name = SegmentName(Offset(long.0), version: short.5)
        bytes = long.1
        next = Offset(long.2)
        maxTimestamp = Timestamp(ms: long.3)
        firstTimestamp = Timestamp(ms: long.4)
        maxTimestampPosition = short.0
        lastOffsetEntryPosition = short.1
        lastTimeEntryPosition = short.2
        offsetEntries = short.3
        timeEntries = short.4
        gaps = OffsetRanges()
        guard Int(short.6) <= buffer.readableBytes / 16 else { return nil }
        for _ in 0..<short.6 {
            guard let gap = buffer.readMultipleIntegers(as: (Int64, Int64).self), gap.0 < gap.1,
                gap.0 >= gaps.ranges.last?.upperBound.value ?? 0
            else { return nil }
            gaps.append(Offset(gap.0)..<Offset(gap.1))
        }
    }
}
