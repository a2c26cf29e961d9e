/// Which characters the terminal can show: the glyph ladder.
public enum GlyphLevel: Int, Comparable, Sendable, CaseIterable {
    /// 7-bit only: `--ascii`, or a locale that is not UTF-8.
    case ascii
    /// Box drawing and eighth blocks: the Linux console's fonts.
    case block
    /// Braille too.
    case braille

    public static func < (left: GlyphLevel, right: GlyphLevel) -> Bool { left.rawValue < right.rawValue }

    /// The best level for an environment.
    public static func detect(isASCIIForced: Bool, isUTF8: Bool, term: String?) -> GlyphLevel {
        if isASCIIForced || !isUTF8 { return .ascii }
        return term == "linux" ? .block : .braille
    }
}

/// The characters that a level draws with.
public struct Glyphs: Hashable, Sendable {
    public let level: GlyphLevel

    public init(_ level: GlyphLevel) { self.level = level }

    private var isASCII: Bool { level == .ascii }
    public var horizontal: Unicode.Scalar { isASCII ? "-" : "─" }
    public var vertical: Unicode.Scalar { isASCII ? "|" : "│" }
    public var topLeft: Unicode.Scalar { isASCII ? "+" : "┌" }
    public var topRight: Unicode.Scalar { isASCII ? "+" : "┐" }
    public var bottomLeft: Unicode.Scalar { isASCII ? "+" : "└" }
    public var bottomRight: Unicode.Scalar { isASCII ? "+" : "┘" }
    public var ellipsis: Unicode.Scalar { isASCII ? "~" : "…" }
    public var bar: Unicode.Scalar { isASCII ? "#" : "█" }
    public var emptyBar: Unicode.Scalar { isASCII ? "." : "░" }
    public var minus: Unicode.Scalar { "-" }

    /// Nine steps from empty to full for sparklines and block graphs.
    public var steps: [Unicode.Scalar] {
        isASCII ? [" ", ".", ".", ":", ":", "+", "+", "#", "#"] : [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    }

    /// Replaces what an ASCII terminal cannot show: names from clients may hold anything.
    public func printable(_ text: String) -> String {
        guard isASCII else { return text }
        return String(text.map { $0.isASCII ? $0 : "?" })
    }
}
