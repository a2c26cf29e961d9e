import AdminClient
import Control
import Model
import NIOPosix
import Synchronization
import Testing

/// The audit log says who a client claims to be, whatever it claims.
@Suite struct ClaimedActorTests {
    private func post(_ header: String, to address: HostPort) async throws -> String {
        let body = #"{"deleteGroup":{"name":"g"}}"#
        let head = "POST /weir/v1/command HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
        return try await RawClient.exchange(head + header + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)", address)
    }

    @Test func `a command is carried out for whom the client says it is`() async throws {
        let claims = Mutex<[String]>([])
        let stub = StubControl()
        let act: @Sendable (String) -> any Control = { who in
            claims.withLock { $0.append(who) }
            return stub
        }
        try await withServer(stub, claimed: act) { address in
            expectStatus(200, try await post("", to: address))
            #expect(claims.withLock { $0 } == [])
            expectStatus(200, try await post("X-Weir-Client: \(String(repeating: "x", count: 5_000))\r\n", to: address))
            #expect(claims.withLock { $0.map(\.count) } == [100])
            expectStatus(200, try await post("X-Weir-Client: caf\u{E9}\u{1F600}\r\n", to: address))
            let remote = RemoteControl(address: address, group: MultiThreadedEventLoopGroup.singleton, who: "ann b@till/17")
            _ = try await remote.perform(.deleteGroup(name: "g"))
            #expect(claims.withLock { Array($0.dropFirst()) } == ["caf", "ann_b@till/17"])
            #expect(stub.commands.withLock { $0.count } == 4)
            await remote.close()
        }
    }
}
