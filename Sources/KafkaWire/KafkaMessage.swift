import Wire

/// A message with a layout for each of `versions`; what the generator emits conforms to one of the protocols below.
public protocol KafkaMessage: Sendable, Equatable {
    /// Versions it can be read and written in.
    static var versions: ClosedRange<Int16> { get }
    /// First version with compact lengths and tagged fields (KIP-482); `Int16.max` for none.
    static var firstFlexible: Int16 { get }
    /// The number that errors name: the API's key, −1 for data.
    static var errorKey: Int16 { get }

    init()
}

extension KafkaMessage {
    @inlinable
    static func check(_ version: Int16) throws(WireError) {
        guard versions.contains(version) else { throw .unsupportedVersion(api: errorKey, version: version) }
    }
}

/// A request as the broker sees it.
public protocol KafkaRequest: KafkaMessage {
    associatedtype Response: KafkaResponse
    static var key: APIKey { get }
    init(reading reader: inout WireReader, version: Int16) throws(WireError)
}

/// A response as the broker sees it.
public protocol KafkaResponse: KafkaMessage {
    static var key: APIKey { get }
    func write(to writer: inout WireWriter, version: Int16)
}

/// A request that clients can send as well.
public protocol KafkaClientRequest: KafkaRequest where Response: KafkaClientResponse {
    func write(to writer: inout WireWriter, version: Int16)
}

/// A response that clients can read as well.
public protocol KafkaClientResponse: KafkaResponse {
    init(reading reader: inout WireReader, version: Int16) throws(WireError)
}

/// Bytes inside a message that only clients look into; they begin with their version.
public protocol KafkaData: KafkaMessage {
    init(reading reader: inout WireReader, version: Int16) throws(WireError)
    func write(to writer: inout WireWriter, version: Int16)
}

extension KafkaRequest {
    public static var errorKey: Int16 { key.rawValue }
}

extension KafkaResponse {
    public static var errorKey: Int16 { key.rawValue }
}

extension KafkaData {
    public static var errorKey: Int16 { -1 }
}
