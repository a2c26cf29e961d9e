import NIOCore
import Wire

/// Reads a batch's unpacked records one by one.
public struct RecordReader: Sendable {
    private let header: RecordBatchHeader
    private var reader: WireReader
    /// Records still to be read.
    public private(set) var left: Int

    /// - Parameter records: what follows the 61 header bytes, already decompressed. A count that the bytes can't hold is an error before
    ///   anything is reserved: a record takes at least 7 bytes.
    public init(header: RecordBatchHeader, records: ByteBuffer) throws(WireError) {
        self.header = header
        reader = WireReader(records)
        left = Int(header.recordCount)
        guard left <= reader.remaining / 7 else { throw .countTooLarge(count: left, remaining: reader.remaining) }
    }

    /// The next record; nil after the last.
    public mutating func next() throws(WireError) -> Record? {
        guard left > 0 else { return nil }
        left -= 1
        return try Record.read(&reader, header: header)
    }

    /// All that are left.
    public mutating func readAll() throws(WireError) -> [Record] {
        var result: [Record] = []
        result.reserveCapacity(left)
        while let record = try next() { result.append(record) }
        return result
    }
}
