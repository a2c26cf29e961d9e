import NIOCore
import Wire

/// One record of a batch (Kafka message format v2).
public struct Record: Equatable, Sendable {
    public var offset: Offset
    public var timestamp: Timestamp
    public var key: ByteBuffer?
    public var value: ByteBuffer?
    public var headers: [Header]

    public struct Header: Equatable, Sendable {
        public var name: String
        public var value: ByteBuffer?

        public init(name: String, value: ByteBuffer?) {
            self.name = name
            self.value = value
        }

        /// Whether it has this name: most others differ in length, and text is not compared then.
        @inline(__always)
        public func isNamed(_ other: String) -> Bool { name.utf8.count == other.utf8.count && name == other }
    }

    public init(
        offset: Offset = .zero, timestamp: Timestamp = .none, key: ByteBuffer? = nil, value: ByteBuffer?, headers: [Header] = []
    ) {
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }

    /// Reads the records of one batch. `records` is what follows the 61 header bytes, already decompressed.
    /// A count that the bytes can't hold is an error before anything is reserved: a record takes at least 7 bytes.
    public static func readAll(header: RecordBatchHeader, records: ByteBuffer) throws(WireError) -> [Record] {
        var reader = try RecordReader(header: header, records: records)
        return try reader.readAll()
    }

    static func read(_ reader: inout WireReader, header: RecordBatchHeader) throws(WireError) -> Record {
        let length = Int(try reader.varint())
        guard length >= 0 else { throw .negativeLength(length) }
        guard let body = reader.buffer.readSlice(length: length) else {
            throw .truncated(needed: length, remaining: reader.remaining)
        }
        var field = WireReader(body)
        _ = try field.int8()  // attributes: none are defined
        let timestampDelta = try field.varlong()
        let offsetDelta = try field.varint()
        let key = try variableBytes(&field)
        let value = try variableBytes(&field)
        let headerCount = Int(try field.varint())
        guard headerCount >= 0, headerCount <= field.remaining / 2 else {
            throw .countTooLarge(count: headerCount, remaining: field.remaining)
        }
        var headers: [Header] = []
        headers.reserveCapacity(headerCount)
        for _ in 0..<headerCount {
            guard let name = try variableBytes(&field) else { throw .unexpectedNull }
            headers.append(Header(name: String(buffer: name), value: try variableBytes(&field)))
        }
        let timestamp = header.attributes.isLogAppendTime ? header.maxTimestamp : header.baseTimestamp + timestampDelta
        return Record(
            offset: header.baseOffset + Int64(offsetDelta), timestamp: timestamp, key: key, value: value, headers: headers)
    }

    private static func variableBytes(_ reader: inout WireReader) throws(WireError) -> ByteBuffer? {
        let length = Int(try reader.varint())
        if length == -1 { return nil }
        guard length >= 0 else { throw .negativeLength(length) }
        guard let slice = reader.buffer.readSlice(length: length) else {
            throw .truncated(needed: length, remaining: reader.remaining)
        }
        return slice
    }
}
