import Model
import NIOCore

/// Bounds a request's head before it is parsed: the parser bounds header lines, but gathers a request line of any length.
///
/// Counts the bytes that come while no head is complete. A whole read may lie beyond the head's end (a body, the next request), hence
/// the read buffer on top of the limit.
final class HeadGuard: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let readBytes = 64 << 10
    private let limitBytes: Int
    private var countedBytes = 0
    /// Set by the connection's ``RequestHandler``: true from the end of one request to the head of the next.
    var isAwaitingHead = true { didSet { countedBytes = 0 } }

    init(limits: Limits) { limitBytes = limits.httpHeaderBytes + Self.readBytes }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isAwaitingHead {
            countedBytes += unwrapInboundIn(data).readableBytes
            if countedBytes > limitBytes {
                let answer = "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
                return context.close(promise: nil)
            }
        }
        context.fireChannelRead(data)
    }
}
