import Glibc

/// The themes that can be had, by name.
///
/// Searched in order: a path given outright, `$XDG_CONFIG_HOME/weir/themes` (or `~/.config/weir/themes`), `themes` beside the binary
/// or in a folder above it (the package's own, when run from its build folder), `share/weir/themes` beside the binary's folder,
/// `$XDG_DATA_HOME/weir/themes`. The shipped ones are in the code as well, so that a binary alone has them.
public struct ThemeLibrary: Sendable {
    public private(set) var specs: [ThemeSpec] = []
    public private(set) var warnings: [ThemeWarning] = []

    /// Most themes that are loaded.
    public static let maxThemes = 64

    /// The themes of `folders`, the earlier folder first where two have the same name, and the shipped ones that are missing there.
    public init(folders: [String]) {
        for folder in folders {
            for name in Self.themeNames(in: folder) where spec(named: name) == nil && specs.count < Self.maxThemes {
                load(path: "\(folder)/\(name).theme", name: name)
            }
        }
        for shipped in [BuiltInTheme.spec] + ShippedThemes.specs where spec(named: shipped.name) == nil {
            specs.append(shipped.filled(from: BuiltInTheme.spec))
        }
        specs.sort { ($0.name != "default" ? 1 : 0, $0.name) < ($1.name != "default" ? 1 : 0, $1.name) }
    }

    public func spec(named name: String) -> ThemeSpec? { specs.first { $0.name == name } }
    public var names: [String] { specs.map(\.name) }

    /// The theme of a name or a path (anything with `/` or ending in `.theme`); nil with a warning added when it isn't there.
    public mutating func find(_ nameOrPath: String) -> ThemeSpec? {
        if nameOrPath.contains("/") || nameOrPath.hasSuffix(".theme") {
            let file = nameOrPath.split(separator: "/").last.map(String.init) ?? nameOrPath
            let name = file.hasSuffix(".theme") ? String(file.dropLast(6)) : file
            specs.removeAll { $0.name == name }
            load(path: nameOrPath, name: name)
            return spec(named: name)
        }
        if let found = spec(named: nameOrPath) { return found }
        let have = names.joined(separator: ", ")
        warnings.append(ThemeWarning(theme: nameOrPath, line: 0, message: "no such theme; there are \(have)"))
        return nil
    }

    private mutating func load(path: String, name: String) {
        guard let text = Self.read(path) else {
            warnings.append(ThemeWarning(theme: name, line: 0, message: "can't read \(path)"))
            return
        }
        let (spec, remarks) = ThemeParser.parse(text, name: name)
        specs.append(spec.filled(from: BuiltInTheme.spec))
        warnings += remarks
    }

    /// Where themes are looked for.
    public static func folders(environment: [String: String], executable: String?) -> [String] {
        var folders: [String] = []
        if let config = environment["XDG_CONFIG_HOME"], !config.isEmpty {
            folders.append("\(config)/weir/themes")
        } else if let home = environment["HOME"], !home.isEmpty {
            folders.append("\(home)/.config/weir/themes")
        }
        var data: [String] = []
        if let folder = environment["XDG_DATA_HOME"], !folder.isEmpty { data = ["\(folder)/weir/themes"] }
        guard let executable else { return folders + data }
        var parts = executable.split(separator: "/").map(String.init).dropLast()
        if let parent = Optional(parts.dropLast()) { folders.append("/" + (parent + ["share", "weir", "themes"]).joined(separator: "/")) }
        // PACKAGE/.build/x86_64-unknown-linux-gnu/release/weir: four folders up.
        for _ in 0..<5 where !parts.isEmpty {
            folders.append("/" + (parts + ["themes"]).joined(separator: "/"))
            parts = parts.dropLast()
        }
        return folders + data
    }

    /// The running binary's path.
    public static var executablePath: String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { raw in
            readlink("/proc/self/exe", raw.baseAddress!.assumingMemoryBound(to: CChar.self), raw.count)
        }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    private static func themeNames(in folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let file = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if file.hasSuffix(".theme"), !file.hasPrefix(".") { names.append(String(file.dropLast(6))) }
        }
        return names.sorted()
    }

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: ThemeParser.maxBytes + 1)
        let count = fread(&bytes, 1, bytes.count, file)
        return ferror(file) == 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}

extension ThemeSpec {
    /// Keys this theme does not set, from another.
    public func filled(from other: ThemeSpec) -> ThemeSpec {
        var filled = self
        for (key, line) in other.lines where filled.lines[key] == nil { filled.lines[key] = line }
        return filled
    }
}
