import Broker
import KafkaWire
import Logging
import Model
import NIOCore
import Storage
import Wire

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One client's connection: requests in, answers out in the same order. All state is touched on the channel's loop only, which is what
/// `@unchecked Sendable` rests on.
final class Connection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = IOData

    let door: DoorState
    let number: UInt64
    let loop: any EventLoop
    private(set) var clientHost = "unknown"
    var fetchState = FetchState()
    var shareState = ShareState()

    private var channel: (any Channel)?
    /// What operators see of it; nil before it is open.
    var client: ClientConnection?
    /// What it was last told, so that it is told nothing twice.
    var told = ClientConnection.Facts()
    let receiver: FrameReceiver
    private let intake: LoopIntake
    /// Answers not yet sent, the oldest first; nil where the broker is still at work.
    private var slots: [Slot] = []
    private var firstSlot: UInt64 = 0
    private var bytesInFlight = 0
    private var isPaused = false
    private var isClosing = false
    private var needsFlush = false
    private var inRead = false
    private var isHandling = false
    /// Frames were left to a later turn, or until there is room.
    private var hasBacklog = false
    private var isTurnScheduled = false
    /// As the socket was last told.
    private var wakeBytes = 1

    private struct Slot {
        var answer: Answer?
        var requestBytes: Int
    }

    init(door: DoorState, number: UInt64, loop: any EventLoop) {
        self.door = door
        self.number = number
        self.loop = loop
        intake = door.intake(of: loop)
        receiver = FrameReceiver(limits: door.broker.limits, pool: intake.pool)
    }

    func channelActive(context: ChannelHandlerContext) {
        channel = context.channel
        clientHost = context.remoteAddress?.ipAddress ?? "unknown"
        client = door.opened(context.channel)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        // What a client sent before it left counts; a producer with `acks=0` may close behind its last batch.
        if !isClosing { handleFrames(.last) }
        isClosing = true
        receiver.close()
        fetchState.active?.cancel()
        fetchState.active = nil
        fetchState.queued = []
        fetchState.endSession(door.sessions)
        endShares()
        if let client { door.broker.clients.closed(client) }
        door.closed()
        channel = nil
        slots = []
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        inRead = true
        client?.bytesIn.add(Int64(receiver.takeReadBytes()), ordering: .relaxed)
        receiver.feed(unwrapInboundIn(data))
        handleFrames(.turn)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        endOfTurn()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            context.close(promise: nil)
        } else if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset by the peer is its way of leaving.
        door.logger.debug("kafka \(clientHost): \(error)")
        context.close(promise: nil)
    }

    var isClosed: Bool { channel == nil || isClosing }

    // MARK: Requests

    private enum Share {
        /// A turn's worth, within the limits.
        case turn
        /// What is left when the client has gone.
        case last
    }

    /// Handles frames that have arrived. What is left waits for ``nextTurn()`` or ``resumeIfPossible()``; nothing is read meanwhile.
    private func handleFrames(_ share: Share) {
        isHandling = true
        defer { isHandling = false }
        hasBacklog = false
        var left = share == .turn ? door.broker.limits.requestsPerTurn : door.broker.limits.requestsAfterClose
        do {
            while !isClosing {
                if share == .turn, receiver.frames.hasUnread, left == 0 || !mayRead {
                    hasBacklog = true
                    break
                }
                guard left > 0, let frame = try receiver.frames.next() else { break }
                left -= 1
                dispatch(frame)
            }
        } catch .length(let length) {
            reject("frame of \(length) bytes; at most \(door.broker.limits.requestBytes) are taken")
        } catch {
            door.logger.warning("kafka: closed the connection from \(clientHost): a read failed in the middle of a request")
            closeAfterError()
        }
        if hasBacklog && left == 0 { scheduleTurn() }
    }

    private func scheduleTurn() {
        guard !isTurnScheduled else { return }
        isTurnScheduled = true
        loop.execute { self.nextTurn() }
    }

    private func nextTurn() {
        isTurnScheduled = false
        guard !isClosed, hasBacklog, mayRead else { return }
        inRead = true
        handleFrames(.turn)
        endOfTurn()
    }

    private func endOfTurn() {
        inRead = false
        flushIfNeeded()
        setWakeBytes()
        pauseIfNeeded()
        resumeIfPossible()
    }

    private func dispatch(_ frame: ByteBuffer) {
        let slot = firstSlot + UInt64(slots.count)
        slots.append(Slot(answer: nil, requestBytes: frame.readableBytes))
        bytesInFlight += frame.readableBytes
        intake.took(frameBytes: frame.readableBytes)
        client?.requests.add(1, ordering: .relaxed)
        client?.inFlight.store(slots.count, ordering: .relaxed)
        do {
            try Dispatch.handle(frame, door: door, connection: self, slot: slot)
        } catch {
            reject("\(error)")
        }
    }

    /// Closes the connection on bytes that are no request, with one line in the log.
    private func reject(_ reason: String) {
        isClosing = true
        door.malformed(from: clientHost, reason)
        channel?.close(promise: nil)
    }

    // MARK: Answers

    /// Puts an answer into its place and sends what is now complete in order.
    func fill(_ slot: UInt64, _ answer: Answer) {
        loop.preconditionInEventLoop()
        guard !isClosing, slot >= firstSlot, Int(slot - firstSlot) < slots.count else { return }
        slots[Int(slot - firstSlot)].answer = answer
        var done = 0
        while done < slots.count, let ready = slots[done].answer {
            write(ready)
            bytesInFlight -= slots[done].requestBytes
            done += 1
        }
        guard done > 0 else { return }
        slots.removeFirst(done)
        firstSlot += UInt64(done)
        client?.inFlight.store(slots.count, ordering: .relaxed)
        if !inRead { flushIfNeeded() }
        resumeIfPossible()
    }

    private func write(_ answer: Answer) {
        guard let channel else { return }
        switch answer {
        case .none: return
        case .bytes(let bytes): write(bytes, to: channel)
        case .parts(let parts): for part in parts { write(part, to: channel) }
        }
        needsFlush = true
    }

    private func write(_ part: Answer.Part, to channel: any Channel) {
        switch part {
        case .bytes(let bytes): write(bytes, to: channel)
        case .slice(let slice):
            switch slice.content {
            case .bytes(let bytes): write(bytes, to: channel)
            case .region(let region, let owner):
                client?.bytesOut.add(Int64(region.readableBytes), ordering: .relaxed)
                let sent = channel.eventLoop.makePromise(of: Void.self)
                sent.futureResult.whenComplete { _ in withExtendedLifetime(owner) {} }
                channel.write(IOData.fileRegion(region), promise: sent)
            }
        }
    }

    private func write(_ bytes: ByteBuffer, to channel: any Channel) {
        client?.bytesOut.add(Int64(bytes.readableBytes), ordering: .relaxed)
        channel.write(IOData.byteBuffer(bytes), promise: nil)
    }

    private func flushIfNeeded() {
        guard needsFlush else { return }
        needsFlush = false
        channel?.flush()
    }

    /// Closes after an error that no answer can carry.
    func closeAfterError() {
        isClosing = true
        channel?.close(promise: nil)
    }

    // MARK: Back-pressure

    /// Whether more may be read: within this connection's limits, and within the broker's while it has something under way.
    private var mayRead: Bool {
        let limits = door.broker.limits
        // Requests that are answered at once leave no slot behind, but their answers stay until the client reads them.
        guard channel?.isWritable ?? false else { return false }
        if slots.isEmpty { return true }
        return slots.count < limits.requestsInFlight && bytesInFlight < limits.requestBytesInFlight
            && door.broker.pendingBytes < limits.pendingAppendBytes
    }

    private func pauseIfNeeded() {
        guard !isPaused, !isClosed, hasBacklog || !mayRead else { return }
        isPaused = true
        setAutoRead(false)
    }

    private func resumeIfPossible() {
        guard isPaused, !isHandling, mayRead else { return }
        if hasBacklog { return scheduleTurn() }
        isPaused = false
        setAutoRead(true)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        resumeIfPossible()
    }

    /// Lets the kernel gather a good part of a large frame before it wakes the loop: reads of whatever has come cost one turn each. The
    /// kernel wakes it earlier when the window is full or the client has gone (tcp(7), SO_RCVLOWAT).
    private func setWakeBytes() {
        guard let channel, !isClosing else { return }
        let bytes = receiver.wakeBytes
        guard bytes != wakeBytes else { return }
        wakeBytes = bytes
        let option = ChannelOptions.Types.SocketOption(level: .socket, name: .init(rawValue: SO_RCVLOWAT))
        do { try channel.syncOptions?.setOption(option, value: SocketOptionValue(bytes)) } catch {
            door.logger.debug("kafka \(clientHost): SO_RCVLOWAT: \(error)")
        }
    }

    private func setAutoRead(_ on: Bool) {
        channel?.setOption(.autoRead, value: on).whenFailure { [door] error in door.logger.debug("auto-read: \(error)") }
    }
}
