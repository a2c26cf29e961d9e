import NIOCore
import Wire

/// What every request begins with.
///
/// ```
/// api key 2 │ version 2 │ correlation id 4 │ client id (nullable string) │ from header version 2: tagged fields
/// ```
/// Header version 2 goes with flexible request versions (KIP-482); the client id keeps its 16-bit length even there.
public struct RequestHeader: Sendable, Equatable {
    /// The number as sent; ``key`` is nil for one this package has no layout for.
    public var apiKey: Int16
    public var version: Int16
    public var correlationID: Int32
    public var clientID: String?

    public var key: APIKey? { APIKey(rawValue: apiKey) }

    public init(key: APIKey, version: Int16, correlationID: Int32, clientID: String?) {
        apiKey = key.rawValue
        self.version = version
        self.correlationID = correlationID
        self.clientID = clientID
    }

    /// Reads the header. For an API that is unknown, only the first three fields, so that the caller can still name it in its log.
    public init(reading reader: inout WireReader) throws(WireError) {
        apiKey = try reader.int16()
        version = try reader.int16()
        correlationID = try reader.int32()
        guard let key = APIKey(rawValue: apiKey) else {
            clientID = nil
            return
        }
        clientID = try reader.nullableString(compact: false)
        // An ApiVersions request of a version that is still to come is answered all the same (KIP-511): its header is flexible too.
        if key.requestHeaderVersion(version) >= 2 { try reader.skipTaggedFields() }
    }

    public func write(to writer: inout WireWriter) {
        writer.int16(apiKey)
        writer.int16(version)
        writer.int32(correlationID)
        writer.nullableString(clientID, compact: false)
        if let key, key.requestHeaderVersion(version) >= 2 { writer.noTaggedFields() }
    }
}

/// What every response begins with: the correlation id, and from header version 1 tagged fields.
public struct ResponseHeader: Sendable, Equatable {
    public var correlationID: Int32

    public init(correlationID: Int32) {
        self.correlationID = correlationID
    }

    public init(reading reader: inout WireReader, key: APIKey, version: Int16) throws(WireError) {
        correlationID = try reader.int32()
        if key.responseHeaderVersion(version) >= 1 { try reader.skipTaggedFields() }
    }

    public func write(to writer: inout WireWriter, key: APIKey, version: Int16) {
        writer.int32(correlationID)
        if key.responseHeaderVersion(version) >= 1 { writer.noTaggedFields() }
    }
}

extension APIKey {
    /// 1, or 2 with tagged fields.
    public func requestHeaderVersion(_ version: Int16) -> Int16 { version >= firstFlexible ? 2 : 1 }

    /// 0, or 1 with tagged fields. ApiVersions always has 0: the client reads it before it knows what the broker speaks (KIP-511).
    public func responseHeaderVersion(_ version: Int16) -> Int16 { self != .apiVersions && version >= firstFlexible ? 1 : 0 }
}
