/// A regular expression that is matched in time proportional to the text, whatever it says: operators and, through the admin door, anyone
/// on this machine may send one, and a backtracking engine takes for ever over `(a+)+b`. All alternatives are followed side by side
/// (Thompson 1968).
///
/// ```
/// literals, .        [a-z_] [^0-9]      \d \w \s \D \W \S        ^ $ \b \B
/// a|b  (ab)  (?:ab)  * + ? {2} {2,} {2,5}, each also with ? behind        \t \n \r \x41 \u{1F600}        (?i) at the start
/// ```
/// Not there, and refused by name: references back, looking around, `\p`. Matches anywhere in the text.
public struct TextPattern: Sendable {
    /// Why a text is no pattern.
    public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
        public var description: String
    }

    /// A compiled pattern's size; what repeats is written out.
    public static let maxSteps = 1_000

    private enum Step: Sendable {
        case scalar(UInt32)
        case set(ScalarSet)
        case either(Int, Int)
        case jump(Int)
        case check(Check)
        case found
    }
    enum Check: Sendable { case start, end, boundary, noBoundary }

    private let steps: [Step]
    private let ignoresCase: Bool

    /// - Parameter ignoresCase: also set by `(?i)` at the pattern's start.
    public init(_ text: String, ignoresCase: Bool = false) throws(Problem) {
        var parser = TextPatternParser(text, ignoresCase: ignoresCase)
        let node = try parser.parse()
        self.ignoresCase = parser.ignoresCase
        var steps: [Step] = []
        try Self.write(node, into: &steps)
        steps.append(.found)
        self.steps = steps
    }

    // MARK: Compiling

    private static func write(_ node: TextPatternNode, into steps: inout [Step]) throws(Problem) {
        guard steps.count < maxSteps else { throw Problem(description: "it is too large once its repetitions are written out") }
        switch node {
        case .empty: break
        case .scalar(let value): steps.append(.scalar(value))
        case .set(let set): steps.append(.set(set))
        case .check(let check): steps.append(.check(check))
        case .sequence(let nodes): for node in nodes { try write(node, into: &steps) }
        case .either(let first, let second):
            let fork = steps.count
            steps.append(.jump(0))
            try write(first, into: &steps)
            let leave = steps.count
            steps.append(.jump(0))
            steps[fork] = .either(fork + 1, steps.count)
            try write(second, into: &steps)
            steps[leave] = .jump(steps.count)
        case .repeated(let node, let least, let most):
            for _ in 0..<least {
                let before = steps.count
                try write(node, into: &steps)
                // Nothing, however often, is nothing.
                if steps.count == before { break }
            }
            if let most {
                var forks: [Int] = []
                for _ in least..<max(least, most) {
                    forks.append(steps.count)
                    steps.append(.jump(0))
                    try write(node, into: &steps)
                }
                for fork in forks { steps[fork] = .either(fork + 1, steps.count) }
            } else {
                let fork = steps.count
                steps.append(.jump(0))
                try write(node, into: &steps)
                steps.append(.jump(fork))
                steps[fork] = .either(fork + 1, steps.count)
            }
        }
    }

    // MARK: Matching

    /// Whether the pattern is found in the text.
    public func matches(_ text: String) -> Bool {
        var scalars = text.unicodeScalars.makeIterator()
        var run = Run(steps: steps)
        var before: UInt32?
        var next = scalars.next().map(folded)
        while true {
            if run.add(0, before: before, next: next) { return true }
            guard let value = next else { return false }
            next = scalars.next().map(folded)
            if run.advance(over: value, next: next) { return true }
            before = value
        }
    }

    private func folded(_ scalar: Unicode.Scalar) -> UInt32 { ignoresCase ? Self.fold(scalar) : scalar.value }

    static func fold(_ scalar: Unicode.Scalar) -> UInt32 {
        if scalar.isASCII { return scalar.value >= 65 && scalar.value <= 90 ? scalar.value + 32 : scalar.value }
        let lower = scalar.properties.lowercaseMapping.unicodeScalars
        return lower.count == 1 ? lower.first!.value : scalar.value
    }

    /// The places in the program that can be reached after what was read: each at most once, however many ways lead there.
    private struct Run {
        let steps: [Step]
        private var places: [Int] = []
        private var round = 1
        /// The round in which a place was last reached.
        private var reached: [Int]
        private var stack: [Int] = []

        init(steps: [Step]) {
            self.steps = steps
            reached = Array(repeating: 0, count: steps.count)
        }

        /// Goes on from `place` without reading; true when the pattern's end is reached.
        mutating func add(_ place: Int, before: UInt32?, next: UInt32?) -> Bool {
            stack.append(place)
            while let place = stack.popLast() {
                guard reached[place] != round else { continue }
                reached[place] = round
                switch steps[place] {
                case .found:
                    stack.removeAll(keepingCapacity: true)
                    return true
                case .jump(let to): stack.append(to)
                case .either(let first, let second):
                    stack.append(second)
                    stack.append(first)
                case .check(let check): if check.holds(before: before, next: next) { stack.append(place + 1) }
                case .scalar, .set: places.append(place)
                }
            }
            return false
        }

        /// Reads one scalar; true when the pattern's end is reached.
        mutating func advance(over value: UInt32, next: UInt32?) -> Bool {
            let from = places
            places.removeAll(keepingCapacity: true)
            round += 1
            for place in from {
                let takes =
                    switch steps[place] {
                    case .scalar(let wanted): wanted == value
                    case .set(let set): set.contains(value)
                    default: false
                    }
                if takes, add(place + 1, before: value, next: next) { return true }
            }
            return false
        }
    }
}

extension TextPattern.Check {
    fileprivate func holds(before: UInt32?, next: UInt32?) -> Bool {
        switch self {
        case .start: before == nil
        case .end: next == nil
        case .boundary: ScalarSet.isWord(before) != ScalarSet.isWord(next)
        case .noBoundary: ScalarSet.isWord(before) == ScalarSet.isWord(next)
        }
    }
}

/// Scalars of which a pattern takes any one.
struct ScalarSet: Sendable, Equatable {
    enum Class: Sendable, Equatable { case digit, word, space }

    var ranges: [ClosedRange<UInt32>] = []
    var classes: [Class] = []
    /// All but those: `\D` inside of brackets.
    var otherClasses: [Class] = []
    var isInverted = false

    func contains(_ value: UInt32) -> Bool {
        let isIn =
            ranges.contains { $0.contains(value) } || classes.contains { Self.isIn($0, value) }
            || otherClasses.contains { !Self.isIn($0, value) }
        return isIn != isInverted
    }

    static func isWord(_ value: UInt32?) -> Bool { value.map { isIn(.word, $0) } ?? false }

    static func isIn(_ kind: Class, _ value: UInt32) -> Bool {
        guard let scalar = Unicode.Scalar(value) else { return false }
        switch kind {
        case .digit: return scalar.properties.generalCategory == .decimalNumber
        case .space: return scalar.properties.isWhitespace
        case .word:
            if scalar.isASCII { return scalar == "_" || (48...57).contains(value) || (97...122).contains(value | 32) && value >= 65 }
            return scalar.properties.isAlphabetic || scalar.properties.generalCategory == .decimalNumber
        }
    }
}
