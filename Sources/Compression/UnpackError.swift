import Model
import Wire

/// Why a batch's records cannot be unpacked. All but ``outOfMemory(_:)`` are its producer's doing.
public enum UnpackError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The attributes name a codec that nobody has given a meaning (5 to 7).
    case unknownCodec(Int)
    /// More than `limit` bytes would come out.
    case tooLarge(RecordBatchHeader.Compression, limit: Int)
    /// The header counts more records than one batch may have.
    case tooManyRecords(count: Int, limit: Int)
    /// The packed bytes end too early.
    case truncated(RecordBatchHeader.Compression)
    /// The packed bytes are not what the attributes say; `reason` is the library's word.
    case corrupt(RecordBatchHeader.Compression, reason: String)
    /// What came out are not the records that the header counts.
    case records(WireError)
    /// The codec's library got no memory.
    case outOfMemory(RecordBatchHeader.Compression)

    public var description: String {
        switch self {
        case .unknownCodec(let number): "compression \(number) is not one that Kafka defines"
        case .tooLarge(let codec, let limit): "the \(codec) data unpack to more than \(limit) bytes"
        case .tooManyRecords(let count, let limit): "the batch counts \(count) records, \(limit) are allowed"
        case .truncated(let codec): "the \(codec) data are cut off"
        case .corrupt(let codec, let reason): "the \(codec) data are damaged (\(reason))"
        case .records(let error): "the records are damaged (\(error))"
        case .outOfMemory(let codec): "no memory to unpack \(codec)"
        }
    }
}
