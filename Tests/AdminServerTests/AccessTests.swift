import AdminServer
import Control
import Logging
import Model
import NIOPosix
import Testing

@Suite struct AccessTests {
    private static let create = #"{"createTopic":{"name":"t","partitions":1,"configs":{}}}"#

    private func post(
        _ address: HostPort, host: String? = "127.0.0.1:15672", headers: String = "Content-Type: application/json\r\n",
        body: String = create
    ) async throws -> String {
        let hostLine = host.map { "Host: \($0)\r\n" } ?? ""
        let head = "POST /weir/v1/command HTTP/1.1\r\n\(hostLine)\(headers)Connection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        return try await RawClient.exchange(head + body, address)
    }

    @Test(arguments: ["0.0.0.0", "::", "10.1.2.3", "broker.example"])
    func onlyLoopbackIsOpened(host: String) async {
        let address = HostPort(host: host, port: 0)
        await #expect(throws: AdminServerError.notLoopback(address)) {
            try await AdminServer.start(
                .init(address: address), control: StubControl(), group: MultiThreadedEventLoopGroup.singleton,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
    }

    @Test(arguments: [
        ("127.0.0.1:15672", 200), ("localhost", 200), ("[::1]:1", 200), ("[::1]", 200), ("evil.example", 403), ("evil.example:15672", 403),
        ("127.0.0.1.evil.example", 403), ("10.0.0.1", 403), ("", 403),
    ])
    func theHostMustBeThisMachine(host: String, status: Int) async throws {
        let stub = StubControl()
        try await withServer(stub) { address in
            try await expectStatus(status, post(address, host: host))
            #expect(stub.commands.withLock { $0.count } == (status == 200 ? 1 : 0))
        }
    }

    @Test func aHostIsNeededOnce() async throws {
        try await withServer(StubControl()) { address in
            try await expectStatus(400, post(address, host: nil))
            try await expectStatus(400, post(address, host: "localhost\r\nHost: localhost"))
        }
    }

    @Test(arguments: [
        ("Origin: http://127.0.0.1:15672\r\nContent-Type: application/json\r\n", 200),
        ("Origin: http://evil.example\r\nContent-Type: application/json\r\n", 403),
        ("Origin: http://127.0.0.1:8000\r\nContent-Type: application/json\r\n", 403),
        ("Origin: null\r\nContent-Type: application/json\r\n", 403), ("Content-Type: application/json; charset=utf-8\r\n", 200),
        ("Content-Type: text/plain\r\n", 415), ("Content-Type: application/x-www-form-urlencoded\r\n", 415), ("", 415),
    ])
    func aForeignPageCommandsNothing(headers: String, status: Int) async throws {
        let stub = StubControl()
        try await withServer(stub) { address in
            try await expectStatus(status, post(address, headers: headers))
            #expect(stub.commands.withLock { $0.count } == (status == 200 ? 1 : 0))
        }
    }

    @Test func readOnlyRefusesCommandsButPreviews() async throws {
        let stub = StubControl()
        try await withServer(stub, readOnly: true) { address in
            let refused = try await post(address)
            #expect(RawClient.status(refused) == 403)
            #expect(refused.contains(#""code":"readOnly""#))
            for command in [#"{"killClient":{"id":1}}"#, #"{"removeMember":{"group":"g","member":"m"}}"#] {
                try await expectStatus(403, post(address, body: command))
            }
            let preview = #"{"resetOffsets":{"_0":{"group":"g","target":{"latest":{}},"dryRun":true}}}"#
            try await expectStatus(200, post(address, body: preview))
            #expect(stub.commands.withLock { $0 } == [.resetOffsets(OffsetReset(group: "g", target: .latest, dryRun: true))])
        }
    }

    @Test(arguments: [
        ("", "the text is not JSON"), ("{", "the text is not JSON"), ("[]", "array"), (#"{"explode":{}}"#, "number of keys"),
        (#"{"deleteTopic":{}}"#, "field 'deleteTopic.name' is missing"),
        (#"{"deleteTopic":{"name":5}}"#, "field 'deleteTopic.name' is of the wrong kind"),
    ])
    func aBodyThatIsNoCommandIsNamed(body: String, problem: String) async throws {
        try await withServer(StubControl()) { address in
            let answer = try await post(address, body: body)
            #expect(RawClient.status(answer) == 400)
            #expect(answer.contains(problem), "\(answer)")
        }
    }
}
