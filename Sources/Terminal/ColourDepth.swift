/// How many colours the terminal shows: the colour ladder.
public enum ColourDepth: Int, Comparable, Sendable, CaseIterable {
    /// Attributes only.
    case mono
    case ansi16
    case indexed256
    /// 24 bits.
    case direct

    public static func < (left: ColourDepth, right: ColourDepth) -> Bool { left.rawValue < right.rawValue }

    /// What to ask the terminal for. `NO_COLOR` (any value but empty, no-color.org) → mono; `COLORTERM` truecolor or 24bit → 24 bits
    /// where terminfo has a direct entry; else what terminfo counts.
    public static func wanted(environment: [String: String]) -> ColourDepth {
        if let noColor = environment["NO_COLOR"], !noColor.isEmpty { return .mono }
        let colorTerm = environment["COLORTERM"]?.lowercased()
        return colorTerm == "truecolor" || colorTerm == "24bit" ? .direct : .indexed256
    }

    /// The rung that a terminal with these properties stands on.
    public static func reached(wanted: ColourDepth, colours: Int, isDirect: Bool) -> ColourDepth {
        if wanted == .mono || colours < 8 { return .mono }
        if isDirect { return .direct }
        return min(wanted, colours >= 256 ? .indexed256 : .ansi16)
    }
}

/// 24-bit colour, and its nearest in smaller palettes.
public struct RGB: Hashable, Sendable {
    public var red: UInt8
    public var green: UInt8
    public var blue: UInt8

    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// `#bf616a`; nil for anything else.
    public init?(hex text: some StringProtocol) {
        guard text.utf8.count == 7, text.first == "#", let value = UInt32(text.dropFirst(), radix: 16) else { return nil }
        self.init(UInt8(value >> 16), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF))
    }

    public var value: Int32 { Int32(red) << 16 | Int32(green) << 8 | Int32(blue) }

    /// The index among 256: grey is 232 + round(c / 11) for r = g = b, else the 6×6×6 cube 16 + 36r + 6g + b with round(c / 51).
    public var index256: Int32 {
        if red == green && green == blue {
            return 232 + (Int32(red) * 2 + 11) / 22
        }
        func level(_ channel: UInt8) -> Int32 { (Int32(channel) * 2 + 51) / 102 }
        return 16 + 36 * level(red) + 6 * level(green) + level(blue)
    }

    /// The nearest of the 16 ANSI colours, by squared distance to xterm's values.
    public var index16: Int32 {
        var best = 0
        var bestDistance = Int.max
        for (index, candidate) in Self.ansi.enumerated() {
            let (r, g, b) = (Int(red) - Int(candidate.red), Int(green) - Int(candidate.green), Int(blue) - Int(candidate.blue))
            let distance = r * r + g * g + b * b
            if distance < bestDistance { (best, bestDistance) = (index, distance) }
        }
        return Int32(best)
    }

    /// xterm's default palette.
    public static let ansi: [RGB] = [
        RGB(0, 0, 0), RGB(205, 0, 0), RGB(0, 205, 0), RGB(205, 205, 0), RGB(0, 0, 238), RGB(205, 0, 205), RGB(0, 205, 205),
        RGB(229, 229, 229), RGB(127, 127, 127), RGB(255, 0, 0), RGB(0, 255, 0), RGB(255, 255, 0), RGB(92, 92, 255),
        RGB(255, 0, 255), RGB(0, 255, 255), RGB(255, 255, 255),
    ]

    /// The colour of a 256-palette index, for contrast checks of themes that name no 24-bit value.
    public init(index256 index: Int32) {
        switch index {
        case 0..<16: self = Self.ansi[Int(index)]
        case 232...255:
            let grey = UInt8(8 + (index - 232) * 10)
            self.init(grey, grey, grey)
        default:
            let cube = max(0, index - 16)
            func channel(_ level: Int32) -> UInt8 { level == 0 ? 0 : UInt8(55 + level * 40) }
            self.init(channel(cube / 36 % 6), channel(cube / 6 % 6), channel(cube % 6))
        }
    }
}
