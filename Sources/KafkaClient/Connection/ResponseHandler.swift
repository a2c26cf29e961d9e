import KafkaWire
import Model
import NIOCore
import Wire

/// One request on its way, and who waits for its answer.
struct OutgoingRequest: Sendable {
    var frame: ByteBuffer
    var key: APIKey
    var correlationID: Int32
    /// Fulfilled with what follows the frame's length. Nil where the broker does not answer (produce with acks=0).
    var promise: EventLoopPromise<ByteBuffer>?
    /// When the connection is given up, if the answer is not there.
    var deadline: NIODeadline
}

/// Sends requests and hands each answer to its request: Kafka answers in the order it was asked, so the pending ones are a queue.
/// Owned by its channel's event loop.
final class ResponseHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = OutgoingRequest
    typealias OutboundOut = ByteBuffer

    private struct Pending {
        var key: APIKey
        var correlationID: Int32
        var promise: EventLoopPromise<ByteBuffer>
        var deadline: NIODeadline
    }

    private let address: HostPort
    private let responseBytes: Int
    private var pending = CircularBuffer<Pending>()
    private var received = ByteBuffer()
    private var ticker: RepeatedTask?

    init(address: HostPort, responseBytes: Int) {
        self.address = address
        self.responseBytes = responseBytes
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let loop = NIOLoopBound(self, eventLoop: context.eventLoop)
        let channel = context.channel
        ticker = context.eventLoop.scheduleRepeatedTask(initialDelay: .milliseconds(500), delay: .milliseconds(500)) { _ in
            loop.value.expire(channel)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        ticker?.cancel()
        failAll(ClientError.disconnected(address))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let request = unwrapOutboundIn(data)
        if let answer = request.promise {
            pending.append(
                Pending(key: request.key, correlationID: request.correlationID, promise: answer, deadline: request.deadline))
        }
        context.write(wrapOutboundOut(request.frame), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if received.readableBytes == 0 {
            received = bytes
        } else {
            received.writeBuffer(&bytes)
        }
        do {
            while let frame = try Frame.next(from: &received, limit: responseBytes) {
                guard answer(frame) else {
                    return fail(context, ClientError.badFrame(address, "an answer that nobody asked for"))
                }
            }
        } catch {
            fail(context, ClientError.badFrame(address, "\(error)"))
        }
        makeRoom()
    }

    func channelInactive(context: ChannelHandlerContext) {
        failAll(ClientError.disconnected(address))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(context, ClientError.disconnected(address))
    }

    /// Makes room for the rest of a large answer once, instead of growing step by step.
    private func makeRoom() {
        if received.readableBytes == 0 { return received = ByteBuffer() }
        guard let length = received.getInteger(at: received.readerIndex, as: Int32.self), length > 0, length <= responseBytes else {
            return
        }
        let missing = Frame.lengthBytes + Int(length) - received.readableBytes
        if missing > received.writableBytes {
            received.discardReadBytes()
            received.reserveCapacity(minimumWritableBytes: missing)
        }
    }

    private func answer(_ frame: ByteBuffer) -> Bool {
        guard let first = pending.first, frame.getInteger(at: frame.readerIndex, as: Int32.self) == first.correlationID else {
            return false
        }
        pending.removeFirst()
        first.promise.succeed(frame)
        return true
    }

    private func expire(_ channel: any Channel) {
        guard let first = pending.first, first.deadline <= .now() else { return }
        // Answers come in order: behind one that is missing, none can arrive.
        failAll(ClientError.timedOut(first.key, address))
        channel.close(promise: nil)
    }

    private func fail(_ context: ChannelHandlerContext, _ error: ClientError) {
        failAll(error)
        context.close(promise: nil)
    }

    private func failAll(_ error: ClientError) {
        while let next = pending.popFirst() { next.promise.fail(error) }
    }
}
