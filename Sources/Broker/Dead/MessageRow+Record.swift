import Control
import FoundationEssentials
import Model
import NIOCore
import Queues

extension MessageRow {
    /// Bytes of a key or value that a row shows.
    private static let shownBytes = 200

    /// A record as lists show it.
    init(_ record: Record, queue: String, partition: Int32, state: State) {
        self.init()
        let stamp = DeadLetterStamp(record.headers)
        id = "\(partition)/\(record.offset)"
        self.queue = queue
        self.state = state
        atMs = record.timestamp.ms
        key = record.key.map { MessageText.text($0, limit: Self.shownBytes) }
        value = record.value.map { MessageText.text($0, limit: Self.shownBytes) } ?? ""
        bytes = (record.key?.readableBytes ?? 0) + (record.value?.readableBytes ?? 0)
        redriven = stamp.redriven
        guard stamp.reason != nil || stamp.topic != nil else { return }
        reason = stamp.reason
        error = stamp.error
        diedMs = record.timestamp.ms
        attempts = stamp.attempts ?? 0
        guard let topic = stamp.topic else { return }
        // What a full queue refused was never at an offset of it.
        let isRefused = stamp.offset.map { $0 < .zero } ?? false
        origin = "\(topic)/\(stamp.partition ?? 0)" + (isRefused ? "" : "/\(stamp.offset ?? .zero)")
    }
}

/// Bytes as people read them.
enum MessageText {
    /// Bytes of a key or value that are shown whole.
    private static let bodyBytes = 64 << 10

    /// At most 64 KiB of them.
    static func base64(_ bytes: ByteBuffer) -> String { Data(bytes.readableBytesView.prefix(bodyBytes)).base64EncodedString() }

    /// As text where they are UTF-8, else as `0x…`; cut to `limit` bytes.
    static func text(_ bytes: ByteBuffer, limit: Int) -> String {
        let view = bytes.readableBytesView
        if view.count <= limit {
            if let text = String(validating: view, as: UTF8.self) { return text }
        } else {
            // A cut may fall into a character: up to three bytes of it are left out.
            for left in 0...3 {
                if let text = String(validating: view.prefix(limit - left), as: UTF8.self) { return text + "…" }
            }
        }
        let digits = view.prefix(limit / 2).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "0x" + digits + (view.count > limit / 2 ? "…" : "")
    }
}
