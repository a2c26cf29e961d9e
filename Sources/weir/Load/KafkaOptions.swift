import ArgumentParser
import KafkaClient
import Model

/// The options of every verb that is a Kafka client.
struct KafkaOptions: ParsableArguments {
    static let defaultAddress = HostPort(host: "127.0.0.1", port: 9092)

    @Option(
        help: ArgumentHelp("The broker's Kafka door. (default: 127.0.0.1:9092)", valueName: "host:port"), transform: { try HostPort($0) })
    var kafka: HostPort?

    @Flag(help: "Print JSON.")
    var json = false

    func client(id: String) -> Client {
        var options = ClientOptions(bootstrap: [kafka ?? Self.defaultAddress])
        options.clientID = id
        // A person waits: say soon that there is no broker.
        options.deliveryTimeoutMs = 20_000
        return Client(options: options, clock: SystemClock())
    }

    /// Runs `body` with a client; what goes wrong becomes one line.
    func withClient(id: String, _ body: (Client) async throws -> Void) async throws {
        let client = client(id: id)
        do {
            try await body(client)
            await client.close()
        } catch is CancellationError {
            // ^C: what was done stays done.
            await client.close()
        } catch let error as ClientError {
            await client.close()
            throw CommandFailure("\(error)")
        }
    }
}

/// `--acks`
enum AcksArgument: String, ExpressibleByArgument, CaseIterable {
    case none = "0"
    case leader = "1"
    case all

    var acks: ProducerOptions.Acks {
        switch self {
        case .none: .none
        case .leader: .leader
        case .all: .all
        }
    }
}

/// `--compression`
enum CompressionArgument: String, ExpressibleByArgument, CaseIterable {
    case none, gzip, snappy, lz4, zstd

    var codec: RecordBatchHeader.Compression {
        switch self {
        case .none: .none
        case .gzip: .gzip
        case .snappy: .snappy
        case .lz4: .lz4
        case .zstd: .zstd
        }
    }
}
