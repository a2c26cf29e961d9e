import Model

/// How far off a message was when it came in. Each band has streams of its own, so that what is released goes from their fronts: a message
/// that waits a year never pins the bytes of those that wait a minute.
///
/// ```
/// band 0  < 10 min     2  < 10 h 40     4  < 28 d      6  the rest
///      1  < 80 min     3  < 3.6 d       5  < 228 d
/// ```
public enum DelayBand {
    public static let count = 7
    private static let firstMs: Int64 = 600_000

    public static func of(remainingMs: Int64) -> Int {
        var limit = firstMs
        for band in 0..<(count - 1) {
            if remainingMs < limit { return band }
            limit *= 8
        }
        return count - 1
    }
}

/// A delayed message's identity for as long as it waits: the band whose stream holds its body, and the body's offset there.
///
/// As text `dSHARD-NUMBER`, the number being offset × 8 + band: `d0-8002` is the body at offset 1000 of band 2 of shard 0.
public struct DelayRef: Hashable, Comparable, Sendable {
    /// The band in the upper 4 bits, so that refs of one body batch are neighbours.
    public private(set) var raw: UInt64
    private static let offsetMask: UInt64 = (1 << 60) - 1

    public init(raw: UInt64) { self.raw = raw }

    public init(band: Int, offset: Offset) {
        raw = UInt64(band) << 60 | UInt64(offset.value) & Self.offsetMask
    }

    public var band: Int { Int(raw >> 60) }
    public var offset: Offset { Offset(Int64(raw & Self.offsetMask)) }

    public func advanced(by count: Int) -> DelayRef { DelayRef(raw: raw + UInt64(count)) }

    public static func < (left: DelayRef, right: DelayRef) -> Bool { left.raw < right.raw }

    // MARK: Text

    public func handle(shard: ShardID) -> String { "d\(shard)-\(offset.value << 3 | Int64(band))" }

    /// The shard and the message that a handle names; nil for other text.
    public static func parse(handle text: some StringProtocol) -> (shard: ShardID, ref: DelayRef)? {
        guard text.first == "d", let dash = text.firstIndex(of: "-"), let shard = Int(text[text.index(after: text.startIndex)..<dash]),
            let number = Int64(text[text.index(after: dash)...]), shard >= 0, number >= 0, number & 7 < DelayBand.count
        else { return nil }
        return (ShardID(shard), DelayRef(band: Int(number & 7), offset: Offset(number >> 3)))
    }
}

/// The order in which messages are released: by due time, then by ref.
public struct DelayKey: Hashable, Comparable, Sendable {
    public var dueMs: Int64
    public var ref: DelayRef

    public init(dueMs: Int64, ref: DelayRef) {
        self.dueMs = dueMs
        self.ref = ref
    }

    /// Before every message.
    public static let zero = DelayKey(dueMs: 0, ref: DelayRef(raw: 0))

    @inline(__always)
    public static func < (left: DelayKey, right: DelayKey) -> Bool {
        left.dueMs != right.dueMs ? left.dueMs < right.dueMs : left.ref < right.ref
    }
}

/// Messages that came in one batch and are due together: `count` bodies from `ref` on. 24 bytes, in memory and on disk.
public struct DelayEntry: Equatable, Sendable {
    public static let encodedBytes = 24
    public var dueMs: Int64
    public var ref: DelayRef
    /// At least 1.
    public var count: UInt32
    /// The target's number in ``DelayState/targets``.
    public var target: UInt32

    public init(dueMs: Int64, ref: DelayRef, count: UInt32, target: UInt32) {
        self.dueMs = dueMs
        self.ref = ref
        self.count = count
        self.target = target
    }

    /// Of the first body, and of the last.
    public var key: DelayKey { DelayKey(dueMs: dueMs, ref: ref) }
    public var lastKey: DelayKey { DelayKey(dueMs: dueMs, ref: ref.advanced(by: Int(count) - 1)) }
    /// The offset after the last body.
    public var nextOffset: Offset { ref.offset + Int64(count) }

    /// What is left of the entry behind `front`; nil when all of it is done.
    public func after(_ front: DelayKey) -> DelayEntry? {
        if front < key { return self }
        if front >= lastKey { return nil }
        let done = front.ref.raw - ref.raw + 1
        return DelayEntry(dueMs: dueMs, ref: front.ref.advanced(by: 1), count: count - UInt32(done), target: target)
    }
}
