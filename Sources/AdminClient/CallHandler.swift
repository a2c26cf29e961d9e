import Model
import NIOCore
import NIOHTTP1

/// A request and where its reply goes.
struct Call: Sendable {
    var head: HTTPRequestHead
    var body: [UInt8]
    var promise: EventLoopPromise<Reply>
}

/// Writes calls and hands each reply to the oldest call that has none (HTTP/1.1 answers in order). Any failure fails every waiting call
/// and closes the connection: after it nobody could tell which reply belongs to which call.
final class CallHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = Call
    typealias OutboundOut = HTTPClientRequestPart

    enum Failure: Error, Equatable, CustomStringConvertible {
        case closed
        case tooSlow(ms: Int64)
        case tooLarge(bytes: Int)

        var description: String {
            switch self {
            case .closed: "it closed the connection"
            case .tooSlow(let ms): "no answer within \(ms) ms"
            case .tooLarge(let bytes): "its answer has more than \(bytes) bytes"
            }
        }
    }

    private let limits: Limits
    private let timeoutMs: Int64
    private var waiting: [EventLoopPromise<Reply>] = []
    private var reply: Reply?
    private var timeout: Scheduled<Void>?

    init(limits: Limits, timeoutMs: Int64) {
        self.limits = limits
        self.timeoutMs = timeoutMs
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let call = unwrapOutboundIn(data)
        guard context.channel.isActive else { return call.promise.fail(Failure.closed) }
        waiting.append(call.promise)
        if waiting.count == 1 { startTimeout(context: context) }
        context.write(wrapOutboundOut(.head(call.head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(bytes: call.body)))), promise: nil)
        context.write(wrapOutboundOut(.end(nil)), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head) where head.status.code < 200: break
        case .head(let head): reply = Reply(status: head.status, body: [])
        case .body(let chunk):
            guard let count = reply?.body.count, count + chunk.readableBytes <= limits.attachedAnswerBytes else {
                return fail(Failure.tooLarge(bytes: limits.attachedAnswerBytes), context: context)
            }
            reply?.body.append(contentsOf: chunk.readableBytesView)
        case .end:
            timeout?.cancel()
            guard let whole = reply, !waiting.isEmpty else { return fail(Failure.closed, context: context) }
            reply = nil
            let promise = waiting.removeFirst()
            if !waiting.isEmpty { startTimeout(context: context) }
            promise.succeed(whole)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error, context: context) }

    func channelInactive(context: ChannelHandlerContext) {
        fail(Failure.closed, context: context)
        context.fireChannelInactive()
    }

    private func startTimeout(context: ChannelHandlerContext) {
        let failure = Failure.tooSlow(ms: timeoutMs)
        timeout = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(timeoutMs)) { self.fail(failure, context: context) }
    }

    private func fail(_ error: any Error, context: ChannelHandlerContext) {
        timeout?.cancel()
        let failed = waiting
        waiting = []
        reply = nil
        for promise in failed { promise.fail(error) }
        context.close(promise: nil)
    }
}
