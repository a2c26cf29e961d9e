import NIOCore
import Testing
import Wire

@Suite struct WireWriterTests {
    @Test func `what is written is read back`() throws {
        var writer = WireWriter()
        writer.bool(true)
        writer.uint16(65_535)
        writer.int64(-5)
        writer.float64(1.5)
        writer.uuid(WireUUID(high: 1, low: UInt64.max))
        for compact in [false, true] {
            writer.string("grüße", compact: compact)
            writer.nullableString(nil, compact: compact)
            writer.bytes(ByteBuffer(bytes: [1, 2, 3]), compact: compact)
            writer.nullableBytes(nil, compact: compact)
            writer.count(0, compact: compact)
            writer.nullCount(compact: compact)
        }
        writer.unsignedVarint(UInt32.max)
        writer.varlong(Int64.min)
        writer.varint(Int32.min)
        var reader = WireReader(writer.buffer)
        #expect(try reader.bool())
        #expect(try reader.uint16() == 65_535)
        #expect(try reader.int64() == -5)
        #expect(try reader.float64() == 1.5)
        #expect(try reader.uuid() == WireUUID(high: 1, low: UInt64.max))
        for compact in [false, true] {
            #expect(try reader.string(compact: compact) == "grüße")
            #expect(try reader.nullableString(compact: compact) == nil)
            #expect(try reader.bytes(compact: compact) == ByteBuffer(bytes: [1, 2, 3]))
            #expect(try reader.nullableBytes(compact: compact) == nil)
            #expect(try reader.count(compact: compact) == 0)
            #expect(try reader.nullableCount(compact: compact) == nil)
        }
        #expect(try reader.unsignedVarint() == UInt32.max)
        #expect(try reader.varlong() == Int64.min)
        #expect(try reader.varint() == Int32.min)
        try reader.expectEnd()
    }

    @Test func `compact lengths count one more`() {
        var writer = WireWriter()
        writer.string("ab", compact: true)
        writer.bytes(ByteBuffer(), compact: true)
        writer.count(2, compact: true)
        #expect(writer.buffer == ByteBuffer(bytes: [0x03, 0x61, 0x62, 0x01, 0x03]))
    }

    @Test func `a string too long for 16 bits is cut at a character`() throws {
        var writer = WireWriter()
        // 32,766 bytes and then a character of two: only the first of them would fit.
        writer.string(String(repeating: "x", count: 32_766) + "üy", compact: false)
        var reader = WireReader(writer.buffer)
        #expect(try reader.string(compact: false) == String(repeating: "x", count: 32_766))
        try reader.expectEnd()
    }

    @Test func `a tagged field carries its own length`() {
        var writer = WireWriter()
        writer.unsignedVarint(1)
        writer.taggedField(3) { $0.int16(7) }
        #expect(writer.buffer == ByteBuffer(bytes: [0x01, 0x03, 0x02, 0x00, 0x07]))
    }
}
