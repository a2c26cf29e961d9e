import KafkaWire
import NIOCore
import Testing
import Wire

@Suite struct HeaderTests {
    /// Header version 2: the client id keeps its 16-bit length and tagged fields follow.
    @Test func `a flexible request header`() throws {
        var writer = WireWriter()
        RequestHeader(key: .metadata, version: 9, correlationID: 7, clientID: "ab").write(to: &writer)
        #expect(writer.buffer == ByteBuffer(bytes: [0, 3, 0, 9, 0, 0, 0, 7, 0, 2, 0x61, 0x62, 0]))
        var reader = WireReader(writer.buffer)
        let header = try RequestHeader(reading: &reader)
        #expect(header.key == .metadata)
        #expect(header.version == 9)
        #expect(header.correlationID == 7)
        #expect(header.clientID == "ab")
        try reader.expectEnd()
    }

    @Test func `an older request header, without a client id`() throws {
        var reader = WireReader(ByteBuffer(bytes: [0, 3, 0, 8, 0, 0, 0, 7, 0xFF, 0xFF]))
        let header = try RequestHeader(reading: &reader)
        #expect(header.clientID == nil)
        try reader.expectEnd()
    }

    @Test func `an unknown API can still be named`() throws {
        var reader = WireReader(ByteBuffer(bytes: [0x27, 0x10, 0, 1, 0, 0, 0, 9]))
        let header = try RequestHeader(reading: &reader)
        #expect(header.key == nil)
        #expect(header.apiKey == 10_000)
        #expect(header.correlationID == 9)
    }

    /// KIP-511: a client reads the answer to its first request before it knows what the broker speaks.
    @Test func `ApiVersions is answered with the oldest header`() {
        #expect(APIKey.apiVersions.requestHeaderVersion(3) == 2)
        #expect(APIKey.apiVersions.responseHeaderVersion(3) == 0)
        #expect(APIKey.metadata.responseHeaderVersion(8) == 0)
        #expect(APIKey.metadata.responseHeaderVersion(9) == 1)
        #expect(APIKey.offsetDelete.responseHeaderVersion(0) == 0)
    }

    @Test func `a response frame`() throws {
        var response = HeartbeatResponse()
        response.errorCode = .rebalanceInProgress
        var writer = WireWriter()
        Frame.write(response: response, correlationID: 5, version: 4, to: &writer)
        #expect(writer.buffer == ByteBuffer(bytes: [0, 0, 0, 12, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 27, 0]))
    }

    @Test func `frames are taken off one at a time`() throws {
        var buffer = ByteBuffer(bytes: [0, 0, 0, 2, 7, 8, 0, 0, 0, 1])
        #expect(try Frame.next(from: &buffer, limit: 10) == ByteBuffer(bytes: [7, 8]))
        #expect(try Frame.length(of: buffer, limit: 10) == 1)
        #expect(try Frame.next(from: &buffer, limit: 10) == nil)
        buffer.writeInteger(9 as UInt8)
        #expect(try Frame.next(from: &buffer, limit: 10) == ByteBuffer(bytes: [9]))
        #expect(try Frame.next(from: &buffer, limit: 10) == nil)
    }

    @Test func `a frame's length is checked before anything else`() {
        var negative = ByteBuffer(bytes: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(throws: Frame.Malformed.negativeLength(-1)) { try Frame.next(from: &negative, limit: 10) }
        var http = ByteBuffer(string: "GET / HTTP/1.1")
        #expect(throws: Frame.Malformed.tooLarge(length: 0x4745_5420, limit: 100)) { try Frame.next(from: &http, limit: 100) }
    }

    @Test func `bytes that follow the buffer are counted into its frame`() {
        var writer = WireWriter()
        Frame.write(to: &writer, trailing: 1_000) { $0.int16(1) }
        #expect(writer.buffer.getInteger(at: 0, as: Int32.self) == 1_002)
    }
}
