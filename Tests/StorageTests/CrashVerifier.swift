import Model
import NIOCore
import Testing

@testable import Storage

/// Opens what a crash left and holds it against what was promised.
struct CrashVerifier {
    let workload: CrashWorkload
    let loss: FaultyFileSystem.Loss
    /// Names the run in a failure.
    let run: String

    private var isPowerLoss: Bool {
        if case .power = loss { return true }
        return false
    }

    func verify(_ fileSystem: FaultyFileSystem) async throws {
        let engine = try FileEngine(fileSystem: fileSystem, root: "/data", shards: 1, options: workload.options, logger: quiet)
        let acquired = await engine.acquired(epoch: 3)
        guard case .success(let extents) = acquired else {
            Issue.record("\(run): \(acquired)")
            return
        }
        for (stream, expectation) in workload.expected { try await verify(engine, stream, expectation, extents[stream]) }
        #expect(extents.keys.allSatisfy { workload.expected[$0] != nil }, "\(run)")
        await engine.closed()
        try await verifyStore(fileSystem)
    }

    private func verify(
        _ engine: FileEngine, _ stream: StreamID, _ expectation: CrashWorkload.Expectation, _ extent: StreamExtent?
    ) async throws {
        let gone = expectation.freed.union(OffsetRanges([Offset(0)..<Offset(expectation.trimmedBefore)]))
        guard let extent else {
            #expect(
                expectation.dropAsked || gone.covers(Offset(expectation.trimmedBefore)..<Offset(expectation.durableEnd))
                    || expectation.durableEnd == expectation.trimmedBefore
                    || expectation.sent.keys.min() == expectation.durableEnd, "\(run): \(stream) is gone")
            return
        }
        #expect(!expectation.dropDone, "\(run): \(stream) was dropped and is back")
        let promised = isPowerLoss ? expectation.durableEnd : expectation.writtenEnd
        #expect(extent.end.value >= promised, "\(run): \(stream) ends at \(extent.end), promised \(promised)")
        #expect(extent.end.value <= expectation.end, "\(run): \(stream) ends at \(extent.end), sent \(expectation.end)")
        #expect(gone.covers(.zero..<extent.start), "\(run): \(stream) starts at \(extent.start)")
        #expect(extent.holes.subtracting(gone).isEmpty, "\(run): \(stream) lacks \(extent.holes)")
        guard extent.start < extent.end else { return }
        let headers = try await engine.allBatches(stream, maxBytes: 3_000, holes: extent.holes)
        let first = try #require(headers.first?.baseOffset)
        #expect(extent.holes.covers(extent.start..<first) && headers.last?.nextOffset == extent.end, "\(run): \(stream)")
        for header in headers {
            #expect(expectation.sent[header.baseOffset.value]?.contains(header.crc) == true, "\(run): \(stream) at \(header.baseOffset)")
            let located = try await engine.located(stream, .offset(header.lastOffset)).get()
            #expect(located.header == header, "\(run): \(stream) index at \(header.lastOffset)")
        }
        let latest = try await engine.located(stream, .maxTimestamp).get()
        #expect(latest.header.maxTimestamp == headers.map(\.maxTimestamp).max(), "\(run): \(stream)")
        #expect(extent.maxTimestamp == latest.header.maxTimestamp, "\(run): \(stream)")
        let time = headers[headers.count / 2].maxTimestamp
        let byTime = try await engine.located(stream, .timestamp(time)).get()
        #expect(byTime.header == headers.first { $0.maxTimestamp >= time }, "\(run): \(stream) time index")
    }

    private func verifyStore(_ fileSystem: FaultyFileSystem) async throws {
        let store: FileStore
        do throws(StoreError) {
            store = try FileStore(fileSystem: fileSystem, root: "/data/store", clock: TestClock(), logger: quiet)
        } catch {
            Issue.record("\(run): \(error)")
            return
        }
        for (key, sent) in workload.storeSent {
            let bytes = key == "blob" ? try await store.getBlob(key) : try await store.get(key)?.value
            let found = bytes.map { String(buffer: $0) }
            let promised = workload.storePromised[key].flatMap { sent.firstIndex(of: $0) }
            // A later value that was not acknowledged may have arrived; an earlier one may not be left.
            let position = found.flatMap { sent.firstIndex(of: $0) }
            #expect(found == nil || position != nil, "\(run): \(key) holds \(found ?? "")")
            #expect((position ?? -1) >= (promised ?? -1), "\(run): \(key) holds \(found ?? "nothing")")
        }
        await store.close()
    }
}
