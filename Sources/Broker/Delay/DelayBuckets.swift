import Model
import NIOCore

/// The spans of time in which screens and the command line count what waits.
enum DelayBuckets {
    struct Range {
        var label: String
        var fromMs: Int64
        var toMs: Int64?
    }

    static let ranges: [Range] = [
        Range(label: "overdue", fromMs: -1, toMs: 0),
        Range(label: "<1s", fromMs: 0, toMs: 1_000),
        Range(label: "1-10s", fromMs: 1_000, toMs: 10_000),
        Range(label: "10s-1m", fromMs: 10_000, toMs: 60_000),
        Range(label: "1-5m", fromMs: 60_000, toMs: 300_000),
        Range(label: "5-30m", fromMs: 300_000, toMs: 1_800_000),
        Range(label: "30m-1h", fromMs: 1_800_000, toMs: 3_600_000),
        Range(label: "1-6h", fromMs: 3_600_000, toMs: 21_600_000),
        Range(label: ">6h", fromMs: 21_600_000, toMs: nil),
    ]
    /// Five minutes in steps of five seconds.
    static let forecastPoints = 60
    /// Later than any due time.
    static let farMs = Int64.max / 4
}

/// Bytes as people read them.
enum DelayText {
    private static let shownBytes = 200

    /// As text where they are UTF-8, else as `0x…`; cut to 200 bytes.
    static func shown(_ bytes: ByteBuffer) -> String {
        let view = bytes.readableBytesView.prefix(shownBytes)
        // A cut may lie within a character.
        for cut in 0..<min(4, view.count + 1) where cut == 0 || view.count == shownBytes {
            if let text = String(validating: view.dropLast(cut), as: UTF8.self) { return text }
        }
        return "0x" + view.prefix(shownBytes / 2).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
