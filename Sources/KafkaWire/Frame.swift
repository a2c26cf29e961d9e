import NIOCore
import Wire

/// A frame is a 32-bit length and that many bytes; the length does not count itself.
public enum Frame {
    public static let lengthBytes = 4

    public enum Malformed: Error, Equatable, Sendable {
        case negativeLength(Int)
        /// `length` bytes where `limit` are allowed.
        case tooLarge(length: Int, limit: Int)
    }

    /// The length of the frame at the reader index, without its prefix; nil when the prefix has not arrived. Consumes nothing.
    public static func length(of buffer: ByteBuffer, limit: Int) throws(Malformed) -> Int? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: Int32.self) else { return nil }
        guard length >= 0 else { throw .negativeLength(Int(length)) }
        guard length <= limit else { throw .tooLarge(length: Int(length), limit: limit) }
        return Int(length)
    }

    /// Takes one whole frame off the front, as a slice without its prefix; nil when more bytes are needed.
    public static func next(from buffer: inout ByteBuffer, limit: Int) throws(Malformed) -> ByteBuffer? {
        guard let length = try length(of: buffer, limit: limit), buffer.readableBytes >= lengthBytes + length else { return nil }
        buffer.moveReaderIndex(forwardBy: lengthBytes)
        return buffer.readSlice(length: length)
    }

    /// Appends a frame that `body` writes, with its length. `trailing` bytes that will follow the buffer on the wire (a file region)
    /// are counted in.
    public static func write(to writer: inout WireWriter, trailing: Int = 0, _ body: (inout WireWriter) -> Void) {
        let start = writer.buffer.writerIndex
        writer.int32(0)
        body(&writer)
        writer.buffer.setInteger(Int32(writer.buffer.writerIndex - start - lengthBytes + trailing), at: start)
    }

    /// Appends a whole response: length, header, body.
    public static func write(response: some KafkaResponse, correlationID: Int32, version: Int16, to writer: inout WireWriter) {
        write(to: &writer) { writer in
            ResponseHeader(correlationID: correlationID).write(to: &writer, key: type(of: response).key, version: version)
            response.write(to: &writer, version: version)
        }
    }

    /// Appends a whole request: length, header, body.
    public static func write<Request: KafkaClientRequest>(
        request: Request, version: Int16, correlationID: Int32, clientID: String?, to writer: inout WireWriter
    ) {
        write(to: &writer) { writer in
            RequestHeader(key: Request.key, version: version, correlationID: correlationID, clientID: clientID).write(to: &writer)
            request.write(to: &writer, version: version)
        }
    }
}
