/// A colour as the terminal will be told: the terminal's own, an index into its palette, or 24 bits.
///
/// `Colour(-1)` is the terminal's own foreground or background. Below a ``ColourDepth/direct`` terminal the value is a palette index
/// (0…15 or 0…255); at `direct` it is `0xRRGGBB`, where terminfo keeps 0…7 for the palette's first eight.
public struct Colour: Hashable, Sendable {
    public var value: Int32

    public init(_ value: Int32) { self.value = value }

    public static let own = Colour(-1)
}

/// Bold, dim and the like, as a set of bits (the shim's `CTERM_…`).
public struct Attributes: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let bold = Attributes(rawValue: 1)
    public static let dim = Attributes(rawValue: 2)
    public static let italic = Attributes(rawValue: 4)
    public static let underline = Attributes(rawValue: 8)
    public static let reverse = Attributes(rawValue: 16)
}

/// How a cell looks.
public struct Style: Hashable, Sendable {
    public var foreground: Colour
    public var background: Colour
    public var attributes: Attributes

    public init(foreground: Colour = .own, background: Colour = .own, attributes: Attributes = []) {
        self.foreground = foreground
        self.background = background
        self.attributes = attributes
    }

    public static let plain = Style()

    /// This style on another's background: a coloured number in a selected row stays coloured, unless the ground is made by
    /// reversing, where it would turn into a coloured block.
    public func over(_ under: Style) -> Style {
        if under.attributes.contains(.reverse) {
            return Style(foreground: under.foreground, background: under.background, attributes: under.attributes)
        }
        var merged = self
        if background == .own { merged.background = under.background }
        if foreground == .own { merged.foreground = under.foreground }
        merged.attributes.formUnion(under.attributes)
        return merged
    }

    /// This style in a row under the cursor: the selection's ground wins, the text keeps its colour where the selection names none.
    public func selected(by selection: Style) -> Style {
        if selection.attributes.contains(.reverse) { return selection }
        return Style(
            foreground: selection.foreground == .own ? foreground : selection.foreground,
            background: selection.background == .own ? background : selection.background,
            attributes: attributes.union(selection.attributes))
    }
}
