import Glibc

/// Tests a theme's contrast: what `weir theme check` prints.
///
/// Source: WCAG 2.2, success criterion 1.4.3 and its definitions of relative luminance and contrast ratio. Text asks for 4.5, what is
/// dim or only a line for 3. Colours that are the terminal's own can't be judged; they are assumed on the theme's usual ground.
public enum ThemeCheck {
    public struct Finding: Hashable, Sendable {
        public var key: ThemeKey
        /// 1…21.
        public var ratio: Double
        public var needed: Double
        public var isEnough: Bool { ratio >= needed }
    }

    /// The contrast of every key with a colour of its own, on its background or on `ground`.
    public static func findings(_ spec: ThemeSpec, ground: RGB = RGB(0, 0, 0)) -> [Finding] {
        ThemeKey.allCases.compactMap { key in
            guard let line = spec.lines[key], let colour = rgb(line.foreground) else { return nil }
            let under = rgb(line.background) ?? ground
            return Finding(key: key, ratio: contrast(colour, under), needed: isLine(key) ? 3 : 4.5)
        }
    }

    /// The ground a theme is meant for: light when its text is dark.
    public static func ground(of spec: ThemeSpec) -> RGB {
        guard let text = spec.lines[.text].flatMap({ rgb($0.foreground) }) else { return RGB(0, 0, 0) }
        return luminance(text) < 0.18 ? RGB(255, 255, 255) : RGB(0, 0, 0)
    }

    /// (lighter + 0.05) / (darker + 0.05).
    public static func contrast(_ one: RGB, _ other: RGB) -> Double {
        let (a, b) = (luminance(one), luminance(other))
        return (max(a, b) + 0.05) / (min(a, b) + 0.05)
    }

    static func luminance(_ colour: RGB) -> Double {
        0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue)
    }

    private static func linear(_ channel: UInt8) -> Double {
        let share = Double(channel) / 255
        return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
    }

    private static func rgb(_ colour: ThemeColour) -> RGB? {
        colour.rgb ?? (colour.indexed ?? colour.ansi).map { RGB(index256: $0) }
    }

    private static func isLine(_ key: ThemeKey) -> Bool {
        switch key {
        case .border, .focus, .dim, .graph_in, .graph_out, .graph_backlog, .trend, .bar: true
        default: false
        }
    }
}
