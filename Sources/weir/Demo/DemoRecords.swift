import KafkaClient
import Model
import NIOCore

/// Makes up records. The same seed makes the same ones.
struct DemoRecords: Sendable {
    private var state: UInt64
    private var serial = 0

    init(seed: UInt64) { state = seed }

    mutating func make(_ count: Int, for topic: DemoScript.Topic) -> [OutgoingRecord] {
        (0..<count).map { _ in make(for: topic) }
    }

    private mutating func make(for topic: DemoScript.Topic) -> OutgoingRecord {
        serial += 1
        // The product of two even draws leans to the small ones: a few keys are hot.
        let key = Int(draw() * draw() * Double(topic.keys))
        var value = #"{"id":\#(serial),"source":"\#(topic.name)","customer":\#(key),"amount":\#(Int(draw() * 50_000)),"note":""#
        let padding = max(0, topic.bytes - value.utf8.count - 2)
        value += String(repeating: "·", count: padding / 2) + #""}"#
        return OutgoingRecord(
            key: ByteBuffer(string: "c\(key)"), value: ByteBuffer(string: value),
            headers: serial % 8 == 0 ? [Record.Header(name: "trace", value: ByteBuffer(integer: next()))] : [])
    }

    private mutating func draw() -> Double { Double(next() >> 11) / Double(1 << 53) }

    /// Steele, Lea and Flood's SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
