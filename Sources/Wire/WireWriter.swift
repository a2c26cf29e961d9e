import NIOCore

/// Writes Kafka's primitive types; the mirror of ``WireReader``.
public struct WireWriter: Sendable {
    public var buffer: ByteBuffer

    public init(_ buffer: ByteBuffer = ByteBuffer()) {
        self.buffer = buffer
    }

    @inlinable public mutating func integer<T: FixedWidthInteger>(_ value: T) { buffer.writeInteger(value) }
    @inlinable public mutating func int8(_ value: Int8) { integer(value) }
    @inlinable public mutating func int16(_ value: Int16) { integer(value) }
    @inlinable public mutating func uint16(_ value: UInt16) { integer(value) }
    @inlinable public mutating func int32(_ value: Int32) { integer(value) }
    @inlinable public mutating func uint32(_ value: UInt32) { integer(value) }
    @inlinable public mutating func int64(_ value: Int64) { integer(value) }
    @inlinable public mutating func bool(_ value: Bool) { integer(value ? 1 : 0 as Int8) }
    @inlinable public mutating func float64(_ value: Double) { integer(value.bitPattern) }

    public mutating func uuid(_ value: WireUUID) {
        integer(value.high)
        integer(value.low)
    }

    @inlinable
    public mutating func unsignedVarint(_ value: UInt32) {
        var rest = value
        while rest > 0x7F {
            integer(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        integer(UInt8(rest))
    }

    @inlinable
    public mutating func varlong(_ value: Int64) {
        var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
        while rest > 0x7F {
            integer(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        integer(UInt8(rest))
    }

    @inlinable public mutating func varint(_ value: Int32) { varlong(Int64(value)) }

    /// A string. In the older form, whose length has 16 bits, what lies past 32,767 bytes is cut off at a character: a name that came in
    /// through a newer version must not stop an older client from being answered.
    public mutating func string(_ value: String, compact: Bool) {
        let length = value.utf8.count
        if compact {
            unsignedVarint(UInt32(length + 1))
            buffer.writeString(value)
        } else if length <= Int(Int16.max) {
            int16(Int16(length))
            buffer.writeString(value)
        } else {
            var end = value.utf8.index(value.utf8.startIndex, offsetBy: Int(Int16.max))
            while end.samePosition(in: value) == nil { end = value.utf8.index(before: end) }
            string(String(value[..<end]), compact: false)
        }
    }

    public mutating func nullableString(_ value: String?, compact: Bool) {
        guard let value else { return writeNull(compact: compact, width: Int16.self) }
        string(value, compact: compact)
    }

    public mutating func bytes(_ value: ByteBuffer, compact: Bool) {
        if compact { unsignedVarint(UInt32(value.readableBytes + 1)) } else { int32(Int32(value.readableBytes)) }
        buffer.writeImmutableBuffer(value)
    }

    public mutating func nullableBytes(_ value: ByteBuffer?, compact: Bool) {
        guard let value else { return writeNull(compact: compact, width: Int32.self) }
        bytes(value, compact: compact)
    }

    public mutating func count(_ value: Int, compact: Bool) {
        if compact { unsignedVarint(UInt32(value + 1)) } else { int32(Int32(value)) }
    }

    public mutating func nullCount(compact: Bool) { writeNull(compact: compact, width: Int32.self) }

    /// The empty set of tagged fields.
    @inlinable public mutating func noTaggedFields() { integer(0 as UInt8) }

    /// One tagged field; the caller has written the number of fields as an unsigned varint.
    public mutating func taggedField(_ tag: UInt32, _ body: (inout WireWriter) -> Void) {
        var field = WireWriter()
        body(&field)
        unsignedVarint(tag)
        unsignedVarint(UInt32(field.buffer.readableBytes))
        buffer.writeImmutableBuffer(field.buffer)
    }

    private mutating func writeNull<T: FixedWidthInteger>(compact: Bool, width: T.Type) {
        if compact { integer(0 as UInt8) } else { integer(-1 as T) }
    }
}
