import NIOCore
import Wire

extension KafkaData {
    /// Reads bytes that begin with their version. A newer version is read as the newest known: fields are only ever added at the end.
    public init(bytes: ByteBuffer) throws(WireError) {
        var reader = WireReader(bytes)
        let version = try reader.int16()
        guard version >= 0 else { throw .unsupportedVersion(api: Self.errorKey, version: version) }
        try self.init(reading: &reader, version: min(version, Self.versions.upperBound))
    }

    /// The bytes, with their version in front.
    public func bytes(version: Int16) -> ByteBuffer {
        var writer = WireWriter()
        writer.int16(version)
        write(to: &writer, version: version)
        return writer.buffer
    }
}
