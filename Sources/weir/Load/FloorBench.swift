import ArgumentParser
import CWeir
import Foundation
import Glibc
import KafkaClient
import Model
import NIOCore
import NIOPosix
import Synchronization

/// `weir bench floor`: what receiving, summing and writing cost on this machine with nothing else around them: one NIO loop that reads a
/// socket, computes CRC-32C over every read and writes it to a file. The broker's own cost per GB is judged against it, in the same run.
struct FloorBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "floor", abstract: "Measure the least a broker could cost here: receive, checksum, write.")

    @Option(help: "How many MB (1,000,000 bytes) to send.") var mb = 800
    @Option(help: "Directory for the file that is written and removed.") var directory = "/tmp"
    @Option(
        help: ArgumentHelp(
            "Serve a producer of your own here until ^C instead: just enough Kafka to be sent batches.", valueName: "host:port"),
        transform: { try HostPort($0) })
    var kafka: HostPort?
    @Option(help: "With --kafka, the one topic there is.") var topic = "floor"
    @Flag(help: "Print JSON.") var json = false

    struct Result: Encodable {
        var bench = "floor"
        var bytes: Int
        var seconds: Double
        var mbPerSecond: Double
        var cpuSecondsPerGB: Double
    }

    func validate() throws {
        if mb < 1 || mb > 100_000 { throw ValidationError("--mb must be 1 to 100000") }
    }

    func run() async throws {
        let path = directory + "/weir-floor-\(getpid())"
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw CommandFailure("\(path) can't be written: errno \(errno); name another --directory") }
        defer {
            close(file)
            unlink(path)
        }
        if let kafka { return try await serve(kafka, file) }
        let total = mb * 1_000_000
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let sink = Sink(file: file, total: total, done: group.next().makePromise(of: Sink.Measured.self))
        let server = try await ServerBootstrap(group: group)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1 << 20))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(SinkHandler(sink: sink)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = server.localAddress?.port else { throw CommandFailure("the benchmark's socket has no port") }
        let sender = Thread { Self.send(total, port: UInt16(port)) }
        sender.start()
        let measured = try await sink.done.futureResult.get()
        try await server.close()
        try await group.shutdownGracefully()
        let seconds = Double(measured.elapsedNs) / 1e9
        let result = Result(
            bytes: total, seconds: seconds, mbPerSecond: (Double(total) / 1e5 / seconds).rounded() / 10,
            cpuSecondsPerGB: (Double(measured.cpuNs) / Double(total) * 1_000).rounded() / 1_000)
        if json { return try JSONOutput.print([result]) }
        print("floor    \(result.mbPerSecond) MB/s, \(result.cpuSecondsPerGB) s of processor time per GB")
    }

    private func serve(_ address: HostPort, _ file: Int32) async throws {
        let server = try await FloorServer.open(host: address.host, port: Int(address.port), topic: topic, file: file)
        FileHandle.standardError.write(Data("ready kafka=\(address.host):\(server.channel.localAddress?.port ?? 0)\n".utf8))
        do {
            try await Interrupt.cancelling { try await Task.sleep(for: .seconds(24 * 3_600)) }
        } catch is CancellationError {
            // ^C is how it ends.
        }
        try await server.close()
    }

    /// Pushes `total` bytes through a blocking socket, 1 MB at a time.
    private static func send(_ total: Int, port: UInt16) {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        let block = [UInt8](repeating: 0x5A, count: 1_000_000)
        var left = connected == 0 ? total : 0
        while left > 0 {
            let sent = block.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, min(left, $0.count), Int32(MSG_NOSIGNAL)) }
            if sent <= 0 { break }
            left -= sent
        }
        close(socket)
    }
}

/// What the loop has taken in.
private final class Sink: Sendable {
    struct Measured: Sendable {
        var elapsedNs: UInt64
        var cpuNs: UInt64
    }
    let file: Int32
    let total: Int
    let done: EventLoopPromise<Measured>

    init(file: Int32, total: Int, done: EventLoopPromise<Measured>) {
        self.file = file
        self.total = total
        self.done = done
    }
}

private final class SinkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let sink: Sink
    private var received = 0
    private var crc: UInt32 = 0
    private var start = Monotonic(ns: 0)
    private var startCPU: UInt64 = 0

    init(sink: Sink) { self.sink = sink }

    func channelActive(context: ChannelHandlerContext) {
        start = SystemClock().monotonic
        startCPU = weir_thread_cpu_ns()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        crc = CRC32C.checksum(bytes)
        let written = bytes.withUnsafeReadableBytes { pwrite(sink.file, $0.baseAddress, $0.count, off_t(received)) }
        guard written == bytes.readableBytes else {
            return sink.done.fail(CommandFailure("the benchmark's file took \(written) of \(bytes.readableBytes) bytes: is the disk full?"))
        }
        received += bytes.readableBytes
        guard received >= sink.total else { return }
        let now = SystemClock().monotonic
        sink.done.succeed(.init(elapsedNs: now.ns - start.ns, cpuNs: weir_thread_cpu_ns() - startCPU))
    }
}
