import NIOCore
import Testing
import Wire

/// What a hostile or cut frame may cost: an error, never a trap, and no memory.
@Suite struct WireReaderTests {
    private func reader(_ bytes: [UInt8]) -> WireReader { WireReader(ByteBuffer(bytes: bytes)) }

    @Test func `integers are big-endian and end with the bytes`() throws {
        var reader = reader([0x01, 0x02, 0xFF, 0xFE, 0x80])
        #expect(try reader.int16() == 258)
        #expect(try reader.int16() == -2)
        #expect(throws: WireError.truncated(needed: 4, remaining: 1)) { try reader.int32() }
        #expect(try reader.int8() == -128)
        #expect(reader.remaining == 0)
    }

    @Test func `a varint of five bytes may use 32 bits and no more`() throws {
        var largest = reader([0xFF, 0xFF, 0xFF, 0xFF, 0x0F])
        #expect(try largest.unsignedVarint() == UInt32.max)
        var tooLarge = reader([0xFF, 0xFF, 0xFF, 0xFF, 0x1F])
        #expect(throws: WireError.varintTooLong) { try tooLarge.unsignedVarint() }
        var endless = reader([0x80, 0x80, 0x80, 0x80, 0x80, 0x01])
        #expect(throws: WireError.varintTooLong) { try endless.unsignedVarint() }
        var cut = reader([0x80])
        #expect(throws: WireError.truncated(needed: 1, remaining: 0)) { try cut.unsignedVarint() }
    }

    @Test func `a varlong of ten bytes may use 64 bits and no more`() throws {
        var smallest = reader([UInt8](repeating: 0xFF, count: 9) + [0x01])
        #expect(try smallest.varlong() == Int64.min)
        var tooLarge = reader([UInt8](repeating: 0xFF, count: 9) + [0x02])
        #expect(throws: WireError.varintTooLong) { try tooLarge.varlong() }
    }

    @Test(arguments: [(0, [0x00]), (-1, [0x01]), (1, [0x02]), (-64, [0x7F]), (64, [0x80, 0x01])] as [(Int32, [UInt8])])
    func `zigzag`(value: Int32, bytes: [UInt8]) throws {
        var reader = reader(bytes)
        #expect(try reader.varint() == value)
        var writer = WireWriter()
        writer.varint(value)
        #expect(writer.buffer == ByteBuffer(bytes: bytes))
    }

    @Test func `strings are checked for length, null and encoding`() throws {
        var plain = reader([0x00, 0x03, 0x61, 0xC3, 0xBC])
        #expect(try plain.string(compact: false) == "aü")
        var null = reader([0xFF, 0xFF])
        #expect(try null.nullableString(compact: false) == nil)
        var notNullable = reader([0xFF, 0xFF])
        #expect(throws: WireError.unexpectedNull) { try notNullable.string(compact: false) }
        var negative = reader([0xFF, 0xFE])
        #expect(throws: WireError.negativeLength(-2)) { try negative.nullableString(compact: false) }
        var long = reader([0x7F, 0xFF, 0x61])
        #expect(throws: WireError.truncated(needed: 32_767, remaining: 1)) { try long.string(compact: false) }
        var latin = reader([0x00, 0x01, 0xFC])
        #expect(throws: WireError.invalidUTF8) { try latin.string(compact: false) }
        var compactNull = reader([0x00])
        #expect(try compactNull.nullableString(compact: true) == nil)
        var compactHuge = reader([0xFF, 0xFF, 0xFF, 0xFF, 0x0F])
        #expect(throws: WireError.truncated(needed: 4_294_967_294, remaining: 0)) { try compactHuge.string(compact: true) }
    }

    @Test func `a slice of bytes shares the frame`() throws {
        var reader = reader([0x00, 0x00, 0x00, 0x02, 0x07, 0x08, 0x09])
        #expect(try reader.bytes(compact: false) == ByteBuffer(bytes: [0x07, 0x08]))
        #expect(throws: WireError.trailingBytes(1)) { try reader.expectEnd() }
    }

    @Test func `a count that the rest cannot hold is refused before anything is reserved`() throws {
        var huge = reader([0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
        #expect(throws: WireError.countTooLarge(count: Int(Int32.max), remaining: 4)) { try huge.count(compact: false) }
        var three = reader([0x00, 0x00, 0x00, 0x03, 0, 0, 0, 0, 0, 0, 0])
        #expect(throws: WireError.countTooLarge(count: 3, remaining: 7)) { try three.count(compact: false, minimumBytes: 3) }
        var two = reader([0x00, 0x00, 0x00, 0x02, 0, 0, 0, 0, 0, 0, 0])
        #expect(try two.count(compact: false, minimumBytes: 3) == 2)
        var negative = reader([0x80, 0x00, 0x00, 0x00])
        #expect(throws: WireError.negativeLength(Int(Int32.min))) { try negative.count(compact: false) }
        var null = reader([0xFF, 0xFF, 0xFF, 0xFF])
        #expect(throws: WireError.unexpectedNull) { try null.count(compact: false) }
        #expect(WireReader.reservation(1_000_000) == 1024)
        #expect(WireReader.reservation(3) == 3)
    }

    @Test func `the elements of all arrays together are limited`() throws {
        // Two million one-byte elements may be announced in one array or in two, tagged fields included; one more may not.
        var bytes = ByteBuffer()
        for count in [1_999_999, 1, 1] as [Int32] { bytes.writeInteger(count) }
        bytes.writeRepeatingByte(0, count: 2_000_001)
        var reader = WireReader(bytes)
        #expect(try reader.count(compact: false) == 1_999_999)
        #expect(try reader.count(compact: false) == 1)
        #expect(throws: WireError.tooManyElements(limit: 2_000_000)) { try reader.count(compact: false) }

        var tagged = ByteBuffer(bytes: [1, 0, 6, 0, 0, 0, 1, 0, 0])
        tagged.writeImmutableBuffer(bytes)
        reader = WireReader(tagged)
        try reader.taggedFields { _, field throws(WireError) in _ = try field.count(compact: false) }
        #expect(reader.elementsLeft == 1_999_999)
    }

    @Test func `unknown tagged fields are skipped and known ones read alone`() throws {
        // Two fields: tag 5 with two bytes, tag 1 with one.
        var reader = reader([0x02, 0x05, 0x02, 0xAA, 0xBB, 0x01, 0x01, 0x2A, 0x77])
        var seen: [UInt32: Int8] = [:]
        try reader.taggedFields { tag, field throws(WireError) in
            if tag == 1 { seen[tag] = try field.int8() }
        }
        #expect(seen == [1: 42])
        #expect(try reader.int8() == 0x77)
    }

    @Test func `tagged fields that promise too much are refused`() throws {
        var many = reader([0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x00])
        #expect(throws: WireError.countTooLarge(count: 4_294_967_295, remaining: 1)) { try many.skipTaggedFields() }
        var long = reader([0x01, 0x00, 0x09, 0x00])
        #expect(throws: WireError.truncated(needed: 9, remaining: 1)) { try long.skipTaggedFields() }
        var beyond = reader([0x01, 0x00, 0x01, 0x00, 0x00])
        #expect(throws: WireError.truncated(needed: 2, remaining: 1)) {
            try beyond.taggedFields { _, field throws(WireError) in _ = try field.int16() }
        }
    }
}
