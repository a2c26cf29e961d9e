import NIOCore

/// Cuts a byte stream into Kafka frames: a 4-byte big-endian length, then that many bytes. Whole frames inside one read are
/// slices of it; only a frame that spans reads is copied, once.
///
/// ```
/// feed [00 00 00 02 AA BB 00 00]   next → AA BB, next → nil
/// feed [00 01 CC]                  next → CC
/// ```
struct FrameAssembler {
    enum Malformed: Error, Equatable {
        case length(Int32)
    }

    /// Memory reserved for a frame that has begun to arrive grows with it from here: a length alone costs nothing.
    private static let firstReserve = 1 << 20

    private let maxFrameBytes: Int
    /// The newest read, as far as it is not used.
    private var chunk = ByteBuffer()
    /// A frame's beginning, length included, whose end has not arrived.
    private var partial: ByteBuffer?
    /// Bytes of the whole partial frame, length included; nil while the length itself is not whole.
    private var wanted: Int?

    /// Memory held for a frame that is not whole.
    var reservedBytes: Int { partial?.capacity ?? 0 }

    init(maxFrameBytes: Int) { self.maxFrameBytes = maxFrameBytes }

    /// Takes in a read; call ``next()`` until nil before the next one.
    mutating func feed(_ bytes: ByteBuffer) {
        precondition(chunk.readableBytes == 0, "a read is used up before the next")
        chunk = bytes
    }

    mutating func next() throws(Malformed) -> ByteBuffer? {
        if partial != nil { return try completePartial() }
        guard let length = chunk.getInteger(at: chunk.readerIndex, as: Int32.self) else { return keepRest(wanted: nil) }
        try check(length)
        guard chunk.readableBytes >= 4 + Int(length) else { return keepRest(wanted: 4 + Int(length)) }
        chunk.moveReaderIndex(forwardBy: 4)
        return chunk.readSlice(length: Int(length))
    }

    private func check(_ length: Int32) throws(Malformed) {
        guard length >= 0, Int(length) <= maxFrameBytes else { throw .length(length) }
    }

    private mutating func keepRest(wanted: Int?) -> ByteBuffer? {
        if chunk.readableBytes > 0 {
            self.wanted = wanted
            var kept = ByteBufferAllocator().buffer(capacity: min(wanted ?? 4, Self.firstReserve))
            kept.writeBuffer(&chunk)
            partial = kept
        }
        chunk = ByteBuffer()
        return nil
    }

    private mutating func completePartial() throws(Malformed) -> ByteBuffer? {
        if wanted == nil {
            take(upTo: 4)
            guard let length = partial?.getInteger(at: 0, as: Int32.self) else { return nil }
            try check(length)
            wanted = 4 + Int(length)
        }
        let total = wanted ?? 4
        take(upTo: total)
        guard var frame = partial, frame.readableBytes == total else { return nil }
        partial = nil
        wanted = nil
        frame.moveReaderIndex(forwardBy: 4)
        return frame
    }

    /// Moves bytes from the chunk until the partial frame has `total`.
    private mutating func take(upTo total: Int) {
        let missing = total - (partial?.readableBytes ?? 0)
        guard missing > 0, var slice = chunk.readSlice(length: min(missing, chunk.readableBytes)) else { return }
        partial?.writeBuffer(&slice)
    }
}
