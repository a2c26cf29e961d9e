import Model
import NIOCore

/// Cuts a byte stream into Kafka frames: a 4-byte big-endian length, then that many bytes. Whole frames inside one read are
/// slices of it. A large frame that spans reads is lent to the reader, so that the rest of it lands behind its beginning; only the
/// beginning, and small frames that span reads, are copied.
///
/// ```
/// feed [00 00 00 02 AA BB 00 00]   next → AA BB, next → nil
/// feed [00 01 CC]                  next → CC
/// feed [00 0F 42 40 …]             next → nil;  lend → the frame so far, with room for the rest;  feed it  → next → the frame
/// ```
struct FrameAssembler {
    enum Malformed: Error, Equatable {
        case length(Int32)
        /// What was lent did not come back: the reader dropped it, and the frame's beginning with it.
        case lost
    }

    /// Frames from this size on are lent: less is not worth a read of its own.
    static let lendBytes = 64 << 10
    /// Room behind a lent frame, so that the read that ends it brings the next one's length too.
    static let overshootBytes = 1 << 10

    private let maxFrameBytes: Int
    /// Memory reserved for a frame that has begun to arrive grows with it from here: a length alone costs nothing.
    private let firstReserveBytes: Int
    /// Reads as far as they are not used.
    private var chunk = ByteBuffer()
    /// A frame's beginning, length included; more than the frame when it was lent and came back.
    private var partial: ByteBuffer?
    /// Bytes of the whole partial frame, length included; nil while the length itself is not whole.
    private var wanted: Int?
    private let pool: BufferPool
    private var isLent = false
    private var isLost = false

    /// Bytes that were copied because their frame spanned reads.
    private(set) var copiedBytes = 0
    /// Memory held for a frame that is not whole.
    var reservedBytes: Int { partial?.capacity ?? 0 }

    /// Bytes of a frame that has begun to arrive and are not there yet; nil where none has, or its length is not whole.
    var missingBytes: Int? {
        guard chunk.readableBytes == 0, !isLent, let wanted, let filled = partial?.readableBytes, filled < wanted else { return nil }
        return wanted - filled
    }

    /// Whether there are bytes that ``next()`` has not seen, or a whole frame.
    var hasUnread: Bool {
        if chunk.readableBytes > 0 || isLost { return true }
        guard let partial, let wanted else { return false }
        return partial.readableBytes >= wanted
    }

    init(maxFrameBytes: Int, firstReserveBytes: Int, pool: BufferPool) {
        self.pool = pool
        self.maxFrameBytes = maxFrameBytes
        self.firstReserveBytes = firstReserveBytes
    }

    /// The frame that is not whole, for the next read to continue: its writable bytes are what may be read. Comes back by
    /// ``feed(_:)``. Nil where a read of its own does not pay.
    mutating func lend() -> ByteBuffer? {
        if isLent {
            isLent = false
            isLost = true
        }
        guard chunk.readableBytes == 0, let wanted, wanted >= Self.lendBytes, let filled = partial?.readableBytes, filled < wanted
        else { return nil }
        let room = min(wanted + Self.overshootBytes, max(firstReserveBytes, 2 * filled))
        let isOwned: Void? = partial?.modifyIfUniquelyOwned { partial in
            // Clearing touches no bytes and undoes the last slicing, so that growing may move pages and not bytes.
            partial.clear()
            partial.moveWriterIndex(to: filled)
            partial.reserveCapacity(room)
            partial.moveWriterIndex(to: room)
        }
        guard isOwned != nil, var lent = partial?.getSlice(at: 0, length: room) else { return nil }
        lent.moveWriterIndex(to: filled)
        partial = nil
        isLent = true
        return lent
    }

    /// Takes in a read: what was lent, or bytes of its own.
    mutating func feed(_ bytes: ByteBuffer) {
        if isLent {
            isLent = false
            partial = bytes
        } else if chunk.readableBytes == 0 {
            chunk = bytes
        } else {
            var bytes = bytes
            chunk.writeBuffer(&bytes)
        }
    }

    mutating func next() throws(Malformed) -> ByteBuffer? {
        if isLost { throw .lost }
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
            let reserve = wanted.map { min($0 + Self.overshootBytes, firstReserveBytes) }
            var kept = pool.take(max(reserve ?? 4, chunk.readableBytes))
            copiedBytes += chunk.readableBytes
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
        guard var whole = partial, var frame = whole.readSlice(length: total) else { return nil }
        partial = nil
        wanted = nil
        pool.keep(whole)
        if whole.readableBytes > 0 {
            if chunk.readableBytes > 0 { whole.writeBuffer(&chunk) }
            chunk = whole
        }
        frame.moveReaderIndex(forwardBy: 4)
        return frame
    }

    /// Moves bytes from the chunk until the partial frame has `total`.
    private mutating func take(upTo total: Int) {
        let missing = total - (partial?.readableBytes ?? 0)
        // Writing nothing would still copy a partial frame that NIO holds too, as it does while it reads into it.
        guard missing > 0, chunk.readableBytes > 0, var slice = chunk.readSlice(length: min(missing, chunk.readableBytes)) else { return }
        copiedBytes += slice.readableBytes
        partial?.writeBuffer(&slice)
    }
}
