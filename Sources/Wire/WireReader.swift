import NIOCore

/// Reads Kafka's primitive types from a frame. Every length is checked against what remains before anything is
/// reserved, so a hostile count costs an error and no memory.
///
/// Types and encodings: Kafka protocol guide, "Protocol Primitive Types"; compact forms and tagged fields: KIP-482.
public struct WireReader: Sendable {
    /// What is still to be read.
    public var buffer: ByteBuffer
    /// Array elements that this message may still have. An element weighs up to a hundred times more in memory than on the wire (an empty
    /// string is one byte there), so the length of the frame alone does not bound what it can make its reader hold. The largest true
    /// message, metadata or a fetch of 200,000 partitions, has well under a million.
    public private(set) var elementsLeft: Int

    /// Array elements that one message may have.
    public static let elementLimit = 2_000_000

    public init(_ buffer: ByteBuffer) {
        self.init(buffer, elementsLeft: Self.elementLimit)
    }

    private init(_ buffer: ByteBuffer, elementsLeft: Int) {
        self.buffer = buffer
        self.elementsLeft = elementsLeft
    }

    public var remaining: Int { buffer.readableBytes }

    @inlinable
    public mutating func integer<T: FixedWidthInteger>(as type: T.Type = T.self) throws(WireError) -> T {
        guard let value = buffer.readInteger(as: type) else {
            throw .truncated(needed: MemoryLayout<T>.size, remaining: remaining)
        }
        return value
    }

    @inlinable public mutating func int8() throws(WireError) -> Int8 { try integer() }
    @inlinable public mutating func int16() throws(WireError) -> Int16 { try integer() }
    @inlinable public mutating func uint16() throws(WireError) -> UInt16 { try integer() }
    @inlinable public mutating func int32() throws(WireError) -> Int32 { try integer() }
    @inlinable public mutating func uint32() throws(WireError) -> UInt32 { try integer() }
    @inlinable public mutating func int64() throws(WireError) -> Int64 { try integer() }
    @inlinable public mutating func bool() throws(WireError) -> Bool { try int8() != 0 }
    @inlinable public mutating func float64() throws(WireError) -> Double { Double(bitPattern: try integer()) }
    public mutating func uuid() throws(WireError) -> WireUUID { WireUUID(high: try integer(), low: try integer()) }

    /// An unsigned LEB128 integer of at most 32 bits.
    @inlinable
    public mutating func unsignedVarint() throws(WireError) -> UInt32 {
        var value: UInt32 = 0
        var shift: UInt32 = 0
        while true {
            let byte: UInt8 = try integer()
            if shift == 28 && byte > 0x0F { throw .varintTooLong }
            value |= UInt32(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
    }

    /// A zigzag LEB128 integer of at most 64 bits (record fields).
    @inlinable
    public mutating func varlong() throws(WireError) -> Int64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte: UInt8 = try integer()
            if shift == 63 && byte > 1 { throw .varintTooLong }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
            shift += 7
        }
    }

    /// A zigzag LEB128 integer of at most 32 bits.
    @inlinable
    public mutating func varint() throws(WireError) -> Int32 {
        let value = try unsignedVarint()
        return Int32(bitPattern: value >> 1) ^ -Int32(bitPattern: value & 1)
    }

    // MARK: Strings and bytes. `compact` lengths are unsigned varints of length + 1, 0 for null.

    public mutating func string(compact: Bool) throws(WireError) -> String {
        guard let text = try nullableString(compact: compact) else { throw .unexpectedNull }
        return text
    }

    public mutating func nullableString(compact: Bool) throws(WireError) -> String? {
        let length = compact ? Int(try unsignedVarint()) - 1 : Int(try int16())
        guard let slice = try slice(length) else { return nil }
        guard let text = String(validating: slice.readableBytesView, as: UTF8.self) else { throw .invalidUTF8 }
        return text
    }

    public mutating func bytes(compact: Bool) throws(WireError) -> ByteBuffer {
        guard let bytes = try nullableBytes(compact: compact) else { throw .unexpectedNull }
        return bytes
    }

    /// A slice that shares the frame's storage.
    public mutating func nullableBytes(compact: Bool) throws(WireError) -> ByteBuffer? {
        try slice(compact ? Int(try unsignedVarint()) - 1 : Int(try int32()))
    }

    /// The number of elements that follow, at least `minimumBytes` each; nil for a null array, which is an error in versions where it is
    /// not `nullable`.
    public mutating func nullableCount(compact: Bool, minimumBytes: Int = 1, nullable: Bool = true) throws(WireError) -> Int? {
        let count = compact ? Int(try unsignedVarint()) - 1 : Int(try int32())
        if count == -1 {
            guard nullable else { throw .unexpectedNull }
            return nil
        }
        guard count >= 0 else { throw .negativeLength(count) }
        guard count <= remaining / Swift.max(minimumBytes, 1) else {
            throw .countTooLarge(count: count, remaining: remaining)
        }
        guard count <= elementsLeft else { throw .tooManyElements(limit: Self.elementLimit) }
        elementsLeft -= count
        return count
    }

    public mutating func count(compact: Bool, minimumBytes: Int = 1) throws(WireError) -> Int {
        guard let count = try nullableCount(compact: compact, minimumBytes: minimumBytes) else { throw .unexpectedNull }
        return count
    }

    /// How many elements to make room for when `count` are announced. Elements weigh more in memory than on the wire, so an array grows
    /// with what was really read instead of being reserved by a number from outside.
    @inlinable public static func reservation(_ count: Int) -> Int { Swift.min(count, 1024) }

    /// Skips tagged fields this version does not know (KIP-482).
    public mutating func skipTaggedFields() throws(WireError) {
        try taggedFields { _, _ throws(WireError) in }
    }

    /// Hands each tagged field to `body` with a reader over its bytes alone.
    public mutating func taggedFields(
        _ body: (_ tag: UInt32, _ field: inout WireReader) throws(WireError) -> Void
    ) throws(WireError) {
        var left = try unsignedVarint()
        guard Int(left) <= remaining else { throw .countTooLarge(count: Int(left), remaining: remaining) }
        while left > 0 {
            let tag = try unsignedVarint()
            guard let slice = try slice(Int(try unsignedVarint())) else { throw .unexpectedNull }
            var field = WireReader(slice, elementsLeft: elementsLeft)
            try body(tag, &field)
            elementsLeft = field.elementsLeft
            left -= 1
        }
    }

    /// Fails unless all was read.
    public func expectEnd() throws(WireError) {
        guard remaining == 0 else { throw .trailingBytes(remaining) }
    }

    private mutating func slice(_ length: Int) throws(WireError) -> ByteBuffer? {
        if length == -1 { return nil }
        guard length >= 0 else { throw .negativeLength(length) }
        guard let slice = buffer.readSlice(length: length) else {
            throw .truncated(needed: length, remaining: remaining)
        }
        return slice
    }
}

/// 128 bits as two big-endian halves, the way the wire carries a UUID.
public struct WireUUID: Hashable, Sendable {
    public var high: UInt64
    public var low: UInt64

    public static let zero = WireUUID(high: 0, low: 0)

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}
