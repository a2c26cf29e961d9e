import Broker
import Glibc
import Logging
import Model

/// Where the broker's log goes: to standard error, with a console up to a file in the data directory (a stray line would tear the
/// picture), and always to the ring that the console shows under `:log`.
enum BrokerLog {
    static func logger(_ configuration: BrokerConfiguration, events: EventRing, clock: any Model.Clock) -> Logger {
        let path = configuration.console ? file(configuration) : nil
        let descriptor: Int32 =
            if configuration.console {
                path.map { open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644) } ?? -1
            } else {
                STDERR_FILENO
            }
        return Logger(label: "weir") { _ in RingLogHandler(events: events, clock: clock, descriptor: descriptor) }
    }

    /// The log file; nil where nothing is kept.
    static func file(_ configuration: BrokerConfiguration) -> String? {
        guard case .directory(let path) = configuration.data else { return nil }
        return path + "/weir.log"
    }
}

/// Writes a line and notes it in the ring.
private struct RingLogHandler: LogHandler {
    let events: EventRing
    let clock: any Model.Clock
    /// −1: only the ring.
    let descriptor: Int32
    var logLevel = Logger.Level.info
    var metadata = Logger.Metadata()

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let now = clock.now
        let level: EventRing.Level = event.level >= .error ? .error : event.level >= .warning ? .warning : .info
        events.add(level, "\(event.message)", at: now)
        guard descriptor >= 0 else { return }
        var text = "\(UTCTime.text(now)) \(event.level) \(event.message)"
        if let metadata = event.metadata, !metadata.isEmpty { text += " \(metadata)" }
        text += "\n"
        text.withUTF8 { bytes in _ = write(descriptor, bytes.baseAddress, bytes.count) }
    }
}

/// `2026-11-22T16:40:01.123Z`.
enum UTCTime {
    static func text(_ time: Timestamp) -> String {
        var seconds = time_t(time.ms / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ value: Int32, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
        let clock = "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
        return "\(date)T\(clock).\(padded(Int32(time.ms % 1000), 3))Z"
    }
}
