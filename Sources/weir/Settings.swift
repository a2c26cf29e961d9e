import ArgumentParser
import Model

/// `--config KEY=VALUE`
enum Settings {
    /// Throws a usage error that names the setting.
    static func parse(_ texts: [String]) throws -> [String: String] {
        var settings: [String: String] = [:]
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError("--config takes KEY=VALUE, not '\(text)'") }
            settings[String(parts[0])] = try plain(String(parts[1]), for: String(parts[0]))
        }
        return settings
    }

    /// Kafka's settings are plain numbers; with a unit, times and sizes are turned into them: `7d` → `604800000`.
    private static func plain(_ value: String, for name: String) throws -> String {
        guard value.first?.isNumber == true, Int64(value) == nil else { return value }
        do throws(MisreadText) {
            if name.hasSuffix(".ms") { return String(try TimeSpan.parse(value)) }
            if name.hasSuffix(".bytes") { return String(try ByteSize.parse(value)) }
            return value
        } catch {
            throw ValidationError("\(name): \(error)")
        }
    }
}
