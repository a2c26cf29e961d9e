import KafkaWire
import Model
import NIOCore
import NIOPosix

/// A client of one Kafka cluster: connections, metadata, retries. Producers, consumers and ``Admin`` stand on it.
///
/// Everything here happens once a request, so an actor owns the state; the path of single records never comes by.
public actor Client {
    public nonisolated let options: ClientOptions
    public nonisolated let clock: any Clock
    private let group: any EventLoopGroup
    private var metadata = ClusterMetadata()
    private var fetched: [String: Monotonic] = [:]
    private var connections: [BrokerAddress: Task<BrokerConnection, any Error>] = [:]
    private var isClosed = false

    public init(options: ClientOptions, clock: any Clock, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton) {
        self.options = options
        self.clock = clock
        self.group = group
    }

    /// Ends every connection; what waits for an answer fails.
    public func close() {
        isClosed = true
        for task in connections.values {
            Task { try await task.value.close() }
        }
        connections = [:]
    }

    // MARK: Connections

    /// A connection to `address`: the open one, the one in the making, or a new one.
    func connection(to address: BrokerAddress) async throws -> BrokerConnection {
        guard !isClosed else { throw ClientError.closed }
        if let task = connections[address] {
            let result = await task.result
            if case .success(let connection) = result, connection.isOpen { return connection }
            // Someone else may have replaced it meanwhile.
            if connections[address] == task { connections[address] = nil }
            if connections[address] != nil { return try await self.connection(to: address) }
        }
        let options = options
        let group = group
        let task = Task { try await BrokerConnection.connect(to: address, options: options, group: group) }
        connections[address] = task
        return try await task.value
    }

    /// A connection to any broker that answers: known ones first, then those of the configuration.
    func anyConnection() async throws -> BrokerConnection {
        var failure: any Error = ClientError.closed
        let known = Set(metadata.brokers.values)
        for address in known.sorted(by: { $0.description < $1.description }) + options.bootstrap.filter({ !known.contains($0) }) {
            do {
                return try await connection(to: address)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// A connection to the broker with this id.
    func connection(node: Int32) async throws -> BrokerConnection {
        guard let address = metadata.brokers[node] else {
            throw ClientError.refused(.brokerNotAvailable, what: "broker \(node)")
        }
        return try await connection(to: address)
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
