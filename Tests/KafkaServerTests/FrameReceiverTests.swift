import Model
import NIOCore
import NIOPosix
import Testing

@testable import KafkaServer

/// The receiver under a real channel, which keeps its own hold on buffers while it reads.
@Suite struct FrameReceiverTests {
    private struct Seen: Sendable {
        var checksums: [UInt32] = []
        var copiedBytes = 0
        var readBytes = 0
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let receiver: FrameReceiver
        private let count: Int
        private let done: EventLoopPromise<Seen>
        private var seen = Seen()

        init(receiver: FrameReceiver, count: Int, done: EventLoopPromise<Seen>) {
            self.receiver = receiver
            self.count = count
            self.done = done
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            seen.readBytes += receiver.takeReadBytes()
            receiver.feed(unwrapInboundIn(data))
            do {
                while let frame = try receiver.frames.next() { seen.checksums.append(CRC32C.checksum(frame)) }
            } catch {
                done.fail(error)
            }
            guard seen.checksums.count == count else { return }
            seen.copiedBytes = receiver.frames.copiedBytes
            done.succeed(seen)
        }
    }

    @Test func largeFramesLandWhereTheyStay() async throws {
        let count = 40
        let length = 1_000_000
        let group = MultiThreadedEventLoopGroup.singleton
        let done = group.next().makePromise(of: Seen.self)
        let server = try await ServerBootstrap(group: group)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let receiver = FrameReceiver(limits: Limits(), pool: BufferPool(limitBytes: 8 << 20))
                    try channel.syncOptions?.setOption(.recvAllocator, value: receiver)
                    try channel.pipeline.syncOperations.addHandler(Handler(receiver: receiver, count: count, done: done))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let client = try await ClientBootstrap(group: group).connect(to: server.localAddress!).get()
        var expected: [UInt32] = []
        for number in 0..<count {
            let frame = ByteBuffer(repeating: UInt8(number), count: length)
            expected.append(CRC32C.checksum(frame))
            var bytes = ByteBuffer(integer: Int32(length))
            bytes.writeImmutableBuffer(frame)
            client.writeAndFlush(bytes, promise: nil)
        }
        let seen = try await done.futureResult.get()
        #expect(seen.checksums == expected)
        // A lent frame comes back whole with every read; what came in is counted once.
        #expect(seen.readBytes == count * (length + 4))
        // At most a small first read of each.
        #expect(seen.copiedBytes < count * length / 20, "\(seen.copiedBytes) of \(count * length) bytes were copied")
        try await client.close()
        try await server.close()
    }

    /// A frame of 2,000,000 bytes: the loop sleeps until 1 MiB more is there, then until all are, then for anything.
    @Test func theLoopIsWokenForAGoodPartOfALargeFrame() throws {
        let receiver = FrameReceiver(limits: Limits(), pool: BufferPool(limitBytes: 8 << 20))
        var sent = ByteBuffer(integer: Int32(2_000_000))
        sent.writeRepeatingByte(7, count: 2_000_000)
        func read(_ count: Int) throws -> Bool {
            var buffer = receiver.buffer(allocator: ByteBufferAllocator())
            let room = min(count, buffer.writableBytes, sent.readableBytes)
            if let slice = sent.readSlice(length: room) { buffer.writeImmutableBuffer(slice) }
            _ = receiver.record(actualReadBytes: room)
            receiver.feed(buffer)
            return try receiver.frames.next() != nil
        }
        #expect(receiver.wakeBytes == 1)
        #expect(try !read(16_384))
        #expect(receiver.wakeBytes == 1 << 20)
        #expect(try !read(1_600_000))
        #expect(receiver.wakeBytes == 4 + 2_000_000 - 1_616_384)
        #expect(try !read(380_000))
        #expect(receiver.wakeBytes == 1, "3,620 bytes are not worth a call")
        #expect(try read(1_000_000))
        #expect(receiver.wakeBytes == 1)
    }
}
