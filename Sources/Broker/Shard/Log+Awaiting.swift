import Model
import NIOCore
import Storage

/// A log's reads for those who can wait: starts, lists and jobs. Callable from any thread.
extension Log {
    func synced(_ shard: ShardID) async -> LogError? {
        await withCheckedContinuation { continuation in
            sync(shard) { result in
                if case .failure(let error) = result { continuation.resume(returning: error) } else { continuation.resume(returning: nil) }
            }
        }
    }

    func located(_ stream: StreamID, _ offset: Offset) async -> Result<Located, LogError> {
        await withCheckedContinuation { continuation in
            let found = locate(stream, .offset(offset)) { continuation.resume(returning: $0) }
            if let found { continuation.resume(returning: found) }
        }
    }

    /// As ``read(_:at:maxBytes:wantsRegion:later:)`` gives it, in memory.
    func slice(_ stream: StreamID, at position: Position, maxBytes: Int) async -> Result<LogSlice, LogError> {
        await withCheckedContinuation { continuation in
            let slice = read(stream, at: position, maxBytes: maxBytes, wantsRegion: false) { continuation.resume(returning: $0) }
            if let slice { continuation.resume(returning: slice) }
        }
    }
}
