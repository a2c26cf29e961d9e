/// What a pattern says.
indirect enum TextPatternNode: Sendable {
    case empty
    case scalar(UInt32)
    case set(ScalarSet)
    case check(TextPattern.Check)
    case sequence([TextPatternNode])
    case either(TextPatternNode, TextPatternNode)
    /// `most` nil: any number.
    case repeated(TextPatternNode, least: Int, most: Int?)
}

/// Reads a pattern's text.
struct TextPatternParser {
    private let scalars: [Unicode.Scalar]
    private var at = 0
    private var depth = 0
    private(set) var ignoresCase: Bool

    private static let maxScalars = 1_000
    private static let maxDepth = 50
    private static let maxRepeat = 1_000

    init(_ text: String, ignoresCase: Bool) {
        scalars = Array(text.unicodeScalars.prefix(Self.maxScalars + 1))
        self.ignoresCase = ignoresCase
    }

    mutating func parse() throws(TextPattern.Problem) -> TextPatternNode {
        guard scalars.count <= Self.maxScalars else { throw problem("it is longer than \(Self.maxScalars) characters") }
        if scalars.starts(with: "(?i)".unicodeScalars) {
            ignoresCase = true
            at = 4
        }
        let node = try alternatives()
        if at < scalars.count { throw problem("there is no ( to the ) at character \(at + 1)") }
        return node
    }

    private func problem(_ text: String) -> TextPattern.Problem { TextPattern.Problem(description: text) }

