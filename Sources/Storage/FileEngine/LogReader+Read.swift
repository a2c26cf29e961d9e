import Model
import NIOCore

/// Reading slices.
extension LogReader {
    func read(at position: Position, maxBytes: Int, wantsRegion: Bool) -> Attempt<LogSlice> {
        var start: Start
        switch log.state.withLock({ view(position, in: $0) }) {
        case .failed(let error): return .done(.failure(error))
        case .load: return .needsDisk
        case .start(let found): start = found
        }
        if start.byte == start.bytes { return .done(.success(endSlice(start))) }
        let file: any File
        switch open(start.segment) {
        case .done(.success(let opened)): file = opened
        case .done(.failure(let error)): return .done(.failure(error))
        case .needsDisk: return .needsDisk
        }
        let end: SliceEnd
        if Int64(max(0, maxBytes)) >= start.bytes - start.byte {
            end = SliceEnd(byte: start.bytes, offset: start.next)
        } else {
            switch self.end(of: file, from: &start, maxBytes: maxBytes) {
            case .done(.success(let found)): end = found
            case .done(.failure(let error)): return .done(.failure(error))
            case .needsDisk: return .needsDisk
            }
        }
        return slice(file, start, end, wantsRegion: wantsRegion)
    }

    struct SliceEnd {
        var byte: Int64
        var offset: Offset
    }

    private func view(_ position: Position, in state: borrowing SegmentedLog.State) -> StartAttempt {
        if state.isDropped { return .failed(.unknownStream) }
        guard var index = state.segmentIndex(of: SegmentName(position)), position.byte >= 0,
            position.byte <= state.segments[index].bytes
        else { return .failed(.outOfRange(state.extent)) }
        // The end of a segment is the beginning of the next one.
        var byte = position.byte
        while byte == state.segments[index].bytes, index + 1 < state.segments.count {
            index += 1
            byte = 0
        }
        return .start(view(index, byte: byte, in: state))
    }

    /// The last batch boundary within `maxBytes`, at least one batch on. Jumps by the index to near the end and walks the rest.
    private func end(of file: any File, from start: inout Start, maxBytes: Int) -> Attempt<SliceEnd> {
        let limit = start.byte + Int64(max(0, maxBytes))
        let near = start.byte
        let segment = start.segment
        let jump = log.state.withLock { state -> Int64? in
            guard let index = state.segmentIndex(of: segment) else { return near }
            switch state.segments[index].offsets.last(where: { Int64($0.position) <= limit }) {
            case .entry(let entry): return max(near, Int64(entry.position))
            case .first: return near
            case .load: return nil
            }
        }
        guard let jump else {
            guard mayWait else { return .needsDisk }
            if let error = loader.load(segment) { return .done(.failure(error)) }
            return end(of: file, from: &start, maxBytes: maxBytes)
        }
        let bytes = start.bytes
        let first = start.byte
        return withUnsafeTemporaryAllocation(byteCount: HeaderWalk.windowBytes, alignment: 8) { window in
            var walk = HeaderWalk(file, limit: bytes, mayWait: mayWait, window: window)
            var byte = jump
            while true {
                switch walk.header(at: byte) {
                case .batch(let header):
                    let after = byte + Int64(header.totalBytes)
                    if after > limit {
                        if byte > first { return .done(.success(SliceEnd(byte: byte, offset: header.baseOffset))) }
                        return .done(.success(SliceEnd(byte: after, offset: header.nextOffset)))
                    }
                    byte = after
                case .needsDisk: return .needsDisk
                case .failed(let error): return .done(.failure(error))
                case .end: return .done(.success(SliceEnd(byte: bytes, offset: start.next)))
                }
            }
        }
    }

    private func slice(_ file: any File, _ start: Start, _ end: SliceEnd, wantsRegion: Bool) -> Attempt<LogSlice> {
        let count = Int(end.byte - start.byte)
        var next = start.segment.position(end.byte)
        if end.byte == start.bytes, let following = start.following { next = following.position(0) }
        do throws(FileError) {
            if wantsRegion, count >= Self.regionBytes, let region = file.region(at: start.byte, count: count) {
                guard try isResident(file, at: start.byte, count: count) else { return .needsDisk }
                let content = LogSlice.Content.region(region.0, owner: region.owner)
                return .done(.success(LogSlice(content: content, count: count, next: next, nextOffset: end.offset)))
            }
            guard let bytes = try bytes(file, at: start.byte, count: count) else { return .needsDisk }
            guard bytes.readableBytes == count else {
                return .done(.failure(.corrupt("\(file.path): ends at byte \(start.byte + Int64(bytes.readableBytes))")))
            }
            return .done(.success(LogSlice(content: .bytes(bytes), count: count, next: next, nextOffset: end.offset)))
        } catch {
            return .done(.failure(.unavailable("\(error)")))
        }
    }

    private func endSlice(_ start: Start) -> LogSlice {
        LogSlice(content: .bytes(ByteBuffer()), count: 0, next: start.segment.position(start.byte), nextOffset: start.next)
    }

    /// Nil when it would have to wait and may not.
    private func bytes(_ file: any File, at position: Int64, count: Int) throws(FileError) -> ByteBuffer? {
        if mayWait { return try file.readBytes(at: position, count: count) }
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        var outcome: Result<Int?, FileError> = .success(nil)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
            let target = UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
            do throws(FileError) { outcome = .success(try file.readCached(into: target, at: position)) } catch { outcome = .failure(error) }
            if case .success(let read?) = outcome { return read }
            return 0
        }
        // A part in the cache is not enough: the rest needs the disk.
        guard let read = try outcome.get(), read == count else { return nil }
        return buffer
    }

    /// Whether sendfile will find the range in the page cache: its first and last byte stand for it. A thread that may wait reads the
    /// range ahead.
    private func isResident(_ file: any File, at position: Int64, count: Int) throws(FileError) -> Bool {
        if mayWait {
            try readThrough(file, at: position, count: count)
            return true
        }
        var byte: UInt8 = 0
        for place in [position, position + Int64(count) - 1] {
            let read: Result<Int?, FileError> = withUnsafeMutableBytes(of: &byte) { target in
                do throws(FileError) { return .success(try file.readCached(into: target, at: place)) } catch { return .failure(error) }
            }
            guard try read.get() == 1 else { return false }
        }
        return true
    }

    /// Touches one byte in every 128 KiB after asking for the whole: returns when the range has been read.
    private func readThrough(_ file: any File, at position: Int64, count: Int) throws(FileError) {
        file.prefetch(at: position, count: count)
        var byte: UInt8 = 0
        var place = position
        while place < position + Int64(count) {
            let read: Result<Int, FileError> = withUnsafeMutableBytes(of: &byte) { target in
                do throws(FileError) { return .success(try file.read(into: target, at: place)) } catch { return .failure(error) }
            }
            _ = try read.get()
            place += 128 << 10
        }
    }
}
