import Control
import Model
import NIOCore
import NIOHTTP1

/// One HTTP connection: gathers a request, has it answered, writes the answer, takes the next.
///
/// One request is in work at a time. While it is, reading stops; requests a pipelining client had already sent wait in `waiting`,
/// which one read buffer bounds, and the next is begun only when the answer before it has left the machine. So neither a client that
/// sends without reading nor one that trickles bytes can hold more than one request's memory or hold it past its deadline.
final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case idle
        case gathering(HTTPRequestHead, [UInt8])
        /// `keepAlive` false: the connection closes once the answer is out.
        case answering(HTTPRequestHead)
        /// Refused before its body was in: the rest is dropped, then the connection closes.
        case draining(droppedBytes: Int)
        case closed
    }

    private let router: Router
    private let limits: Limits
    private let headGuard: HeadGuard
    /// The door has no room for this connection; it is told so and closed.
    private let crowded: Bool
    private var state = State.idle
    private var waiting: [HTTPServerRequestPart] = []
    private var inputClosed = false
    private var deadline: Scheduled<Void>?

    init(router: Router, limits: Limits, headGuard: HeadGuard, crowded: Bool) {
        self.router = router
        self.limits = limits
        self.headGuard = headGuard
        self.crowded = crowded
    }

    // MARK: Events

    func channelActive(context: ChannelHandlerContext) {
        if crowded {
            let message = "the admin door has all of its \(limits.httpConnections) connections in use: close some and try again"
            refuse(.refusal(.unreachable, message, status: .serviceUnavailable), context: context)
        } else {
            setDeadline(limits.httpRequestMs, context: context)
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if case .answering = state {
            waiting.append(part)
        } else {
            receive(part, context: context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            inputClosed = true
            if case .answering = state {} else { close(context: context) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        state = .closed
        waiting = []
        context.fireChannelInactive()
    }

    /// The HTTP error handler before this one has answered 400 where an answer was possible; what is left is to close.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { close(context: context) }

    // MARK: A request arrives

    private func receive(_ part: HTTPServerRequestPart, context: ChannelHandlerContext) {
        switch (state, part) {
        case (.idle, .head(let head)): begin(head, context: context)
        case (.gathering(let head, var body), .body(let chunk)):
            guard body.count + chunk.readableBytes <= limits.httpBodyBytes else { return refuse(tooLarge, context: context) }
            // Taken out of the state first, so that the append does not copy.
            state = .idle
            body.append(contentsOf: chunk.readableBytesView)
            state = .gathering(head, body)
        case (.gathering(let head, let body), .end):
            answer(head, body, context: context)
        case (.draining(let dropped), .body(let chunk)):
            state = .draining(droppedBytes: dropped + chunk.readableBytes)
            if dropped > 8 * limits.httpBodyBytes { close(context: context) }
        case (.draining, .end): close(context: context)
        default: break
        }
    }

    private func begin(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        headGuard.isAwaitingHead = false
        setDeadline(limits.httpRequestMs, context: context)
        if let refusal = Access.refusal(of: head) { return refuse(refusal, context: context) }
        if let length = head.headers.first(name: "content-length").flatMap(Int.init), length > limits.httpBodyBytes {
            return refuse(tooLarge, context: context)
        }
        if head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }) {
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: .continue))), promise: nil)
        }
        state = .gathering(head, [])
    }

    private var tooLarge: Answer {
        .refusal(.invalid, "a body may hold \(limits.httpBodyBytes) bytes", status: .payloadTooLarge)
    }

    // MARK: Its answer leaves

    private func answer(_ head: HTTPRequestHead, _ body: [UInt8], context: ChannelHandlerContext) {
        deadline?.cancel()
        state = .answering(head)
        setReading(false, context: context)
        let request: Request
        do throws(ControlError) {
            request = try Request(head: head, body: body)
        } catch {
            return write(.refusal(error), head, context: context)
        }
        let promise = context.eventLoop.makePromise(of: Answer.self)
        promise.completeWithTask { [router] in await router.answer(request) }
        promise.futureResult.assumeIsolated().whenSuccess { self.write($0, head, context: context) }
    }

    private func write(_ answer: Answer, _ head: HTTPRequestHead, context: ChannelHandlerContext) {
        guard case .answering = state else { return }
        setDeadline(limits.httpRequestMs, context: context)
        let keepAlive = head.isKeepAlive && !inputClosed
        send(answer, withBody: head.method != .HEAD, keepAlive: keepAlive, context: context).assumeIsolated().whenComplete { result in
            switch result {
            case .success where keepAlive && !self.inputClosed: self.next(context: context)
            default: self.close(context: context)
            }
        }
    }

    /// The answer has left: on to what was pipelined, else to what the socket holds.
    private func next(context: ChannelHandlerContext) {
        guard case .answering = state else { return }
        state = .idle
        headGuard.isAwaitingHead = true
        setDeadline(limits.httpIdleMs, context: context)
        while !waiting.isEmpty {
            if case .answering = state { return }
            receive(waiting.removeFirst(), context: context)
        }
        if case .answering = state { return }
        setReading(true, context: context)
    }

    /// Answers without the request's body having been read; the connection can't be used further.
    private func refuse(_ answer: Answer, context: ChannelHandlerContext) {
        state = .draining(droppedBytes: 0)
        setDeadline(min(limits.httpRequestMs, 2_000), context: context)
        send(answer, withBody: true, keepAlive: false, context: context).assumeIsolated().whenFailure { _ in self.close(context: context) }
        if crowded { close(context: context) }
    }

    private func send(
        _ answer: Answer, withBody: Bool, keepAlive: Bool, context: ChannelHandlerContext
    ) -> EventLoopFuture<Void> {
        var headers = HTTPHeaders()
        if let type = answer.contentType { headers.add(name: "Content-Type", value: type) }
        if let allow = answer.allow { headers.add(name: "Allow", value: allow) }
        if answer.status != .noContent { headers.add(name: "Content-Length", value: String(answer.body.count)) }
        headers.add(name: "Cache-Control", value: "no-store")
        headers.add(name: "X-Content-Type-Options", value: "nosniff")
        headers.add(name: "Connection", value: keepAlive ? "keep-alive" : "close")
        context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers))), promise: nil)
        if withBody, !answer.body.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(bytes: answer.body)))), promise: nil)
        }
        return context.writeAndFlush(wrapOutboundOut(.end(nil)))
    }

    // MARK: Reading, deadlines, closing

    private func setReading(_ on: Bool, context: ChannelHandlerContext) {
        context.channel.setOption(.autoRead, value: on).assumeIsolated().whenFailure { _ in self.close(context: context) }
    }

    private func setDeadline(_ ms: Int64, context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(ms)) { self.close(context: context) }
    }

    private func close(context: ChannelHandlerContext) {
        deadline?.cancel()
        state = .closed
        context.close(promise: nil)
    }
}
