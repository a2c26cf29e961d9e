import NIOCore
import SchemaCompiler
import Wire

/// Writes a message from its schema text field by field, without the generated code: what that code is tested against.
struct SchemaSample {
    var random: SplitMix64
    /// Elements in every array.
    var elements = 2

    mutating func bytes(_ message: Message, version: Int) -> ByteBuffer {
        var writer = WireWriter()
        write(message.fields, version: version, flexible: message.firstFlexible.map { version >= $0 } ?? false, to: &writer)
        return writer.buffer
    }

    private mutating func write(_ fields: [Field], version: Int, flexible: Bool, to writer: inout WireWriter) {
        for field in fields where contains(field.versions, version) && field.tag == nil {
            write(field, version: version, flexible: flexible, to: &writer)
        }
        guard flexible else { return }
        let tagged = fields.compactMap { field in field.tag.map { (number: $0.number, versions: $0.versions, field: field) } }
            .filter { contains($0.versions, version) }.sorted { $0.number < $1.number }
        writer.unsignedVarint(UInt32(tagged.count))
        for (number, _, field) in tagged {
            var body = WireWriter()
            write(field, version: version, flexible: true, to: &body)
            writer.unsignedVarint(UInt32(number))
            writer.unsignedVarint(UInt32(body.buffer.readableBytes))
            writer.buffer.writeImmutableBuffer(body.buffer)
        }
    }

    private mutating func write(_ field: Field, version: Int, flexible: Bool, to writer: inout WireWriter) {
        // A tagged field that is null has its default, so it would not be written back.
        let null = field.nullable.map { contains($0, version) } ?? false && field.tag == nil && random.next() % 4 == 0
        switch field.type {
        case .array(let element):
            guard !null else { return writer.nullCount(compact: flexible) }
            writer.count(elements, compact: flexible)
            for _ in 0..<elements { write(element, field.fields, version: version, flexible: flexible, to: &writer) }
        case .string where null: writer.nullableString(nil, compact: flexible)
        case .bytes where null: writer.nullableBytes(nil, compact: flexible)
        case .structure where null: writer.int8(-1)
        case .structure where field.nullable.map { contains($0, version) } ?? false:
            writer.int8(1)
            write(field.type, field.fields, version: version, flexible: flexible, to: &writer)
        default: write(field.type, field.fields, version: version, flexible: flexible, to: &writer)
        }
    }

    private mutating func write(_ type: FieldType, _ fields: [Field], version: Int, flexible: Bool, to writer: inout WireWriter) {
        let bits = random.next() | 2
        switch type {
        case .bool: writer.bool(true)
        case .int8: writer.int8(Int8(truncatingIfNeeded: bits))
        case .int16: writer.int16(Int16(truncatingIfNeeded: bits))
        case .uint16: writer.uint16(UInt16(truncatingIfNeeded: bits))
        case .int32: writer.int32(Int32(truncatingIfNeeded: bits))
        case .uint32: writer.uint32(UInt32(truncatingIfNeeded: bits))
        case .int64: writer.int64(Int64(truncatingIfNeeded: bits))
        case .float64: writer.float64(1.5)
        case .uuid: writer.uuid(WireUUID(high: bits, low: random.next()))
        case .error: writer.int16(Int16(bits % 90 + 1))
        case .string: writer.string("s\(bits % 1_000)", compact: flexible)
        case .bytes: writer.bytes(ByteBuffer(string: "b\(bits % 1_000)"), compact: flexible)
        case .structure: write(fields, version: version, flexible: flexible, to: &writer)
        case .array: preconditionFailure("Kafka has no arrays of arrays")
        }
    }

    private func contains(_ range: VersionRange, _ version: Int) -> Bool {
        version >= range.lower && version <= range.upper ?? Int.max
    }
}

/// Steele, Lea and Flood's generator: the same numbers in every run.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
