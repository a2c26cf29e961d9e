import FoundationEssentials
import Model
import TOMLKit

/// Settings from a TOML file: the flags' names without their dashes, one a line.
///
///     name = "prod-a"
///     data = "/var/lib/weir"
///     kafka = "127.0.0.1:9092"
///     http = "none"
///     flush = "interval"
///     read-only = true
///     settled-bytes = "20GiB"
///     retention-check = "30s"
///     disk-free-low = "5%"
///     memory-high = "2GiB"
///     delay-levels = ["1s", "5s", "10s", "30s", "1m"]
///     delay-drain-rate = 20000
enum ConfigurationFile {
    static let keys = [
        "name", "data", "kafka", "amqp", "http", "advertise", "flush", "console", "theme", "ascii", "read-only",
        "settled-bytes", "retention-check", "disk-free-low", "memory-high", "delay-levels", "delay-drain-rate",
    ]

    static func read(path: String) throws(CommandFailure) -> BrokerSettings {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw CommandFailure("cannot read the configuration file \(path): check that it is there and readable")
        }
        guard bytes.count <= 1 << 20, let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure("\(path) is not a configuration file: it must be TOML in UTF-8 of at most 1 MiB")
        }
        return try parse(text, path: path)
    }

    /// `path` is only for messages: `weir.toml:3: …`.
    static func parse(_ text: String, path: String) throws(CommandFailure) -> BrokerSettings {
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw CommandFailure("\(path):\(error.source.begin.line): \(error.description)")
        } catch {
            throw CommandFailure("\(path): \(error)")
        }
        for key in table.keys where !keys.contains(key) {
            throw CommandFailure("\(place(key, text, path)): there is no setting '\(key)': use one of \(keys.joined(separator: ", "))")
        }
        let source = Source(table: table, text: text, path: path)
        var settings = BrokerSettings()
        settings.name = try source.string("name")
        settings.data = try source.string("data")
        settings.kafka = try source.parsed("kafka") { text in try Door(text) }
        settings.amqp = try source.parsed("amqp") { text in try Door(text) }
        settings.http = try source.parsed("http") { text in try Door(text) }
        settings.advertise = try source.parsed("advertise") { text in try .init(text) }
        settings.flush = try source.parsed("flush") { text in
            guard let flush = BrokerConfiguration.Flush(rawValue: text) else {
                throw CommandFailure("use commit, interval or os, not '\(text)'")
            }
            return flush
        }
        settings.console = try source.bool("console")
        settings.theme = try source.string("theme")
        settings.ascii = try source.bool("ascii")
        settings.readOnly = try source.bool("read-only")
        settings.settledBytes = try source.parsed("settled-bytes") { text in try Serve.settledBytes(text) }
        settings.retentionCheckMs = try source.parsed("retention-check") { text in try Serve.retentionCheckMs(text) }
        settings.diskFreeLow = try source.parsed("disk-free-low") { text in try Watermark.parse(diskFree: text) }
        settings.memoryHigh = try source.parsed("memory-high") { text in try Watermark.parse(memory: text) }
        settings.delayLevels = try source.delayLevels("delay-levels")
        settings.delayDrainRate = try source.number("delay-drain-rate") { text in try Serve.delayDrainRate(text) }
        return settings
    }

    /// `weir.toml:3`, or `weir.toml` when the key's line can't be told.
    static func place(_ key: String, _ text: String, _ path: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let line = lines.firstIndex { line in
            let bare = line.drop { $0 == " " || $0 == "\t" || $0 == "[" || $0 == "\"" || $0 == "'" }
            guard bare.hasPrefix(key), let next = bare.dropFirst(key.count).first else { return false }
            return " \t=.]\"'".contains(next)
        }
        return line.map { "\(path):\($0 + 1)" } ?? path
    }

    private struct Source {
        let table: TOMLTable
        let text: String
        let path: String

        func string(_ key: String) throws(CommandFailure) -> String? {
            guard let value = table[key] else { return nil }
            guard let string = value.string else { throw wrong(key, "must be a text in quotes") }
            return string
        }

        func bool(_ key: String) throws(CommandFailure) -> Bool? {
            guard let value = table[key] else { return nil }
            guard let bool = value.bool else { throw wrong(key, "must be true or false") }
            return bool
        }

        func parsed<Value>(_ key: String, _ parse: (String) throws -> Value) throws(CommandFailure) -> Value? {
            guard let text = try string(key) else { return nil }
            do {
                return try parse(text)
            } catch {
                throw wrong(key, "\(error)")
            }
        }

        /// A number without quotes, given to `parse` as it is written.
        func number<Value>(_ key: String, _ parse: (String) throws -> Value) throws(CommandFailure) -> Value? {
            guard let value = table[key] else { return nil }
            guard let number = value.int else { throw wrong(key, "must be a whole number without quotes") }
            do { return try parse(String(number)) } catch { throw wrong(key, "\(error)") }
        }

        func delayLevels(_ key: String) throws(CommandFailure) -> DelayLevels? {
            guard let value = table[key] else { return nil }
            let form = "must be a list of times such as [\"1s\", \"5s\", \"10s\"]"
            guard let array = value.array else { throw wrong(key, form) }
            let texts = array.compactMap { $0.string }
            guard texts.count == array.count else { throw wrong(key, form) }
            do throws(MisreadText) { return try DelayLevels.parse(texts) } catch { throw wrong(key, "\(error)") }
        }

        private func wrong(_ key: String, _ problem: String) -> CommandFailure {
            CommandFailure("\(ConfigurationFile.place(key, text, path)): \(key): \(problem)")
        }
    }
}
