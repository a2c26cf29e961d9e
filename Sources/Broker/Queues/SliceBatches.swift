import Model
import NIOCore

/// The whole batches of a slice.
struct SliceBatches {
    private struct Batch {
        var offsets: Range<Offset>
        var bytes: Range<Int>
        var isControl: Bool
    }
    private var batches: [Batch] = []

    init(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { raw in
            var at = 0
            while raw.count - at >= RecordBatchHeader.size,
                case .success(let header) = RecordBatchHeader.parse(UnsafeRawBufferPointer(rebasing: raw[at...])),
                header.totalBytes <= raw.count - at
            {
                batches.append(
                    Batch(
                        offsets: header.baseOffset..<header.nextOffset, bytes: at..<at + header.totalBytes,
                        isControl: header.attributes.isControl))
                at += header.totalBytes
            }
        }
    }

    /// The first batch that begins before the one ahead of it ends, or ends beyond the log's `end`: the offset in a batch is under no
    /// checksum.
    func damaged(below end: Offset) -> Offset? {
        var at = Offset.zero
        for batch in batches {
            if batch.offsets.lowerBound < at || batch.offsets.upperBound > end { return batch.offsets.lowerBound }
            at = batch.offsets.upperBound
        }
        return nil
    }

    /// Offsets from the first batch's to the last one's; nil when there is no whole batch.
    var span: Range<Offset>? {
        guard let first = batches.first, let last = batches.last else { return nil }
        return first.offsets.lowerBound..<last.offsets.upperBound
    }

    /// Offsets of each batch with records.
    var single: [Range<Offset>] { batches.filter { !$0.isControl }.map(\.offsets) }

    /// Offsets of records side by side.
    var windows: [Range<Offset>] {
        var windows: [Range<Offset>] = []
        for batch in batches where !batch.isControl {
            if let last = windows.last, last.upperBound == batch.offsets.lowerBound {
                windows[windows.count - 1] = last.lowerBound..<batch.offsets.upperBound
            } else {
                windows.append(batch.offsets)
            }
        }
        return windows
    }

    /// Offsets from `first` to the slice's end that no record has.
    func gaps(from first: Offset) -> [Range<Offset>] {
        var gaps: [Range<Offset>] = []
        var at = first
        for window in windows {
            if window.lowerBound > at { gaps.append(at..<window.lowerBound) }
            at = max(at, window.upperBound)
        }
        if let end = span?.upperBound, end > at { gaps.append(at..<end) }
        return gaps
    }

    /// The bytes of the batches that overlap `offsets`.
    func slice(of content: ByteBuffer, _ offsets: Range<Offset>) -> ByteBuffer {
        let found = batches.filter { $0.offsets.overlaps(offsets) }
        guard let first = found.first, let last = found.last,
            let slice = content.getSlice(
                at: content.readerIndex + first.bytes.lowerBound, length: last.bytes.upperBound - first.bytes.lowerBound)
        else { return ByteBuffer() }
        return slice
    }
}
