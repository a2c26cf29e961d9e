import ArgumentParser
import Foundation
import Glibc
import Model
import NIOCore
import NIOPosix

/// `weir bench floor --kafka HOST:PORT`: the same loop with a real producer in front of it. It speaks just enough Kafka to be sent batches,
/// sums each read as it comes, writes it to a file, and answers every Produce request with success. Nothing is checked, looked at, indexed
/// or shared: what a broker's processor time with the same client is judged against.
///
/// ```
/// [length][key 0 …  1,000,000 bytes]   read 1 → CRC, pwrite; read 2 → CRC, pwrite; …; all there → the answer
/// [length][key 3 …     60 bytes]       Metadata: one broker, one topic with one partition
/// ```
struct FloorServer {
    let group: MultiThreadedEventLoopGroup
    let channel: any Channel
    let file: Int32

    static func open(host: String, port: Int, topic: String, file: Int32) async throws -> FloorServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1 << 20))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FloorHandler(topic: topic, file: file))
                }
            }
            .bind(host: host, port: port).get()
        return FloorServer(group: group, channel: channel, file: file)
    }

    func close() async throws {
        try await channel.close()
        try await group.shutdownGracefully()
    }
}

private final class FloorHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let topic: String
    private let file: Int32
    private var written: Int64 = 0
    private var crc: UInt32 = 0
    /// A request's beginning, until its header is whole; small requests until they are.
    private var head = ByteBuffer()
    /// Of a Produce request whose rest is passed on as it comes: its bytes that are missing, and what its answer names.
    private var passing: (missing: Int, correlation: Int32)?
    private var offset: Int64 = 0

    init(topic: String, file: Int32) {
        self.topic = topic
        self.file = file
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        while bytes.readableBytes > 0 {
            if let (missing, correlation) = passing {
                guard let part = bytes.readSlice(length: min(missing, bytes.readableBytes)) else { return }
                guard pass(part) else { return context.close(promise: nil) }
                passing = missing > part.readableBytes ? (missing - part.readableBytes, correlation) : nil
                if passing == nil { answerProduce(correlation, context) }
                continue
            }
            // A header and the few small requests fit in this; the rest of a batch is never copied.
            guard var taken = bytes.readSlice(length: min(bytes.readableBytes, 16)) else { return }
            head.writeBuffer(&taken)
            guard takeHead(context) else { return context.close(promise: nil) }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    /// Looks at a request's beginning: `length key version correlation`. False for what is no request.
    private func takeHead(_ context: ChannelHandlerContext) -> Bool {
        let at = head.readerIndex
        guard let length = head.getInteger(at: at, as: Int32.self), let key = head.getInteger(at: at + 4, as: Int16.self),
            let version = head.getInteger(at: at + 6, as: Int16.self), let correlation = head.getInteger(at: at + 8, as: Int32.self)
        else { return true }
        let total = 4 + Int(length)
        guard length >= 8, total <= 100 << 20 else { return false }
        if key == 0, total > head.readableBytes {
            passing = (total - head.readableBytes, correlation)
            guard pass(head) else { return false }
            head.clear()
            return true
        }
        guard head.readableBytes >= total else { return true }
        head.moveReaderIndex(forwardBy: total)
        answer(key, version, correlation, context)
        head.discardReadBytes()
        return true
    }

    /// The work that a broker can't do without.
    private func pass(_ bytes: ByteBuffer) -> Bool {
        crc = CRC32C.checksum(bytes)
        let count = bytes.withUnsafeReadableBytes { pwrite(file, $0.baseAddress, $0.count, off_t(written)) }
        written += Int64(bytes.readableBytes)
        return count == bytes.readableBytes
    }

    // MARK: Answers

    private func send(_ correlation: Int32, _ context: ChannelHandlerContext, _ body: (inout ByteBuffer) -> Void) {
        var answer = context.channel.allocator.buffer(capacity: 256)
        answer.writeInteger(Int32(0))
        answer.writeInteger(correlation)
        body(&answer)
        answer.setInteger(Int32(answer.readableBytes - 4), at: 0)
        context.write(wrapOutboundOut(answer), promise: nil)
    }

    private func answerProduce(_ correlation: Int32, _ context: ChannelHandlerContext) {
        send(correlation, context) { answer in
            answer.writeInteger(Int32(1))
            answer.writeText(topic)
            answer.writeInteger(Int32(1))
            answer.writeInteger(Int32(0))
            answer.writeInteger(Int16(0))
            answer.writeInteger(offset)
            answer.writeInteger(Int64(-1))
            answer.writeInteger(Int32(0))
        }
        offset += 1
    }

    /// ApiVersions 0, Metadata 1, Produce 3: what a client can do with least. A newer ApiVersions is answered with UNSUPPORTED_VERSION
    /// (35), on which clients ask again with version 0 (KIP-511).
    private func answer(_ key: Int16, _ version: Int16, _ correlation: Int32, _ context: ChannelHandlerContext) {
        switch key {
        case 18:
            send(correlation, context) { answer in
                answer.writeInteger(Int16(version == 0 ? 0 : 35))
                let ranges: [(Int16, Int16, Int16)] = [(0, 3, 3), (1, 4, 4), (3, 0, 1), (18, 0, 0)]
                answer.writeInteger(Int32(ranges.count))
                for (key, first, last) in ranges { answer.writeMultipleIntegers(key, first, last) }
            }
        case 3: send(correlation, context) { answer in writeMetadata(to: &answer, context) }
        default: context.close(promise: nil)
        }
    }

    private func writeMetadata(to answer: inout ByteBuffer, _ context: ChannelHandlerContext) {
        answer.writeInteger(Int32(1))
        answer.writeInteger(Int32(1))
        answer.writeText(context.localAddress?.ipAddress ?? "127.0.0.1")
        answer.writeInteger(Int32(context.localAddress?.port ?? 0))
        answer.writeInteger(Int16(-1))
        answer.writeInteger(Int32(1))
        answer.writeInteger(Int32(1))
        answer.writeInteger(Int16(0))
        answer.writeText(topic)
        answer.writeInteger(UInt8(0))
        answer.writeInteger(Int32(1))
        answer.writeMultipleIntegers(Int16(0), Int32(0), Int32(1))
        answer.writeMultipleIntegers(Int32(1), Int32(1), Int32(1), Int32(1))
    }
}

extension ByteBuffer {
    fileprivate mutating func writeText(_ text: String) {
        writeInteger(Int16(text.utf8.count))
        writeString(text)
    }
}
