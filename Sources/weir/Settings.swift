import ArgumentParser
import Control
import Model

/// `--config KEY=VALUE`
enum Settings {
    /// Throws a usage error that names the setting.
    static func parse(_ texts: [String]) throws -> [String: String] {
        var settings: [String: String] = [:]
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError("--config takes KEY=VALUE, not '\(text)'") }
            let name = String(parts[0])
            do throws(MisreadText) { settings[name] = try SettingValue.plain(String(parts[1]), for: name) } catch {
                throw ValidationError("\(name): \(error)")
            }
        }
        return settings
    }
}

/// A name and what changes about its settings.
struct AlterOptions: ParsableArguments {
    @OptionGroup var door: AdminDoor
    @Argument var name: String
    @Option(
        name: .customLong("config"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A setting by name, such as retention.ms=7d; may be repeated.", valueName: "key=value"))
    var configs: [String] = []
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A setting that goes back to its default; may be repeated.", valueName: "key"))
    var unset: [String] = []

    func validate() throws {
        guard !configs.isEmpty || !unset.isEmpty else { throw ValidationError("name a setting with --config KEY=VALUE or --unset KEY") }
        _ = try Settings.parse(configs)
    }

    func command(_ kind: SettingsChange.Kind) throws -> Command {
        .alter(SettingsChange(kind, name, set: try Settings.parse(configs), unset: unset))
    }

    func run(_ kind: SettingsChange.Kind) async throws { try door.report(try await door.perform(try command(kind)), name: name) }
}
