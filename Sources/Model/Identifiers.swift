import Wire

/// The place of a record in its partition: 0 for the first, one more for each that follows.
public struct Offset: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public var value: Int64

    @inlinable public init(_ value: Int64) { self.value = value }

    public static let zero = Offset(0)

    @inlinable public static func < (left: Offset, right: Offset) -> Bool { left.value < right.value }
    @inlinable public static func + (left: Offset, count: Int64) -> Offset { Offset(left.value + count) }
    @inlinable public static func - (left: Offset, right: Offset) -> Int64 { left.value - right.value }

    public var description: String { String(value) }

    public init(from decoder: any Decoder) throws { value = try decoder.singleValueContainer().decode(Int64.self) }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

/// A topic's identity, kept when it is renamed and never reused: files are named by it. 128 bits, not all zero.
public struct TopicID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var high: UInt64
    public var low: UInt64

    @inlinable public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public init(_ uuid: WireUUID) { self.init(high: uuid.high, low: uuid.low) }

    /// 32 hexadecimal digits, as ``description`` gives them; nil for anything else.
    public init?(hex: some StringProtocol) {
        guard hex.utf8.count == 32, let high = UInt64(hex.prefix(16), radix: 16), let low = UInt64(hex.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    public static let zero = TopicID(high: 0, low: 0)
    public var uuid: WireUUID { WireUUID(high: high, low: low) }

    public static func < (left: TopicID, right: TopicID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    public var description: String { Self.hex(high) + Self.hex(low) }

    private static func hex(_ half: UInt64) -> String {
        let digits = String(half, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// One partition of a topic.
public struct PartitionID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var topic: TopicID
    public var index: Int32

    @inlinable public init(topic: TopicID, index: Int32) {
        self.topic = topic
        self.index = index
    }

    public static func < (left: PartitionID, right: PartitionID) -> Bool {
        (left.topic, left.index) < (right.topic, right.index)
    }

    public var description: String { "\(topic)-\(index)" }
}

/// The unit of ownership, fencing and files: a fixed number per data directory, each on one event loop.
public struct ShardID: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public var value: Int

    public init(_ value: Int) { self.value = value }
    public static func < (left: ShardID, right: ShardID) -> Bool { left.value < right.value }
    public var description: String { String(value) }
}

/// An idempotent producer's identity (KIP-98); −1 in a batch means "not idempotent".
public struct ProducerID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var value: Int64

    @inlinable public init(_ value: Int64) { self.value = value }
    public static let none = ProducerID(-1)
    public static func < (left: ProducerID, right: ProducerID) -> Bool { left.value < right.value }
    public var description: String { String(value) }
}
