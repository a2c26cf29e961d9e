import Model
import NIOCore
import Testing

@testable import Storage

/// Kills a workload at every point where it changes the disk, starts again on what is left, and checks that nothing promised is lost.
@Suite struct CrashTests {
    private static let frames = 26

    @Test func theWorkloadCoversWhatItIsFor() async throws {
        let fileSystem = FaultyFileSystem()
        let workload = CrashWorkload(fileSystem: fileSystem, seed: 7)
        await workload.run(frames: Self.frames)
        #expect(fileSystem.points > 300)
        let names = try fileSystem.list("/data/shard-0")
        #expect(names.contains { Journal.generation($0) != nil } && names.contains("checkpoint") && names.contains("epoch"))
        let segments = try fileSystem.list("/data/shard-0/0123456789abcdef1122334455667788-1").filter { $0.hasSuffix(".log") }
        #expect(segments.count > 1)
        // Space was freed in the middle, and segments were rewritten.
        let freed = try (0..<3).flatMap { try fileSystem.list("/data/shard-0/" + StreamName.encode(.test($0))) }
        #expect(freed.contains("holes"))
        #expect(freed.contains { SegmentFileKind.log.segment($0).map { $0.version > 0 } ?? false })
        try await CrashVerifier(workload: workload, loss: .power(seed: 1), run: "whole").verify(fileSystem.restarted(.power(seed: 1)))
    }

    /// 0: the process is killed; 1…: power is lost, with other pages surviving each time.
    @Test(arguments: 0...2) func nothingPromisedIsLost(_ lossSeed: UInt64) async throws {
        let whole = FaultyFileSystem()
        await CrashWorkload(fileSystem: whole, seed: 7).run(frames: Self.frames)
        for point in 1...whole.points { try await kill(at: point, lossSeed, seed: 7, background: false) }
    }

    /// The same while commits go on beside checkpoints. The threads take turns as they like, so every seventh point is tried, and with
    /// other work each time.
    @Test(arguments: 0...2) func nothingPromisedIsLostBesideACheckpoint(_ lossSeed: UInt64) async throws {
        let whole = FaultyFileSystem()
        await CrashWorkload(fileSystem: whole, seed: 7, background: true).run(frames: Self.frames)
        for point in stride(from: 1, through: whole.points, by: 7) {
            try await kill(at: point, lossSeed, seed: UInt64(point), background: true)
        }
    }

    private func kill(at point: Int, _ lossSeed: UInt64, seed: UInt64, background: Bool) async throws {
        var faults = FaultyFileSystem.Faults()
        faults.killAt = point
        let fileSystem = FaultyFileSystem(seed: UInt64(point), faults: faults)
        let workload = CrashWorkload(fileSystem: fileSystem, seed: seed, background: background)
        await workload.run(frames: Self.frames)
        let loss: FaultyFileSystem.Loss = lossSeed == 0 ? .process : .power(seed: lossSeed &* 1_000_003 &+ UInt64(point))
        let run = "seed \(lossSeed), point \(point)\(background ? ", background" : "")"
        var left = fileSystem.restarted(loss)
        // Every other time the start after the crash is killed too.
        if point % 2 == 0 {
            left.faults.killAt = 1 + point % 19
            await workload.start(left)
            left = left.restarted(loss)
        }
        try await CrashVerifier(workload: workload, loss: loss, run: run).verify(left)
    }
}
