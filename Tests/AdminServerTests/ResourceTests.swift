import Control
import Model
import Testing

@Suite struct ResourceTests {
    private func get(_ target: String, _ address: HostPort, method: String = "GET") async throws -> String {
        try await RawClient.exchange("\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", address)
    }

    @Test(arguments: [
        ("/weir/v1/health", #"{"name":"prod-a","status":"ok","uptimeMs":61500,"version":"0.1.0"}"#),
        ("/weir/v1/topics/none", #"{"code":"notFound","message":"there is no topic 'none'; /weir/v1/topics lists them"}"#),
    ])
    func bodiesAreStable(target: String, body: String) async throws {
        try await withServer(StubControl()) { address in
            let answer = try await get(target, address)
            #expect(answer.hasSuffix("\r\n\r\n" + body))
        }
    }

    @Test func healthSaysWhatIsWrong() async throws {
        let hold = PublishHold(cause: "disk", text: "the disk is short", sinceMs: 5)
        try await withServer(StubControl { $0.publishHold = hold }) { address in
            let answer = try await get("/weir/v1/health", address)
            expectStatus(200, answer)
            #expect(answer.contains(#""problems":["the disk is short"],"status":"held""#))
        }
        let broken = StubControl {
            $0.publishHold = hold
            $0.brokenShards = [BrokenShardRow(shard: 1, error: "EIO", atMs: 5)]
        }
        try await withServer(broken) { address in
            let answer = try await get("/weir/v1/health", address)
            expectStatus(503, answer)
            #expect(answer.contains("shard 1 takes nothing any more (EIO)") && answer.contains(#""status":"broken""#))
        }
    }

    @Test func listsTakeTheirWindowFromTheTarget() async throws {
        let stub = StubControl()
        try await withServer(stub) { address in
            let answer = try await get("/weir/v1/topics?filter=~%5Eor+d&sort=lag&descending=true&start=2&count=5", address)
            #expect(answer.contains(#""name":"orders""#))
            #expect(
                stub.queries.withLock { $0.first?.topics } == ListQuery(filter: "~^or d", sort: "lag", descending: true, start: 2, count: 5)
            )
        }
    }

    @Test func aNameMayHoldASlash() async throws {
        try await withServer(StubControl()) { address in
            try await expectStatus(200, get("/weir/v1/topics/a%2Fb", address))
            try await expectStatus(200, get("/weir/v1/groups/billing", address))
            try await expectStatus(404, get("/weir/v1/topics/a/b", address))
        }
    }

    @Test(arguments: [
        ("GET", "/weir/v1/topics?count=1001", 400), ("GET", "/weir/v1/topics?count=x", 400), ("GET", "/weir/v1/topics?start=-1", 400),
        ("GET", "/weir/v1/clients?count=1000", 200), ("GET", "/weir/v1/clients?count=1001", 400), ("GET", "/weir/v1/audit?count=1001", 400),
        ("GET", "/weir/v1/clients?start=-1", 400), ("GET", "/weir/v1/snapshot?count=1001", 400),
        ("GET", "/weir/v1/snapshot?history=901", 400), ("GET", "/weir/v1/topics?descending=maybe", 400),
        ("GET", "/weir/v1/topics/%zz", 400),
        ("GET", "/weir/v1/topics/%ff", 400), ("GET", "/weir/v1/topics/%00", 400), ("GET", "/weir/v1/topics/%", 400), ("GET", "/", 404),
        ("GET", "/weir/v2/snapshot", 404), ("DELETE", "/weir/v1/topics", 405), ("PUT", "/weir/v1/command", 405),
        ("GET", "/weir/v1/command", 405), ("GET", "/weir/v1/snapshot", 200), ("OPTIONS", "/weir/v1/command", 204), ("OPTIONS", "*", 204),
        ("HEAD", "/metrics", 200), ("TRACE", "/metrics", 405),
    ])
    func statusesFit(method: String, target: String, status: Int) async throws {
        try await withServer(StubControl()) { address in
            try await expectStatus(status, get(target, address, method: method))
        }
    }

    @Test func aHeadHasTheLengthButNoBody() async throws {
        try await withServer(StubControl()) { address in
            let answer = try await get("/weir/v1/health", address, method: "HEAD")
            #expect(answer.contains("Content-Length: 66\r\n"))
            #expect(answer.hasSuffix("\r\n\r\n"))
        }
    }

    @Test func optionsNameTheMethodsAndGrantNoOrigin() async throws {
        try await withServer(StubControl()) { address in
            let answer = try await get("/weir/v1/command", address, method: "OPTIONS")
            #expect(answer.contains("Allow: POST, OPTIONS\r\n"))
            #expect(!answer.lowercased().contains("access-control"))
        }
    }

    @Test func aSnapshotHasAWindowOfEveryList() async throws {
        let stub = StubControl()
        try await withServer(stub) { address in
            try await expectStatus(200, get("/weir/v1/snapshot?count=7&queue=orders&history=5", address))
            let query = try #require(stub.queries.withLock { $0.first })
            let lists = [query.topics, query.groups, query.queues, query.deadQueues, query.jobs, query.audit, query.clients]
            #expect(lists.allSatisfy { $0 == ListQuery(count: 7) } && query.delay == DelayQuery())
            #expect(query.queue == "orders" && query.historyPoints == 5)
        }
    }

    @Test func whatIsNotThereNamesAllThatIs() async throws {
        try await withServer(StubControl()) { address in
            let answer = try await get("/weir/v1/nothing", address)
            for list in ["topics", "groups", "queues", "dead", "delay", "jobs", "audit", "clients", "health"] {
                #expect(answer.contains("/weir/v1/\(list)"), "\(list)")
            }
        }
    }

    @Test func anEmptyObjectIsAQuery() async throws {
        let stub = StubControl()
        try await withServer(stub) { address in
            let head = "POST /weir/v1/snapshot HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
            let answer = try await RawClient.exchange(head + "Content-Length: 13\r\n\r\n{\"topics\":{}}", address)
            #expect(RawClient.status(answer) == 200)
            #expect(stub.queries.withLock { $0 } == [SnapshotQuery(topics: ListQuery())])
        }
    }
}
