import Control
import Model
import NIOCore
import Queues
import Storage

extension Broker {
    /// Bytes of a key and a value that the inspector gives, and of a header's value.
    private static let headerBytes = 4_096

    /// One message of a queue or topic by `PARTITION/OFFSET`, whole, with what is known to have happened to it. nil when it is not there.
    public func messageDetail(_ name: MessageName) async throws(ControlError) -> MessageDetail? {
        let topics = catalog.current
        let queue: QueueName
        if let topic = topics[name.queue], !topic.config.isQueue {
            queue = QueueName(group: "", topic: topic)
        } else {
            queue = try self.queue(name.queue)
        }
        let (key, offset) = try queue.place(name.id)
        var found: Record?
        var compression = ""
        do throws(LogError) {
            let reader = StreamReader(log: log)
            _ = try await reader.read(.partition(key.partition), ranges: [offset..<(offset + 1)], reads: 1) { found = $0 }
            if found != nil { compression = try await reader.compression(.partition(key.partition), at: offset) }
        } catch { throw ControlError(.failed, "the log of \(name.queue) could not be read: \(error)") }
        guard let record = found else { return nil }
        let place: CursorMessage? = await withCheckedContinuation { continuation in
            shard(of: key.partition).message(key, at: offset) { continuation.resume(returning: $0) }
        }
        var detail = MessageDetail()
        detail.row = MessageRow(record, queue: name.queue, partition: key.partition.index, state: place.map { .init($0.state) } ?? .ready)
        if let place {
            detail.row.attempts = place.attempts
            detail.row.dueMs = place.due?.ms
        }
        detail.topic = queue.topic.name
        detail.partition = key.partition.index
        detail.offset = offset.value
        detail.timestampMs = record.timestamp.ms
        detail.compression = compression
        detail.headers = record.headers.map { header in
            MessageHeader(name: header.name, value: header.value.map { MessageText.text($0, limit: Self.headerBytes) })
        }
        detail.key = record.key.map(MessageText.base64)
        detail.value = record.value.map(MessageText.base64)
        detail.timeline = Self.timeline(record, place)
        return detail
    }

    /// What the record's own headers and its queue's cursor tell, oldest first.
    static func timeline(_ record: Record, _ place: CursorMessage?) -> [TimelineRow] {
        func header(_ name: String) -> String? { record.headers.last { $0.name == name }?.value.map { String(buffer: $0) } }
        var rows: [TimelineRow] = []
        let published = header(DeadLetterHeader.timestamp).flatMap { Int64($0) } ?? record.timestamp.ms
        rows.append(TimelineRow(atMs: published, text: "published"))
        let isMoved = header(DeadLetterHeader.move) != nil
        let deaths =
            isMoved ? record.headers.last { $0.name == DeadLetterHeader.deaths }?.value.map { DeadLetterDeath.history($0) } ?? [] : []
        for death in deaths.sorted(by: { $0.time < $1.time }) {
            let times = death.count > 1 ? " \(death.count)x" : ""
            rows.append(TimelineRow(atMs: death.time * 1_000, text: "died in \(death.queue) (\(death.reason))\(times)"))
        }
        if let job = header(DeadLetterHeader.redrive) {
            let isHere = header(DeadLetterHeader.topic) == nil
            rows.append(TimelineRow(atMs: isHere ? record.timestamp.ms : nil, text: "redriven by job \(job)"))
        }
        guard let place else { return rows }
        if place.attempts > 0 { rows.append(TimelineRow(atMs: nil, text: "delivered \(place.attempts)x")) }
        switch place.state {
        case .ready: break
        case .acquired: rows.append(TimelineRow(atMs: nil, text: "with a consumer"))
        case .waiting: rows.append(TimelineRow(atMs: place.due?.ms, text: "waits for attempt \(place.attempts + 1)"))
        case .moving: rows.append(TimelineRow(atMs: nil, text: "being moved"))
        case .settled: rows.append(TimelineRow(atMs: nil, text: "settled"))
        }
        return rows
    }
}
