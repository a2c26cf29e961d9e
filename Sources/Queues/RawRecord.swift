import Model
import NIOCore

/// Where the parts of one encoded record lie, relative to the first byte of its batch's records. Found without copying anything: the
/// publish path looks at every record of a delayed batch.
///
/// ```
/// length │ attributes │ timestamp delta │ offset delta │ key │ value │ header count │ headers
/// start                                                 key           countAt        headers   end
/// ```
public struct RawRecord: Equatable, Sendable {
    public var start: Int
    public var end: Int
    public var timestampDelta: Int64
    /// The key's length; key and value lie between here and `valueEnd`.
    var keyStart: Int
    var valueEnd: Int
    var headerCount: Int
    var headersStart: Int

    /// Reads the record at `start`; nil when the bytes are no record.
    @inline(__always)
    public static func read(_ bytes: UnsafeRawBufferPointer, at start: Int) -> RawRecord? {
        var cursor = RawCursor(bytes: bytes, at: start, end: bytes.count)
        guard let length = cursor.varint(), length >= 0, length <= bytes.count - cursor.at else { return nil }
        cursor.end = cursor.at + Int(length)
        guard cursor.skip(1), let timestampDelta = cursor.varint(), cursor.varint() != nil else { return nil }
        let keyStart = cursor.at
        guard cursor.skipNullable(), cursor.skipNullable() else { return nil }
        let valueEnd = cursor.at
        guard let headers = cursor.varint(), headers >= 0, headers <= Int64((cursor.end - cursor.at) / 2) else { return nil }
        return RawRecord(
            start: start, end: cursor.end, timestampDelta: timestampDelta, keyStart: keyStart, valueEnd: valueEnd,
            headerCount: Int(headers), headersStart: cursor.at)
    }

    /// Calls `body` with each header's bytes, name and value, as ranges; false when they are malformed.
    @inline(__always)
    func headers(_ bytes: UnsafeRawBufferPointer, _ body: (_ whole: Range<Int>, _ name: Range<Int>, _ value: Range<Int>?) -> Void) -> Bool {
        var cursor = RawCursor(bytes: bytes, at: headersStart, end: end)
        for _ in 0..<headerCount {
            let start = cursor.at
            guard let length = cursor.varint(), length >= 0, cursor.skip(length) else { return false }
            let name = (cursor.at - Int(length))..<cursor.at
            guard let valueLength = cursor.varint(), valueLength >= -1, cursor.skip(max(0, valueLength)) else { return false }
            body(start..<cursor.at, name, valueLength < 0 ? nil : (cursor.at - Int(valueLength))..<cursor.at)
        }
        return true
    }
}

/// Reads varints within bounds.
struct RawCursor {
    let bytes: UnsafeRawBufferPointer
    var at: Int
    var end: Int

    @inline(__always)
    mutating func varint() -> Int64? {
        guard at < end else { return nil }
        let first = bytes[at]
        if first < 0x80 {
            at += 1
            return Int64(first >> 1) ^ -Int64(first & 1)
        }
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while at < end {
            let byte = bytes[at]
            at += 1
            if shift == 63 && byte > 1 { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
            shift += 7
        }
        return nil
    }

    @inline(__always)
    mutating func skip(_ count: Int64) -> Bool {
        guard count >= 0, count <= Int64(end - at) else { return false }
        at += Int(count)
        return true
    }

    /// Passes over bytes with a length before them; −1 is null.
    @inline(__always)
    mutating func skipNullable() -> Bool {
        guard let length = varint(), length >= -1 else { return false }
        return skip(max(0, length))
    }
}
