import Logging
import Testing

@testable import Storage

/// The engines that the conformance suite runs against.
enum EngineUnderTest: String, CaseIterable, Sendable {
    case memory
    case posixFiles
    /// The simulated disk without faults, once with and once without a page cache.
    case simulatedFiles, coldFiles
    /// Slow, and never answering a read at once.
    case remote

    static let all = allCases

    static var options: FileEngineOptions {
        var options = FileEngineOptions()
        options.checkpointMs = nil
        options.checkpointsInBackground = false
        return options
    }

    /// Runs `body` on a new engine and closes it.
    /// - Parameter segmentBytes: small, so that streams have several segments; the memory engine has its own unit.
    func run(segmentBytes: Int = 1 << 20, rewriteBytes: Int = 1 << 20, _ body: (any Log) async throws -> Void) async throws {
        var options = Self.options
        options.segmentBytes = segmentBytes
        options.rewriteBytes = rewriteBytes
        let directory = try TemporaryDirectory()
        let engine: any Log
        switch self {
        case .memory: engine = MemoryEngine()
        case .posixFiles: engine = try FileEngine(root: directory.path + "/data", shards: 2, options: options, logger: quiet)
        case .simulatedFiles:
            engine = try FileEngine(fileSystem: FaultyFileSystem(), root: "/data", shards: 2, options: options, logger: quiet)
        case .coldFiles:
            var faults = FaultyFileSystem.Faults()
            faults.coldReads = true
            faults.shortWrites = true
            let fileSystem = FaultyFileSystem(seed: 3, faults: faults)
            engine = try FileEngine(fileSystem: fileSystem, root: "/data", shards: 2, options: options, logger: quiet)
        case .remote:
            var faults = FaultyEngine.Faults()
            faults.delayMs = 1
            engine = FaultyEngine(MemoryEngine(), faults: faults)
        }
        try await body(engine)
        await engine.closed()
        withExtendedLifetime(directory) {}
    }
}

/// Says nothing.
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
