import Groups
import Logging
import Model
import NIOCore
import NIOPosix
import Storage
import Synchronization

@testable import Broker

/// A broker over memory or files, for tests of the group coordinator; what a fixture starts it also closes.
final class GroupBroker: Sendable {
    struct RealClock: Clock {
        var now: Timestamp { Timestamp(ms: 1_700_000_000_000 + Int64(monotonic.ns / 1_000_000)) }
        var monotonic: Monotonic { Monotonic(ns: NIODeadline.now().uptimeNanoseconds) }
    }

    let broker: Broker

    private init(_ broker: Broker) { self.broker = broker }

    static func start(
        log: any Log = MemoryEngine(), store: (any Store)? = nil, limits: Limits? = nil, options given: BrokerOptions = BrokerOptions(),
        resources: (@Sendable () -> ResourceReading)? = nil
    ) async throws -> GroupBroker {
        var options = given
        options.limits.initialRebalanceDelayMs = 20
        if let limits { options.limits = limits }
        let clock = RealClock()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let state = Mutex<UInt64>(1)
        let parts = BrokerParts(
            options: options, log: log, store: store ?? MemoryStore(clock: clock), clock: clock, logger: Logger(label: "test"),
            random: {
                state.withLock {
                    $0 = $0 &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return $0
                }
            }, events: EventRing(limit: 100), resources: resources)
        return GroupBroker(try await Broker.start(parts, shardCount: 2, loops: [loop]))
    }

    func join(
        _ group: String, _ member: String = "", instance: String? = nil, sessionMs: Int32 = 10_000
    ) async -> JoinAnswer {
        let request = JoinRequest(
            memberID: member, instanceID: instance, clientID: "c", clientHost: "/127.0.0.1", sessionTimeoutMs: sessionMs,
            rebalanceTimeoutMs: 10_000, protocolType: "consumer",
            protocols: [GroupProtocol(name: "range", metadata: ByteBuffer(string: "meta"))])
        return await withCheckedContinuation { continuation in
            broker.coordinator(of: group).join(group, request) { continuation.resume(returning: $0) }
        }
    }

    func sync(_ group: String, _ member: String, _ generation: Int32, assign: [String: String] = [:]) async -> SyncAnswer {
        let request = SyncRequest(
            memberID: member, generation: generation,
            assignments: assign.sorted { $0.key < $1.key }.map { ($0.key, ByteBuffer(string: $0.value)) })
        return await withCheckedContinuation { continuation in
            broker.coordinator(of: group).sync(group, request) { continuation.resume(returning: $0) }
        }
    }

    func heartbeat(_ group: String, _ member: String, _ generation: Int32) async -> GroupError? {
        await withCheckedContinuation { continuation in
            broker.coordinator(of: group).heartbeat(group, member: member, instance: nil, generation: generation) {
                continuation.resume(returning: $0)
            }
        }
    }

    func leave(_ group: String, _ members: [LeavingMember]) async -> Result<[GroupError?], GroupError> {
        await withCheckedContinuation { continuation in
            broker.coordinator(of: group).leave(group, members) { continuation.resume(returning: $0) }
        }
    }

    func commit(
        _ group: String, _ member: String = "", _ generation: Int32 = -1, _ offsets: [(String, Int32, Int64)]
    ) async -> [GroupError?] {
        let items = offsets.map { OffsetCommitItem(topic: $0.0, partition: $0.1, offset: Offset($0.2)) }
        let committer = GroupCoordinator.Committer(
            member: member, instance: nil, generation: generation, knowsGroupNotFound: true)
        return await withCheckedContinuation { continuation in
            broker.coordinator(of: group).commit(group, by: committer, items) { continuation.resume(returning: $0) }
        }
    }

    func offset(_ group: String, _ topic: String, _ partition: Int32) async -> Int64? {
        await withCheckedContinuation { continuation in
            broker.coordinator(of: group).offsets(of: [group]) { found in
                continuation.resume(returning: found[0].flatMap { $0[topic, partition]?.offset.value })
            }
        }
    }

    func describe(_ group: String) async -> GroupDescription? {
        await withCheckedContinuation { continuation in
            broker.coordinator(of: group).describe([group]) { continuation.resume(returning: $0[0]) }
        }
    }

    /// A stable group of one member; its id.
    func single(_ group: String) async -> String {
        let id = await join(group).memberID
        let generation = await join(group, id).generation
        _ = await sync(group, id, generation, assign: [id: "all"])
        return id
    }
}
