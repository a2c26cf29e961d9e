import Model
import NIOCore

/// Walks batch headers forward through one segment file, reading as little as it can: 4 KiB at a time while batches are small, the header
/// alone where they are large.
struct HeaderWalk {
    enum Step {
        case batch(RecordBatchHeader)
        /// The end of what may be read.
        case end
        /// The page cache does not have it, and the walk may not wait.
        case needsDisk
        case failed(LogError)
    }

    /// Room the walk needs for its window.
    static let windowBytes = 4096
    /// Batches up to this size make it worth while to read a whole window.
    private static let smallBatchBytes = 1024

    private let file: any File
    private let limit: Int64
    private let mayWait: Bool
    private let window: UnsafeMutableRawBufferPointer
    private var windowStart: Int64 = 0
    private var windowCount = 0
    private var readBytes = 256

    /// - Parameters:
    ///   - limit: published bytes of the segment.
    ///   - window: scratch of `windowBytes`.
    init(_ file: any File, limit: Int64, mayWait: Bool, window: UnsafeMutableRawBufferPointer) {
        self.file = file
        self.limit = limit
        self.mayWait = mayWait
        self.window = window
    }

    /// The header of the batch at `position`.
    mutating func header(at position: Int64) -> Step {
        if position >= limit { return .end }
        let headerBytes = Int64(RecordBatchHeader.size)
        guard position + headerBytes <= limit else { return damaged(position, "a batch header is cut off") }
        if position < windowStart || position + headerBytes > windowStart + Int64(windowCount) {
            if let problem = fill(at: position) { return problem }
        }
        let start = Int(position - windowStart)
        switch RecordBatchHeader.parse(UnsafeRawBufferPointer(rebasing: window[start..<windowCount])) {
        case .success(let header):
            guard position + Int64(header.totalBytes) <= limit else { return damaged(position, "a batch is longer than its segment") }
            readBytes = header.totalBytes <= Self.smallBatchBytes ? Self.windowBytes : 64
            return .batch(header)
        case .failure(let reason):
            return damaged(position, "not a record batch (\(reason))")
        }
    }

    private mutating func fill(at position: Int64) -> Step? {
        let count = Int(min(Int64(min(readBytes, window.count)), limit - position))
        let target = UnsafeMutableRawBufferPointer(rebasing: window[..<count])
        do throws(FileError) {
            if mayWait {
                windowCount = try file.readFully(into: target, at: position)
            } else {
                guard let cached = try file.readCached(into: target, at: position), cached >= RecordBatchHeader.size else {
                    return .needsDisk
                }
                windowCount = cached
            }
        } catch {
            return .failed(.unavailable("\(error)"))
        }
        windowStart = position
        guard windowCount >= RecordBatchHeader.size else { return damaged(position, "the file ends early") }
        return nil
    }

    private func damaged(_ position: Int64, _ what: String) -> Step {
        .failed(.corrupt("\(file.path) at byte \(position): \(what)"))
    }
}
