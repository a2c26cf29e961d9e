/// What a colour is for. Theme files name these, never places on the screen.
public enum ThemeKey: String, CaseIterable, Sendable {
    case text, dim, title, border, focus, header, tab, breadcrumb, key, selection, mark, prompt, input
    case button, dialog, stale, frozen
    case ok, warn, crit, info
    case ready, unacked, delayed, retry, dead
    case graph_in, graph_out, graph_backlog, trend, bar

    /// Place in a resolved theme's table.
    public var index: Int { Self.places[self] ?? 0 }

    private static let places = Dictionary(uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })

    /// What the key colours, for documentation and `weir theme check`.
    public var meaning: String {
        switch self {
        case .text: "ordinary text"
        case .dim: "what matters less: units, column heads, empty states"
        case .title: "panel titles"
        case .border: "panel borders"
        case .focus: "border of the pane that has the keys, and of dialogs"
        case .header: "the health line at the top"
        case .tab: "the screen that is open"
        case .breadcrumb: "where you are"
        case .key: "keys in the footer and in help"
        case .selection: "the row under the cursor"
        case .mark: "marked rows"
        case .prompt: "the : and / prompts"
        case .input: "text being typed"
        case .button: "the button that has the keys"
        case .dialog: "a dialog's ground"
        case .stale: "the connection is lost, and what is shown is old"
        case .frozen: "the screen is frozen at an instant"
        case .ok: "good, done"
        case .warn: "look at it soon"
        case .crit: "look at it now"
        case .info: "good to know"
        case .ready: "ready to be read: lag, backlog"
        case .unacked: "handed out, not yet settled"
        case .delayed: "waits for its time"
        case .retry: "waits for another try"
        case .dead: "dead letters"
        case .graph_in: "records in"
        case .graph_out: "records out"
        case .graph_backlog: "the backlog's graph"
        case .trend: "sparklines"
        case .bar: "bars of shares"
        }
    }
}

/// One ground of a theme line with every fallback.
public struct ThemeColour: Hashable, Sendable {
    /// 24-bit value; nil: the terminal's palette is used at every depth.
    public var rgb: RGB?
    /// Index among 256; nil: quantised from `rgb`, else `ansi`.
    public var indexed: Int32?
    /// Index among 16; nil: quantised from `rgb`, else the terminal's own.
    public var ansi: Int32?

    public init(rgb: RGB? = nil, indexed: Int32? = nil, ansi: Int32? = nil) {
        self.rgb = rgb
        self.indexed = indexed
        self.ansi = ansi
    }

    /// The colour at a depth, and whether it must be made bright by boldness.
    func resolved(_ depth: ColourDepth) -> (colour: Colour, isBright: Bool) {
        switch depth {
        case .mono: return (.own, false)
        case .ansi16: return (Colour(ansi ?? rgb?.index16 ?? indexed.map { RGB(index256: $0).index16 } ?? -1), false)
        case .indexed256: return (Colour(indexed ?? rgb?.index256 ?? ansi ?? -1), false)
        case .direct:
            // 0…7 stay palette entries there; a value that small is black for any eye.
            if let rgb { return (Colour(max(rgb.value, 8)), false) }
            if let ansi { return ansi > 8 ? (Colour(ansi - 8), true) : (Colour(min(ansi, 7)), false) }
            return indexed.map { (Colour(max(RGB(index256: $0).value, 8)), false) } ?? (.own, false)
        }
    }
}

/// A line of a theme: `crit = #bf616a 131 red bold`.
public struct ThemeLine: Hashable, Sendable {
    public var foreground: ThemeColour
    public var background: ThemeColour
    public var attributes: Attributes
    /// Attributes instead of colour on a terminal that has none: those written after `mono`, else `attributes`.
    public var monoAttributes: Attributes?

    public init(
        foreground: ThemeColour = .init(), background: ThemeColour = .init(), attributes: Attributes = [], monoAttributes: Attributes? = nil
    ) {
        self.foreground = foreground
        self.background = background
        self.attributes = attributes
        self.monoAttributes = monoAttributes
    }
}

/// A theme as its file says it, for every depth.
public struct ThemeSpec: Hashable, Sendable {
    public var name: String
    public var lines: [ThemeKey: ThemeLine]

    public init(name: String, lines: [ThemeKey: ThemeLine]) {
        self.name = name
        self.lines = lines
    }

    /// The theme for a terminal of a certain depth and glyph level.
    public func resolved(_ depth: ColourDepth, glyphs: GlyphLevel = .braille) -> Theme {
        let styles = ThemeKey.allCases.map { key -> Style in
            guard let line = lines[key] else { return .plain }
            let (foreground, isBright) = line.foreground.resolved(depth)
            let (background, _) = line.background.resolved(depth)
            var attributes = depth == .mono ? line.monoAttributes ?? line.attributes : line.attributes
            if isBright { attributes.insert(.bold) }
            return Style(foreground: foreground, background: background, attributes: attributes)
        }
        return Theme(name: name, depth: depth, glyphs: Glyphs(glyphs), styles: styles)
    }
}

/// A theme ready to draw with.
public struct Theme: Hashable, Sendable {
    public let name: String
    public let depth: ColourDepth
    public let glyphs: Glyphs
    private let styles: [Style]

    init(name: String, depth: ColourDepth, glyphs: Glyphs, styles: [Style]) {
        self.name = name
        self.depth = depth
        self.glyphs = glyphs
        self.styles = styles
    }

    public subscript(key: ThemeKey) -> Style { styles[key.index] }
}
