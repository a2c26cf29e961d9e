import KafkaWire
import Model
import NIOCore
import NIOPosix

/// A client of one Kafka cluster: connections, metadata, retries. Producers, consumers and ``Admin`` stand on it.
///
/// Everything here happens once a request, so an actor owns the state; the path of single records never comes by.
public actor Client {
    /// A broker answers one connection's requests in order, so a request that it holds back (a fetch, a join) holds back what is behind it.
    /// Whoever sends such requests takes a lane: a connection of its own to each broker.
    struct Lane: Hashable {
        var number: Int
        static let shared = Lane(number: 0)
    }

    private struct Place: Hashable {
        var address: HostPort
        var lane: Lane
    }

    public nonisolated let options: ClientOptions
    public nonisolated let clock: any Clock
    private let group: any EventLoopGroup
    private var metadata = ClusterMetadata()
    private var fetched: [String: Monotonic] = [:]
    private var connections: [Place: Task<BrokerConnection, any Error>] = [:]
    private var lanes = 0
    private var isClosed = false

    public init(options: ClientOptions, clock: any Clock, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton) {
        self.options = options
        self.clock = clock
        self.group = group
    }

    /// Ends every connection; what waits for an answer fails.
    public func close() {
        isClosed = true
        for place in connections.keys { disconnect(place) }
    }

    // MARK: Connections

    func newLane() -> Lane {
        lanes += 1
        return Lane(number: lanes)
    }

    func close(lane: Lane) {
        for place in connections.keys where place.lane == lane { disconnect(place) }
    }

    private func disconnect(_ place: Place) {
        guard let task = connections.removeValue(forKey: place) else { return }
        task.cancel()
        // One that could not be made needs no closing.
        Task { if case .success(let connection) = await task.result { connection.close() } }
    }

    /// A connection to `address`: the open one, the one in the making, or a new one.
    func connection(to address: HostPort, lane: Lane = .shared) async throws -> BrokerConnection {
        let place = Place(address: address, lane: lane)
        while let task = connections[place] {
            let result = await task.result
            if case .success(let connection) = result, connection.isOpen { return connection }
            // Someone else may have replaced it meanwhile.
            if connections[place] == task { connections[place] = nil }
        }
        guard !isClosed else { throw ClientError.closed }
        let options = options
        let group = group
        let task = Task { try await BrokerConnection.connect(to: address, options: options, group: group) }
        connections[place] = task
        return try await task.value
    }

    /// A connection to any broker that answers: known ones first, then those of the configuration.
    func anyConnection(lane: Lane = .shared) async throws -> BrokerConnection {
        var failure: any Error = ClientError.closed
        let known = Set(metadata.brokers.values)
        for address in known.sorted(by: { $0.description < $1.description }) + options.bootstrap.filter({ !known.contains($0) }) {
            do {
                return try await connection(to: address, lane: lane)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// A connection to the broker with this id.
    func connection(node: Int32, lane: Lane = .shared) async throws -> BrokerConnection {
        guard let address = metadata.brokers[node] else {
            throw ClientError.refused(.brokerNotAvailable, what: "broker \(node)")
        }
        return try await connection(to: address, lane: lane)
    }

    // MARK: Metadata

    /// Metadata of these topics, from memory when it is recent enough; nil asks for all topics, always anew.
    @discardableResult
    public func metadata(topics: [String]?, refresh: Bool = false, create: Bool = false) async throws -> ClusterMetadata {
        if let topics, !refresh, topics.allSatisfy({ isFresh($0) }) { return metadata }
        let connection = try await anyConnection()
        var request = MetadataRequest()
        request.topics = topics.map { names in
            names.map { name in
                var topic = MetadataRequest.MetadataRequestTopic()
                topic.name = name
                return topic
            }
        }
        request.allowAutoTopicCreation = create
        let response = try await connection.send(request)
        guard response.errorCode == .none else { throw ClientError.refused(response.errorCode, what: "metadata") }
        metadata.merge(response, all: topics == nil)
        let now = clock.monotonic
        for topic in response.topics where topic.errorCode == .none {
            if let name = topic.name { fetched[name] = now }
        }
        return metadata
    }

    private func isFresh(_ topic: String) -> Bool {
        guard let time = fetched[topic], let known = metadata.topics[topic], known.error == .none else { return false }
        return clock.monotonic.ms(since: time) < options.metadataMaxAgeMs && known.partitions.allSatisfy { $0.leader != nil }
    }

    /// Makes the next look at a topic ask the cluster: its leader moved, or it is gone.
    func forget(topic: String) {
        fetched[topic] = nil
    }

    /// The topic's partitions, created first where the broker does that and `create` says so. Tries until the delivery timeout.
    public func topic(_ name: String, create: Bool = false) async throws -> ClusterMetadata.Topic {
        try await retrying(what: name) {
            let found = try await self.metadata(topics: [name], create: create).topics[name]
            guard let found, found.error == .none else {
                let code = found?.error ?? .unknownTopicOrPartition
                // Without creation an unknown topic stays unknown.
                if code == .unknownTopicOrPartition, !create { throw Permanent(ClientError.refused(code, what: "topic '\(name)'")) }
                throw ClientError.refused(code, what: "topic '\(name)'")
            }
            return found
        }
    }

    /// A connection to the leader of a partition.
    func leaderConnection(_ topic: String, _ partition: Int32) async throws -> BrokerConnection {
        let metadata = try await metadata(topics: [topic])
        let found = metadata.topics[topic]
        guard let found, found.error == .none else {
            throw ClientError.refused(found?.error ?? .unknownTopicOrPartition, what: "topic '\(topic)'")
        }
        guard let leader = found.partitions.first(where: { $0.index == partition })?.leader else {
            throw ClientError.refused(.leaderNotAvailable, what: "\(topic)-\(partition)")
        }
        return try await connection(node: leader)
    }

    // MARK: Retries

    /// An error that another try cannot mend although its code says so.
    struct Permanent: Error {
        var error: ClientError
        init(_ error: ClientError) { self.error = error }
    }

    /// Tries `body` again after errors that may pass, with growing pauses, until the delivery timeout.
    nonisolated func retrying<Value: Sendable>(what: String, _ body: @Sendable () async throws -> Value) async throws -> Value {
        let start = clock.monotonic
        var attempt = 0
        while true {
            do {
                return try await body()
            } catch let permanent as Permanent {
                throw permanent.error
            } catch let error as ClientError where error.isRetriable && clock.monotonic.ms(since: start) < options.deliveryTimeoutMs {
                try await pause(attempt: attempt)
                attempt += 1
            }
        }
    }

    /// Sleeps before try number `attempt` + 2: doubled each time up to the limit, the last fifth of it at random, so that many clients do
    /// not come back at the same moment.
    nonisolated func pause(attempt: Int) async throws {
        let base = min(options.retryBackoffMaxMs, options.retryBackoffMs << Int64(min(attempt, 16)))
        let ms = base - base / 5 + Int64.random(in: 0...max(1, base / 5))
        try await Task.sleep(for: .milliseconds(ms))
    }
}
