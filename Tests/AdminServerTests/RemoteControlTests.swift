import AdminClient
import AdminServer
import Control
import Logging
import Model
import NIOPosix
import Testing

@Suite struct RemoteControlTests {
    static func remote(_ address: HostPort, timeoutMs: Int64 = 5_000) -> RemoteControl {
        RemoteControl(address: address, group: MultiThreadedEventLoopGroup.singleton, callTimeoutMs: timeoutMs)
    }

    @Test func aSnapshotArrivesAsItWasTaken() async throws {
        let stub = StubControl()
        try await withServer(stub) { address in
            let remote = Self.remote(address)
            let query = SnapshotQuery(topics: ListQuery(filter: "~^o", sort: "lag", descending: true, start: 3, count: 7), historyPoints: 9)
            let snapshot = try await remote.snapshot(query)
            #expect(snapshot.topics.rows == [StubControl.orders, StubControl.odd])
            #expect(snapshot.topics.total == 5)
            #expect(snapshot.history.inRate == [nil, 1.5])
            #expect(snapshot.totals.inRate.isNaN)
            #expect(stub.queries.withLock { $0 } == [query])
            await remote.close()
        }
    }

    @Test func commandsArriveInOrderOverOneConnection() async throws {
        let stub = StubControl()
        try await withServer(stub) { address in
            let remote = Self.remote(address)
            let reset = OffsetReset(group: "g", topic: "t", partition: 3, target: .time(ms: 5), dryRun: false)
            let commands: [Command] = [
                .createTopic(name: "t", partitions: 3, configs: ["retention.ms": "1"]),
                .deleteRecords(topic: "t", partition: nil, before: -1),
                .resetOffsets(reset), .deleteGroup(name: "g"), .deleteTopic(name: "t"),
            ]
            for command in commands {
                let outcome = try await remote.perform(command)
                #expect(outcome.message == command.commandLine)
            }
            #expect(stub.commands.withLock { $0 } == commands)
            await remote.close()
        }
    }

    @Test(arguments: [
        ControlError(.notFound, "no such topic"), ControlError(.conflict, "it has members"), ControlError(.invalid, "bad"),
        ControlError(.readOnly, "read-only"), ControlError(.failed, "disk"),
    ])
    func errorsKeepTheirCode(error: ControlError) async throws {
        try await withServer(StubControl(failure: error)) { address in
            let remote = Self.remote(address)
            await #expect(throws: error) { try await remote.perform(.deleteTopic(name: "t")) }
            await remote.close()
        }
    }

    @Test func manyCallsAtOnceAllGetTheirOwnAnswer() async throws {
        try await withServer(StubControl()) { address in
            let remote = Self.remote(address)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for index in 0..<50 {
                    tasks.addTask {
                        let command = Command.deleteGroup(name: "g\(index)")
                        let outcome = try await remote.perform(command)
                        #expect(outcome.message == command.commandLine)
                    }
                }
                try await tasks.waitForAll()
            }
            await remote.close()
        }
    }

    @Test func noBrokerIsSaidWithItsAddress() async throws {
        let address = try await withServer(StubControl()) { $0 }
        let error = await #expect(throws: ControlError.self) { try await Self.remote(address).snapshot(SnapshotQuery()) }
        #expect(error?.code == .unreachable)
        #expect(
            error?.message
                == "no broker answers at \(address) (Connection refused): start a broker with 'weir serve', "
                + "or name its admin door with --http HOST:PORT"
        )
    }

    @Test func aRestartedBrokerIsFoundAgain() async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let group = MultiThreadedEventLoopGroup.singleton
        let any = HostPort(host: "127.0.0.1", port: 0)
        let own = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let first = try await AdminServer.start(.init(address: any), control: StubControl(), group: own, logger: logger)
        let remote = Self.remote(first.address)
        _ = try await remote.snapshot(SnapshotQuery())
        await first.close()
        // Takes the server's side of the kept connection away too.
        try await own.shutdownGracefully()
        await #expect(throws: ControlError.self) { try await remote.snapshot(SnapshotQuery()) }
        let second = try await AdminServer.start(.init(address: first.address), control: StubControl(), group: group, logger: logger)
        let again = try await remote.snapshot(SnapshotQuery())
        #expect(again.broker.name == "prod-a")
        await remote.close()
        await second.close()
    }

    @Test func aBrokerThatNeverAnswersTimesOut() async throws {
        let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        let address = HostPort(host: "127.0.0.1", port: UInt16(silent.localAddress?.port ?? 0))
        let remote = Self.remote(address, timeoutMs: 100)
        let error = await #expect(throws: ControlError.self) { try await remote.perform(.deleteTopic(name: "t")) }
        #expect(error?.code == .unreachable)
        #expect(error?.message.contains("no answer within 100 ms") == true)
        #expect(error?.message.contains("may have been carried out") == true)
        await remote.close()
        try await silent.close()
    }
}
