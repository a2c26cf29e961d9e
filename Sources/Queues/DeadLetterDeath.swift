import FoundationEssentials
import NIOCore

/// One entry of a message's `x-death` history: how often it died in a queue for a reason, and when last.
///
/// The history is one record header of JSON text, newest first, with RabbitMQ's names, so that the AMQP door can turn it into the table
/// that RabbitMQ's clients know:
/// ```
/// x-death  [{"count":2,"reason":"delivery_limit","queue":"payments","time":1700000000,"exchange":"","routing-keys":["payments"]}]
/// ```
/// `time` is in whole seconds, as an AMQP timestamp is. `original-expiration` is there when the message had a time to live of its own.
public struct DeadLetterDeath: Equatable, Sendable, Codable {
    public var count: Int64
    public var reason: String
    public var queue: String
    /// Seconds since 1970.
    public var time: Int64
    public var exchange = ""
    public var routingKeys: [String]
    /// Milliseconds as text.
    public var originalExpiration: String?

    enum CodingKeys: String, CodingKey {
        case count, reason, queue, time, exchange
        case routingKeys = "routing-keys"
        case originalExpiration = "original-expiration"
    }

    public init(count: Int64 = 1, reason: String, queue: String, time: Int64, routingKeys: [String]) {
        self.count = count
        self.reason = reason
        self.queue = queue
        self.time = time
        self.routingKeys = routingKeys
    }

    /// Queues that one history names at most; the oldest entries are forgotten.
    static let historyLimit = 64

    /// What a header `x-death` says; empty when it can't be read.
    public static func history(_ header: ByteBuffer) -> [DeadLetterDeath] { decode(header) }

    /// The history that a header holds; empty when it is not one of ours.
    static func decode(_ header: ByteBuffer) -> [DeadLetterDeath] {
        guard header.readableBytes <= 256 * historyLimit * 4 else { return [] }
        let found = try? JSONDecoder().decode([DeadLetterDeath].self, from: Data(header.readableBytesView))
        return Array((found ?? []).prefix(historyLimit))
    }

    static func encode(_ deaths: [DeadLetterDeath]) -> ByteBuffer {
        var text = "["
        for death in deaths {
            if text.utf8.count > 1 { text += "," }
            text += "{\"count\":\(death.count),\"reason\":\(quoted(death.reason)),\"queue\":\(quoted(death.queue)),\"time\":\(death.time)"
            text += ",\"exchange\":\(quoted(death.exchange)),\"routing-keys\":["
            text += death.routingKeys.map(quoted).joined(separator: ",") + "]"
            if let expiration = death.originalExpiration { text += ",\"original-expiration\":\(quoted(expiration))" }
            text += "}"
        }
        return ByteBuffer(string: text + "]")
    }

    private static func quoted(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) { return "\"\(text)\"" }
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
