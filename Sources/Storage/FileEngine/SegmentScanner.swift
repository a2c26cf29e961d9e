import Model
import NIOCore

/// Reads a segment file from front to back and tells batch by batch whether it is whole. Memory is constant: a batch larger than the
/// buffer is checked piece by piece.
struct SegmentScanner {
    enum Step {
        case batch(BatchSpan)
        /// What stands there is no whole batch.
        case damaged(String)
        case failed(FileError)
    }

    static let bufferBytes = 256 << 10

    private let file: any File
    private let limit: Int64
    private let checksums: Bool
    private let buffer = ScratchBuffer(bytes: bufferBytes)
    private var start: Int64 = 0
    private var count = 0
    /// Bytes read from the file.
    private(set) var bytesRead: Int64 = 0

    /// - Parameters:
    ///   - limit: size of the file, or the published part of it.
    ///   - checksums: whether records are read and their CRC compared; else only headers are.
    init(_ file: any File, limit: Int64, checksums: Bool) {
        self.file = file
        self.limit = limit
        self.checksums = checksums
    }

    mutating func batch(at position: Int64) -> Step {
        guard position + Int64(RecordBatchHeader.size) <= limit else { return .damaged("\(limit - position) bytes are no batch header") }
        do throws(FileError) {
            guard try window(position, RecordBatchHeader.size) else { return .damaged("the file ends early") }
            switch RecordBatchHeader.parse(bytes(position, RecordBatchHeader.size)) {
            case .failure(let reason): return .damaged("not a record batch (\(reason))")
            case .success(let header):
                guard position + Int64(header.totalBytes) <= limit else { return .damaged("the batch is cut off") }
                if checksums, try checksum(header, at: position) != header.crc { return .damaged("the checksum does not match") }
                return .batch(BatchSpan(header))
            }
        } catch {
            return .failed(error)
        }
    }

    private mutating func checksum(_ header: RecordBatchHeader, at position: Int64) throws(FileError) -> UInt32 {
        var crc: UInt32 = 0
        var place = position + 21
        let end = position + Int64(header.totalBytes)
        while place < end {
            let wanted = Int(min(end - place, Int64(Self.bufferBytes)))
            // Use what the window has before reading more.
            var available = Int(start + Int64(count) - place)
            if place < start || available <= 0 {
                guard try window(place, wanted) else { return ~header.crc }
                available = wanted
            }
            let piece = min(wanted, available)
            crc = CRC32C.checksum(bytes(place, piece), continuing: crc)
            place += Int64(piece)
        }
        return crc
    }

    private func bytes(_ position: Int64, _ length: Int) -> UnsafeRawBufferPointer {
        let from = Int(position - start)
        return UnsafeRawBufferPointer(rebasing: buffer.bytes[from..<(from + length)])
    }

    /// Makes `length` bytes at `position` available; false when the file is shorter.
    private mutating func window(_ position: Int64, _ length: Int) throws(FileError) -> Bool {
        if position >= start, position + Int64(length) <= start + Int64(count) { return true }
        let wanted = Int(min(Int64(Self.bufferBytes), limit - position))
        count = try file.readFully(into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<wanted]), at: position)
        start = position
        bytesRead += Int64(count)
        return count >= length
    }
}

/// Memory for reading, freed with its last owner.
///
/// `@unchecked Sendable`: made and used by one scan on one thread.
final class ScratchBuffer: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    init(bytes count: Int) { bytes = .allocate(byteCount: count, alignment: 16) }
    deinit { bytes.deallocate() }
}
