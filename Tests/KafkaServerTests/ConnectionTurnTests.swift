import KafkaWire
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import Testing
import Wire

@testable import Broker

@testable import KafkaServer

/// One connection's share of its loop: however many small requests one read brings.
@Suite struct ConnectionTurnTests {
    /// ApiVersions version 0 with correlation ids from 0.
    private func requests(_ count: Int32) -> ByteBuffer {
        var writer = WireWriter()
        for number in 0..<count {
            Frame.write(request: ApiVersionsRequest(), version: 0, correlationID: number, clientID: nil, to: &writer)
        }
        return writer.buffer
    }

    private func correlationIDs(_ channel: EmbeddedChannel) throws -> [Int32] {
        var ids: [Int32] = []
        while let part = try channel.readOutbound(as: IOData.self) {
            guard case .byteBuffer(let bytes) = part else { continue }
            ids.append(try #require(bytes.getInteger(at: bytes.readerIndex + 4, as: Int32.self)))
        }
        return ids
    }

    private func open(_ fixture: DoorFixture) throws -> EmbeddedChannel {
        let door = DoorState(broker: fixture.broker, logger: Logger(label: "test"))
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(Connection(door: door, number: 1, loop: channel.eventLoop))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    /// 64 requests (`Limits.requestsPerTurn`), then the loop is free for others; all are answered in order.
    @Test func aReadIsHandledInTurns() async throws {
        let fixture = try await DoorFixture.open()
        try turns(fixture)
        await fixture.close()
    }

    private func turns(_ fixture: DoorFixture) throws {
        let channel = try open(fixture)
        try channel.writeInbound(requests(150))
        #expect(try correlationIDs(channel) == Array(0..<64))
        channel.embeddedEventLoop.run()
        #expect(try correlationIDs(channel) == Array(64..<150))
        try channel.writeInbound(requests(2))
        #expect(try correlationIDs(channel) == [0, 1])
        _ = try channel.finish()
    }

    private func malformed(_ fixture: DoorFixture) -> Int { fixture.broker.statistics.malformed.load(ordering: .relaxed) }

    /// What a client sent before it left is handled all the same.
    @Test func whatWasReadBeforeTheEndCounts() async throws {
        let fixture = try await DoorFixture.open()
        try leave(fixture)
        await fixture.close()
    }

    private func leave(_ fixture: DoorFixture) throws {
        let channel = try open(fixture)
        var bytes = requests(300)
        var last = requests(1)
        last.setInteger(Int16(999), at: 4)  // an API that does not exist: seen only if all before it was handled
        bytes.writeBuffer(&last)
        try channel.writeInbound(bytes)
        #expect(try correlationIDs(channel).count == 64)
        let before = malformed(fixture)
        _ = try channel.finish(acceptAlreadyClosed: true)
        #expect(malformed(fixture) == before + 1)
    }
}
