import KafkaWire
import NIOCore
import Testing
import Wire

/// A structure that may be null goes behind a byte: −1 for null, 1 for one that is there.
@Suite struct NullableStructureTests {
    private func bytes(_ response: ShareGroupHeartbeatResponse) -> [UInt8] {
        var writer = WireWriter()
        response.write(to: &writer, version: 1)
        return Array(writer.buffer.readableBytesView)
    }

    @Test func `an assignment that has not changed is one byte`() {
        var response = ShareGroupHeartbeatResponse()
        response.memberId = "m"
        response.memberEpoch = 2
        response.heartbeatIntervalMs = 5_000
        #expect(bytes(response) == [0, 0, 0, 0, 0, 0, 0, 2, 0x6D, 0, 0, 0, 2, 0, 0, 0x13, 0x88, 0xFF, 0])
    }

    @Test func `an empty assignment is there`() throws {
        var response = ShareGroupHeartbeatResponse()
        response.assignment = .init()
        #expect(bytes(response).suffix(4) == [1, 1, 0, 0])
        var reader = WireReader(ByteBuffer(bytes: bytes(response)))
        #expect(try ShareGroupHeartbeatResponse(reading: &reader, version: 1) == response)
    }
}
