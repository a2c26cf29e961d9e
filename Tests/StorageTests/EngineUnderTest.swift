import Logging
import Testing

@testable import Storage

/// The engines that the conformance suite runs against.
enum EngineUnderTest: String, CaseIterable, Sendable {
    case memory, posixFiles

    static let all = allCases

    /// Runs `body` on a new engine and closes it.
    /// - Parameter segmentBytes: small, so that streams have several segments; the memory engine has its own unit.
    func run(segmentBytes: Int = 1 << 20, _ body: (any Log) async throws -> Void) async throws {
        var options = FileEngineOptions()
        options.segmentBytes = segmentBytes
        options.checkpointMs = nil
        let directory = try TemporaryDirectory()
        let engine: any Log
        switch self {
        case .memory: engine = MemoryEngine()
        case .posixFiles: engine = try FileEngine(root: directory.path + "/data", shards: 2, options: options, logger: quiet)
        }
        try await body(engine)
        await engine.closed()
        withExtendedLifetime(directory) {}
    }
}

/// Says nothing.
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
