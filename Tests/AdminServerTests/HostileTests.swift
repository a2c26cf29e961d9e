import AdminClient
import Control
import Model
import NIOPosix
import Testing

@Suite struct HostileTests {
    private static var tight: Limits {
        var limits = Limits()
        limits.httpBodyBytes = 1_000
        limits.httpHeaderBytes = 2_000
        limits.httpHeaderFieldBytes = 1_000
        limits.httpHeaderFields = 10
        limits.httpConnections = 3
        return limits
    }
    /// Deadlines that pass within a test. Only what waits for one uses them: a loaded machine may be slower than that.
    private static var hasty: Limits {
        var limits = Limits()
        limits.httpRequestMs = 300
        return limits
    }
    private static let head = "POST /weir/v1/command HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

    /// Requests no well-meaning client sends, by name so that a report stays readable.
    private static let garbage: [String: String] = [
        "TLS hello": "\u{16}\u{3}\u{1}\r\n\r\n",
        "no target": "GET\r\n\r\n",
        "HTTP/9.9": "GET / HTTP/9.9\r\n\r\n",
        "header without colon": "GET / HTTP/1.1\r\nHost localhost\r\n\r\n",
        "negative length": head + "Content-Length: -5\r\n\r\n",
        "length beyond 64 bits": head + "Content-Length: 99999999999999999999999\r\n\r\n",
        "two lengths": head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        "chunk size not hexadecimal": head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        "chunked with a length": head + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "header field too long": "GET / HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "a", count: 1_500))\r\n\r\n",
        "too many header fields": "GET / HTTP/1.1\r\nHost: localhost\r\n\(String(repeating: "A: b\r\n", count: 20))\r\n",
        "target too long": "GET /\(String(repeating: "a", count: 1_000_000)) HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ]

    @Test(arguments: garbage.keys.sorted())
    func garbageIsAnsweredWith4xxOrClosed(name: String) async throws {
        let text = try #require(Self.garbage[name])
        try await withServer(StubControl(), limits: Self.tight) { address in
            let answer = try await RawClient.exchange(text, address)
            #expect(answer.isEmpty || (400..<500).contains(RawClient.status(answer) ?? 0), "\(answer.prefix(300))")
            let next = try await RawClient.exchange("GET /weir/v1/health HTTP/1.0\r\nHost: localhost\r\n\r\n", address)
            #expect(RawClient.status(next) == 200)
        }
    }

    @Test func aDeclaredBodyTooLargeIsRefusedUnread() async throws {
        try await withServer(StubControl(), limits: Self.tight) { address in
            let answer = try await RawClient.exchange(Self.head + "Content-Length: 1001\r\n\r\n", address)
            #expect(RawClient.status(answer) == 413)
        }
    }

    @Test func aChunkedBodyTooLargeIsRefused() async throws {
        try await withServer(StubControl(), limits: Self.tight) { address in
            let chunk = "200\r\n\(String(repeating: "x", count: 512))\r\n"
            let answer = try await RawClient.exchange(
                Self.head + "Transfer-Encoding: chunked\r\n\r\n\(chunk)\(chunk)\(chunk)0\r\n\r\n", address)
            #expect(RawClient.status(answer) == 413)
        }
    }

    @Test(arguments: ["", "GET / HT", head + "Content-Length: 100\r\n\r\n{"])
    func aRequestThatDoesNotArriveIsGivenUp(text: String) async throws {
        try await withServer(StubControl(), limits: Self.hasty) { address in
            let answer = try await RawClient.exchange(text, address)
            #expect(answer == "")
        }
    }

    @Test func aKeptConnectionIsClosedWhenSilent() async throws {
        var limits = Limits()
        limits.httpIdleMs = 300
        try await withServer(StubControl(), limits: limits) { address in
            let answer = try await RawClient.exchange("GET /weir/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n", address)
            #expect(RawClient.status(answer) == 200)
            #expect(answer.contains("Connection: keep-alive\r\n"))
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        let stub = StubControl()
        try await withServer(stub, limits: Self.tight) { address in
            let requests = (0..<5).map { index in
                "GET /weir/v1/topics/t\(index) HTTP/1.1\r\nHost: localhost\r\nConnection: \(index < 4 ? "keep-alive" : "close")\r\n\r\n"
            }.joined()
            let answer = try await RawClient.exchange(requests, address)
            let names = answer.split(separator: "there is no topic '").dropFirst().map { String($0.prefix(2)) }
            #expect(names == ["t0", "t1", "t2", "t3", "t4"])
        }
    }

    @Test func continueIsSaidToThoseWhoWait() async throws {
        try await withServer(StubControl(), limits: Self.tight) { address in
            let answer = try await RawClient.exchange(
                Self.head + "Expect: 100-continue\r\nConnection: close\r\nContent-Length: 28\r\n\r\n{\"deleteTopic\":{\"name\":\"t\"}}",
                address)
            #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"))
        }
    }

    @Test func connectionsHaveALimit() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let request = "GET /weir/v1/health HTTP/1.0\r\nHost: localhost\r\n\r\n"
        try await withServer(StubControl(), limits: Self.tight) { address in
            let holders = (0..<3).map { _ in RemoteControl(address: address, group: group) }
            for holder in holders { _ = try await holder.snapshot(SnapshotQuery()) }
            // A refused connection may be reset before its 503 is read.
            let refused = try await RawClient.exchange(request, address)
            #expect(refused.isEmpty || RawClient.status(refused) == 503)
            await holders[0].close()
            var status: Int?
            for _ in 0..<200 where status != 200 {
                try await Task.sleep(for: .milliseconds(20))
                status = RawClient.status(try await RawClient.exchange(request, address))
            }
            #expect(status == 200)
            for holder in holders { await holder.close() }
        }
    }
}
