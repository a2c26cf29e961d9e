import Model
import NIOCore

/// Where messages die, and the headers that their copies get.
///
/// A record of `payments` partition 0, offset 17, that was delivered 5 times to the end of its limit, becomes in `payments.dlq`:
/// ```
/// x-death                 [{"count":1,"reason":"delivery_limit","queue":"payments",…}]   an entry of {queue, reason} is counted up
/// x-first-death-*         reason, queue, exchange of its first death, kept from then on
/// x-last-death-*          of this one
/// __dlq.errors.topic      payments        .partition 0   .offset 17   .group payments   .delivery.count 5
/// __dlq.errors.message    the error found on the record, else what Kafka writes for the reason
/// ```
/// Sources: RabbitMQ, "Dead Letter Exchanges"; KIP-1191. As in RabbitMQ from 4.0 on, an `x-death` that a client wrote is not continued:
/// only a record that Weir has moved before (``DeadLetterHeader/move``) brings its history along.
public struct DeadLetter: Sendable {
    public var topic: String
    public var partition: Int32
    public var group: String
    /// The queue's name as its operators know it: the group's, which for a queue is also the topic's.
    public var queue: String { group }

    public init(topic: String, partition: Int32, group: String) {
        self.topic = topic
        self.partition = partition
        self.group = group
    }

    /// The headers of a record's copy in the dead-letter queue `target`; nil when the message must not go there, because it has been
    /// there and came back without anybody rejecting it (RabbitMQ's rule against cycles).
    public func headers(of record: Record, dying message: DeadMessage, to target: String, at now: Timestamp) -> [Record.Header]? {
        var deaths: [DeadLetterDeath] = []
        var isMoved = false
        var history: ByteBuffer?
        for header in record.headers {
            if header.name == DeadLetterHeader.deaths { history = header.value }
            if header.name == DeadLetterHeader.move { isMoved = true }
        }
        if isMoved, let history { deaths = DeadLetterDeath.decode(history) }
        if Self.isCycle(deaths, reason: message.reason, target: target) { return nil }
        Self.add(message.reason, in: queue, at: now, to: &deaths)

        var headers = record.headers.filter { !Self.isReplaced($0.name, isMoved: isMoved) }
        func add(_ name: String, _ value: String) { headers.append(.init(name: name, value: ByteBuffer(string: value))) }
        headers.append(.init(name: DeadLetterHeader.deaths, value: DeadLetterDeath.encode(deaths)))
        if !isMoved || !headers.contains(where: { $0.name == DeadLetterHeader.firstReason }) {
            add(DeadLetterHeader.firstReason, message.reason.rawValue)
            add(DeadLetterHeader.firstQueue, queue)
            add(DeadLetterHeader.firstExchange, "")
        }
        add(DeadLetterHeader.lastReason, message.reason.rawValue)
        add(DeadLetterHeader.lastQueue, queue)
        add(DeadLetterHeader.lastExchange, "")
        add(DeadLetterHeader.topic, topic)
        add(DeadLetterHeader.partition, String(partition))
        add(DeadLetterHeader.offset, message.offset.description)
        add(DeadLetterHeader.group, group)
        add(DeadLetterHeader.deliveryCount, String(message.attempts))
        add(DeadLetterHeader.message, DeadLetterStamp.error(in: record.headers) ?? Self.kafkaMessage(message.reason))
        return headers
    }

    /// Whether `target` is among the queues it died in, and nothing since then was a rejection.
    static func isCycle(_ deaths: [DeadLetterDeath], reason: DeadReason, target: String) -> Bool {
        guard reason != .rejected, let last = deaths.firstIndex(where: { $0.queue == target }) else { return false }
        return deaths[...last].allSatisfy { $0.reason != DeadReason.rejected.rawValue }
    }

    private static func add(_ reason: DeadReason, in queue: String, at now: Timestamp, to deaths: inout [DeadLetterDeath]) {
        var death = DeadLetterDeath(reason: reason.rawValue, queue: queue, time: now.ms / 1_000, routingKeys: [queue])
        if let index = deaths.firstIndex(where: { $0.queue == queue && $0.reason == reason.rawValue }) {
            death = deaths.remove(at: index)
            death.count += 1
            death.time = now.ms / 1_000
        }
        deaths.insert(death, at: 0)
        if deaths.count > DeadLetterDeath.historyLimit { deaths.removeLast() }
    }

    private static func isReplaced(_ name: String, isMoved: Bool) -> Bool {
        if name.hasPrefix(DeadLetterHeader.kafkaPrefix) || name == DeadLetterHeader.deaths { return true }
        switch name {
        case DeadLetterHeader.lastReason, DeadLetterHeader.lastQueue, DeadLetterHeader.lastExchange: return true
        case DeadLetterHeader.firstReason, DeadLetterHeader.firstQueue, DeadLetterHeader.firstExchange: return !isMoved
        default: return false
        }
    }

    /// What Kafka writes where nobody left an error: tools compare with these words.
    private static func kafkaMessage(_ reason: DeadReason) -> String {
        switch reason {
        case .rejected: "Offset rejected by client."
        case .deliveryLimit: "Offset delivery count exceeded the threshold."
        case .expired: "Time to live ran out."
        case .maxlen: "Queue was full."
        }
    }
}

/// A dead letter's story as its headers tell it.
public struct DeadLetterStamp: Equatable, Sendable {
    /// nil: it did not die, somebody published it here.
    public var reason: String?
    public var topic: String?
    public var partition: Int32?
    public var offset: Offset?
    public var attempts: Int?
    public var redriven = 0
    private let headers: [Record.Header]

    /// The text of what went wrong, from the record's own headers, cut to 200 bytes; nil where there is none.
    public var error: String? { Self.error(in: headers) }

    public init(_ headers: [Record.Header]) {
        self.headers = headers
        for header in headers {
            if header.isNamed(DeadLetterHeader.lastReason) {
                reason = Self.text(header)
            } else if header.isNamed(DeadLetterHeader.topic) {
                topic = Self.text(header)
            } else if header.isNamed(DeadLetterHeader.partition) {
                partition = Self.text(header).flatMap { Int32($0) }
            } else if header.isNamed(DeadLetterHeader.offset) {
                offset = Self.text(header).flatMap { Int64($0) }.map { Offset($0) }
            } else if header.isNamed(DeadLetterHeader.deliveryCount) {
                attempts = Self.text(header).flatMap { Int($0) }
            } else if header.isNamed(DeadLetterHeader.redriven) {
                redriven = Self.text(header).flatMap { Int($0) } ?? 0
            }
        }
    }

    /// As reasons are shown and filtered: `delivery_limit: gateway timeout`.
    public var group: String { (reason ?? "published") + (error.map { ": " + $0 } ?? "") }

    private static let errorBytes = 200

    /// The first of ``DeadLetterHeader/errors`` that is there, one line of it.
    static func error(in headers: [Record.Header]) -> String? {
        for name in DeadLetterHeader.errors {
            guard let value = headers.first(where: { $0.isNamed(name) })?.value, value.readableBytes > 0 else { continue }
            let bytes = value.readableBytesView.prefix(errorBytes)
            let line = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1).first ?? bytes[...]
            return String(decoding: line, as: UTF8.self)
        }
        return nil
    }

    private static func text(_ header: Record.Header) -> String? { header.value.map { String(buffer: $0) } }
}
