import Model
import NIOCore
import Testing

@testable import Storage

/// A file engine over a simulated disk that can be closed, killed and opened again.
final class FileEngineBed {
    private(set) var fileSystem: FaultyFileSystem
    private(set) var engine: FileEngine
    private(set) var epoch: Int32 = 0
    let options: FileEngineOptions

    /// - Parameter change: of the options; checkpoints come by bytes, roll and close only.
    init(_ change: (inout FileEngineOptions) -> Void = { _ in }) throws {
        var options = EngineUnderTest.options
        change(&options)
        self.options = options
        fileSystem = FaultyFileSystem()
        engine = try FileEngine(fileSystem: fileSystem, root: "/data", shards: 1, options: options, logger: quiet)
    }

    /// Takes the shard for the next epoch.
    @discardableResult
    func acquire() async -> Result<[StreamID: StreamExtent], LogError> {
        epoch += 1
        return await engine.acquired(epoch: epoch)
    }

    func commit(_ id: UInt64, durable: Bool = true, _ appends: [Append]) async -> Result<CommitStage, LogError> {
        await engine.committed(id, epoch: epoch, durable: durable, appends)
    }

    /// Opens again on what is left; nil closes in order first.
    func restart(_ loss: FaultyFileSystem.Loss?) async throws {
        if loss == nil { await engine.closed() }
        fileSystem = fileSystem.restarted(loss ?? .process)
        engine = try FileEngine(fileSystem: fileSystem, root: "/data", shards: 1, options: options, logger: quiet)
    }

    func directory(_ stream: StreamID) -> String { "/data/shard-0/" + StreamName.encode(stream) }

    func file(_ stream: StreamID, _ base: Int64, _ kind: SegmentFileKind = .log) -> String {
        directory(stream) + "/" + kind.name(SegmentName(Offset(base)))
    }

    func with(_ change: (inout FaultyFileSystem.Faults) -> Void) {
        var faults = fileSystem.faults
        change(&faults)
        fileSystem.faults = faults
    }
}
