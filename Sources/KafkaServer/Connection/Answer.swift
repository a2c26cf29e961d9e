import KafkaWire
import Model
import NIOCore
import Storage
import Wire

/// What goes back for one request, ready for the socket.
enum Answer: Sendable {
    case bytes(ByteBuffer)
    /// Header bytes and file regions in turn (a fetch).
    case parts([Part])
    /// The request wants no answer (`acks=0`).
    case none

    enum Part: Sendable {
        case bytes(ByteBuffer)
        case slice(LogSlice)
    }
}

/// A request being handled: what the handler may know, and how it answers. Used on the connection's loop.
struct RequestContext: Sendable {
    let door: DoorState
    let connection: Connection
    /// The answer's place in the connection's order.
    let slot: UInt64
    let api: APIKey
    let version: Int16
    let correlationID: Int32
    let clientID: String?

    var loop: any EventLoop { connection.loop }

    /// Encodes a response and puts it into its place. Any thread.
    func answer(_ response: some KafkaResponse) {
        var writer = responseWriter()
        response.write(to: &writer, version: version)
        answer(.bytes(Self.framed(writer)))
    }

    func answer(_ answer: Answer) {
        if loop.inEventLoop { connection.fill(slot, answer) } else { loop.execute { connection.fill(slot, answer) } }
    }

    /// Runs an administrative request outside the loops and answers with what it gives.
    func answer<Response: KafkaResponse & Sendable>(later body: @escaping @Sendable () async -> Response) {
        Task { answer(await body()) }
    }

    /// A frame that has begun: room for its length, then the response header.
    func responseWriter(capacity: Int = 256) -> WireWriter {
        var writer = WireWriter(ByteBufferAllocator().buffer(capacity: capacity))
        writer.int32(0)
        ResponseHeader(correlationID: correlationID).write(to: &writer, key: api, version: version)
        return writer
    }

    /// Sets the frame's length, which counts `extra` bytes that follow elsewhere.
    static func framed(_ writer: WireWriter, extra: Int = 0) -> ByteBuffer {
        var buffer = writer.buffer
        buffer.setInteger(Int32(buffer.readableBytes - 4 + extra), at: buffer.readerIndex)
        return buffer
    }
}
