/// A remark on a theme file: reported with its line, never fatal.
public struct ThemeWarning: Hashable, Sendable, CustomStringConvertible {
    public var theme: String
    /// Counted from 1; 0 for the file as a whole.
    public var line: Int
    public var message: String

    public init(theme: String, line: Int, message: String) {
        self.theme = theme
        self.line = line
        self.message = message
    }

    public var description: String { line > 0 ? "\(theme):\(line): \(message)" : "\(theme): \(message)" }
}

/// Reads `NAME.theme` files: `key = value` lines, `#` comments where a line starts with it.
///
///     crit      = #bf616a 131 red bold
///     selection = default on #3b4252 237 black mono reverse
///
/// A value is a foreground, then `on` and a background, then attributes; each ground is any of `#rrggbb`, an index 0–255 and a
/// name of the 16 colours. What follows `mono` are the attributes for terminals without colour.
public enum ThemeParser {
    /// Longest file and most lines that are read.
    public static let maxBytes = 64 << 10

    public static func parse(_ text: String, name: String) -> (spec: ThemeSpec, warnings: [ThemeWarning]) {
        var spec = ThemeSpec(name: name, lines: [:])
        var warnings: [ThemeWarning] = []
        guard text.utf8.count <= maxBytes else {
            return (spec, [ThemeWarning(theme: name, line: 0, message: "larger than \(maxBytes) bytes, not read")])
        }
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = trimmed(raw)
            if line.isEmpty || line.hasPrefix("#") { continue }
            func warn(_ message: String) { warnings.append(ThemeWarning(theme: name, line: index + 1, message: message)) }
            guard let equals = line.firstIndex(of: "=") else {
                warn("no `=` in this line; it should read `key = colour`")
                continue
            }
            let word = trimmed(line[..<equals])
            guard let key = ThemeKey(rawValue: String(word)) else {
                warn("unknown key `\(word)`\(suggestion(for: word))")
                continue
            }
            if spec.lines[key] != nil { warn("`\(word)` is set twice; the later one counts") }
            spec.lines[key] = parseValue(line[line.index(after: equals)...], warn: warn)
        }
        return (spec, warnings)
    }

    private static func parseValue(_ text: Substring, warn: (String) -> Void) -> ThemeLine {
        var line = ThemeLine()
        var isBackground = false
        var isMono = false
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }) {
            if word == "on" {
                isBackground = true
            } else if word == "mono" {
                isMono = true
                line.monoAttributes = []
            } else if let attribute = attributes[String(word)] {
                if isMono { line.monoAttributes?.insert(attribute) } else { line.attributes.insert(attribute) }
            } else if !set(word, at: isBackground ? \.background : \.foreground, in: &line) {
                warn("`\(word)` is no colour (#rrggbb, 0-255 or a name) and no attribute")
            }
        }
        return line
    }

    private static func set(_ word: Substring, at ground: WritableKeyPath<ThemeLine, ThemeColour>, in line: inout ThemeLine) -> Bool {
        if word == "default" { return true }
        if let rgb = RGB(hex: word) {
            line[keyPath: ground].rgb = rgb
        } else if let index = Int32(word), (0...255).contains(index) {
            line[keyPath: ground].indexed = index
        } else if let index = names.firstIndex(of: String(word)) {
            line[keyPath: ground].ansi = Int32(index)
        } else {
            return false
        }
        return true
    }

    static let attributes: [String: Attributes] = [
        "bold": .bold, "dim": .dim, "italic": .italic, "underline": .underline, "reverse": .reverse,
    ]

    static let names = [
        "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white", "bright-black", "bright-red", "bright-green",
        "bright-yellow", "bright-blue", "bright-magenta", "bright-cyan", "bright-white",
    ]

    private static func trimmed(_ text: Substring) -> Substring {
        var result = text
        while let first = result.first, first.isWhitespace { result.removeFirst() }
        while let last = result.last, last.isWhitespace { result.removeLast() }
        return result
    }

    /// The key that differs least, where one is near.
    private static func suggestion(for word: Substring) -> String {
        let typed = Array(word.lowercased().prefix(32))
        let near = ThemeKey.allCases.map { ($0, distance(typed, Array($0.rawValue))) }.min { $0.1 < $1.1 }
        guard let near, near.1 <= 2 else { return "" }
        return "; did you mean `\(near.0.rawValue)`?"
    }

    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a == b ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}