    private var next: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        at += 1
        return true
    }

    private func single(_ scalar: Unicode.Scalar) -> TextPatternNode {
        .scalar(ignoresCase ? TextPattern.fold(scalar) : scalar.value)
    }

    // MARK: Structure

    private mutating func alternatives() throws(TextPattern.Problem) -> TextPatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else { throw problem("its parentheses are nested more than \(Self.maxDepth) deep") }
        var node = try sequence()
        while take("|") { node = .either(node, try sequence()) }
        return node
    }

    private mutating func sequence() throws(TextPattern.Problem) -> TextPatternNode {
        var nodes: [TextPatternNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            var node = try atom()
            while let bounds = try repetition() {
                _ = take("?")
                node = .repeated(node, least: bounds.least, most: bounds.most)
            }
            nodes.append(node)
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private mutating func repetition() throws(TextPattern.Problem) -> (least: Int, most: Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        guard next == "{" else { return nil }
        let start = at
        at += 1
        guard let least = number() else {
            at = start
            return nil
        }
        var most: Int? = least
        if take(",") { most = number() }
        guard take("}"), least <= Self.maxRepeat, most ?? 0 <= Self.maxRepeat, least <= most ?? least else {
            throw problem("the repetition at character \(start + 1) is not {N}, {N,} or {N,M} up to \(Self.maxRepeat)")
        }
        return (least, most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let digit = next.flatMap({ $0.isASCII ? Character($0).wholeNumberValue : nil }) {
            value = min(1_000_000, (value ?? 0) * 10 + digit)
            at += 1
        }
        return value
    }

    private mutating func atom() throws(TextPattern.Problem) -> TextPatternNode {
        let scalar = scalars[at]
        at += 1
        switch scalar {
        case "(": return try group()
        case "[": return .set(try brackets())
        case ".": return .set(ScalarSet(ranges: [10...10, 13...13], isInverted: true))
        case "^": return .check(.start)
        case "$": return .check(.end)
        case "\\": return try escape()
        case "*", "+", "?": throw problem("there is nothing to repeat before the \(scalar) at character \(at)")
        // A brace that is no repetition stands for itself.
        default: return single(scalar)
        }
    }

    private mutating func group() throws(TextPattern.Problem) -> TextPatternNode {
        let start = at
        if take("?"), !take(":") {
            throw problem("what begins with (? at character \(start) is not supported, but for (?: and (?i) at the start")
        }
        let node = try alternatives()
        guard take(")") else { throw problem("the ( at character \(start) is not closed") }
        return node
    }

    // MARK: Escapes and sets

    private mutating func escape() throws(TextPattern.Problem) -> TextPatternNode {
        guard let scalar = next else { throw problem("it ends with a \\") }
        at += 1
        switch scalar {
        case "b": return .check(.boundary)
        case "B": return .check(.noBoundary)
        case "A": return .check(.start)
        case "z", "Z": return .check(.end)
        default: break
        }
        if let (kind, isInverted) = Self.kind(scalar) { return .set(ScalarSet(classes: [kind], isInverted: isInverted)) }
        return single(try literal(scalar))
    }

    private static func kind(_ scalar: Unicode.Scalar) -> (ScalarSet.Class, isInverted: Bool)? {
        switch scalar {
        case "d": (.digit, false)
        case "D": (.digit, true)
        case "w": (.word, false)
        case "W": (.word, true)
        case "s": (.space, false)
        case "S": (.space, true)
        default: nil
        }
    }

    /// What stands behind a backslash and means one scalar.
    private mutating func literal(_ scalar: Unicode.Scalar) throws(TextPattern.Problem) -> Unicode.Scalar {
        switch scalar {
        case "t": return "\t"
        case "n": return "\n"
        case "r": return "\r"
        case "f": return "\u{C}"
        case "0": return "\0"
        case "x": return try hex(2)
        case "u": return take("{") ? try hex(nil) : try hex(4)
        case "1"..."9": throw problem("references back such as \\\(scalar) are not supported")
        case "a"..."z", "A"..."Z": throw problem("\\\(scalar) is not supported")
        default: return scalar
        }
    }

    /// Hexadecimal digits: so many, or all up to a closing brace.
    private mutating func hex(_ count: Int?) throws(TextPattern.Problem) -> Unicode.Scalar {
        var value: UInt32 = 0
        var digits = 0
        while digits < count ?? 6, let digit = next.flatMap({ Character($0).hexDigitValue }) {
            value = value * 16 + UInt32(digit)
            digits += 1
            at += 1
        }
        let isWhole = count.map { digits == $0 } ?? (digits > 0 && take("}"))
        guard isWhole, let scalar = Unicode.Scalar(value) else { throw problem("the number before character \(at + 1) is no character's") }
        return scalar
    }

    private mutating func brackets() throws(TextPattern.Problem) -> ScalarSet {
        let start = at
        var set = ScalarSet()
        set.isInverted = take("^")
        var isFirst = true
        while let scalar = next, scalar != "]" || isFirst {
            isFirst = false
            at += 1
            guard let first = try member(scalar, &set) else { continue }
            guard next == "-", at + 1 < scalars.count, scalars[at + 1] != "]" else {
                add(first...first, to: &set)
                continue
            }
            at += 1
            let bound = scalars[at]
            at += 1
            guard let last = try member(bound, &set), first <= last else {
                throw problem("the range that ends at character \(at) is no range")
            }
            add(first...last, to: &set)
        }
        guard take("]") else { throw problem("the [ at character \(start) is not closed") }
        return set
    }

    /// One scalar in brackets; nil for a class such as `\d`, which has been added.
    private mutating func member(_ scalar: Unicode.Scalar, _ set: inout ScalarSet) throws(TextPattern.Problem) -> UInt32? {
        guard scalar == "\\" else { return scalar.value }
        guard let escaped = next else { throw problem("it ends with a \\") }
        at += 1
        if let (kind, isInverted) = Self.kind(escaped) {
            if isInverted { set.otherClasses.append(kind) } else { set.classes.append(kind) }
            return nil
        }
        return try literal(escaped).value
    }

    /// The text is folded to lower case where case does not matter, so the set has both.
    private func add(_ range: ClosedRange<UInt32>, to set: inout ScalarSet) {
        set.ranges.append(range)
        guard ignoresCase else { return }
        let capitals = range.clamped(to: 65...90)
        if range.overlaps(65...90) { set.ranges.append((capitals.lowerBound + 32)...(capitals.upperBound + 32)) }
        if range.count == 1, let scalar = Unicode.Scalar(range.lowerBound) {
            let folded = TextPattern.fold(scalar)
            set.ranges.append(folded...folded)
        }
    }
}
