import Model
import NIOCore

/// What a shard knows to be on the disk: for every stream its segments and how far they were synced. Recovery reads only what lies beyond.
///
/// File: magic 4 │ version 2 │ journal generation 8 │ streams … │ CRC-32C of all that 4; replaced as a whole.
struct Checkpoint: Equatable, Sendable {
    /// One segment as of the checkpoint.
    struct Mark: Equatable, Sendable {
        var base: Offset
        /// Synced bytes; they end between batches.
        var bytes: Int64
        var next: Offset
        var maxTimestamp: Timestamp
        var maxTimestampPosition: UInt32
        var lastOffsetEntryPosition: UInt32
        var lastTimeEntryPosition: UInt32
        var offsetEntries: UInt32
        var timeEntries: UInt32

        static let encodedBytes = 4 * 8 + 5 * 4

        init(_ segment: Segment) {
            base = segment.base
            bytes = segment.bytes
            next = segment.next
            maxTimestamp = segment.maxTimestamp
            maxTimestampPosition = segment.maxTimestampPosition
            lastOffsetEntryPosition = UInt32(segment.lastOffsetEntryPosition)
            lastTimeEntryPosition = UInt32(segment.lastTimeEntryPosition)
            offsetEntries = UInt32(segment.offsets.count)
            timeEntries = UInt32(segment.times.count)
        }

        var segment: Segment {
            var segment = Segment(base: base)
            segment.bytes = bytes
            segment.next = next
            segment.maxTimestamp = maxTimestamp
            segment.maxTimestampPosition = maxTimestampPosition
            segment.lastOffsetEntryPosition = Int64(lastOffsetEntryPosition)
            segment.lastTimeEntryPosition = Int64(lastTimeEntryPosition)
            segment.offsets = SparseIndex(onFile: Int(offsetEntries))
            segment.times = SparseIndex(onFile: Int(timeEntries))
            return segment
        }
    }

    /// Journal entries of this generation are younger than the checkpoint.
    var generation: UInt64
    /// By directory name.
    var streams: [String: [Mark]]

    static let magic: UInt32 = 0x5743_5031  // WCP1
    static let version: UInt16 = 1
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
                buffer.writeMultipleIntegers(mark.base.value, mark.bytes, mark.next.value, mark.maxTimestamp.ms)
                buffer.writeMultipleIntegers(
                    mark.maxTimestampPosition, mark.lastOffsetEntryPosition, mark.lastTimeEntryPosition, mark.offsetEntries,
                    mark.timeEntries)
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
        guard let long = buffer.readMultipleIntegers(as: (Int64, Int64, Int64, Int64).self),
            let short = buffer.readMultipleIntegers(as: (UInt32, UInt32, UInt32, UInt32, UInt32).self)
        else { return nil }
        base = Offset(long.0)
        bytes = long.1
        next = Offset(long.2)
        maxTimestamp = Timestamp(ms: long.3)
        (maxTimestampPosition, lastOffsetEntryPosition, lastTimeEntryPosition, offsetEntries, timeEntries) = short
    }
}
