@testable import Model
import Testing

/// Regular expressions in bounded time: what they match, what is refused, and random ones against Swift's own engine.
@Suite struct TextPatternTests {
    @Test(arguments: [
        ("ab+c", "xabbbc", true), ("ab+c", "ac", false), ("^ab$", "ab", true), ("^ab$", "xab", false), ("a|bc", "xbcx", true),
        ("[a-c]{2}d", "zabd", true), ("[^a-c]d", "ad", false), ("[]x]", "]", true), ("[a-]", "-", true),
        ("\\d{3}-\\d+", "tel 030-12", true),
        ("\\bdead\\b", "a dead letter", true), ("\\bdead\\b", "deadly", false), ("(?:a(b|c)){2}", "abac", true), ("a.c", "a\nc", false),
        ("\\x41\\u{1F600}", "A😀", true), ("", "", true), ("(a*)*b", "aaab", true), ("(|a)+b", "b", true), ("x{0}y", "y", true),
        ("{", "{", true), ("a{,2}", "a{,2}", true), ("ä|ö", "schön", true), ("a??b", "b", true), ("[\\d\\s]z", "7z", true),
        ("[^\\D]", "x", false), ("\\$\\{", "${", true),
    ])
    func whatMatches(_ pattern: String, _ text: String, _ expected: Bool) throws {
        #expect(try TextPattern(pattern).matches(text) == expected)
    }

    @Test func caseIsIgnoredWhereAsked() throws {
        for pattern in [try TextPattern("(?i)ORD[A-F]RS"), try TextPattern("OrdErs", ignoresCase: true)] {
            #expect(pattern.matches("my.orders") && pattern.matches("MY.ORDERS"))
        }
        #expect(try TextPattern("(?i)[Ä]x").matches("äX"))
        #expect(try !TextPattern("ORDERS").matches("orders"))
    }

    @Test(arguments: [
        ("(a", "the ( at character 1 is not closed"), ("a)", "there is no ( to the ) at character 2"),
        ("[a", "the [ at character 1 is not closed"),
        ("*a", "there is nothing to repeat before the * at character 1"), ("\\1", "references back such as \\1 are not supported"),
        ("(?=a)", "what begins with (? at character 1 is not supported, but for (?: and (?i) at the start"),
        ("\\p{L}", "\\p is not supported"), ("a{3,2}", "the repetition at character 2 is not {N}, {N,} or {N,M} up to 1000"),
        ("[z-a]", "the range that ends at character 4 is no range"), ("a\\", "it ends with a \\"),
    ])
    func whatIsRefused(_ pattern: String, _ problem: String) {
        #expect(throws: TextPattern.Problem(description: problem)) { try TextPattern(pattern) }
    }

    /// Each of these takes a backtracking engine, or one that writes everything out, longer than anybody waits.
    @Test(
        .timeLimit(.minutes(1)), arguments: ["(a+)+b", "(a|a)*b", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*a){20}b", "(a?){30}a{30}b"])
    func nothingTakesForEver(_ pattern: String) throws {
        #expect(try !TextPattern(pattern).matches(String(repeating: "a", count: 5_000)))
    }

    @Test(arguments: ["((a{100}){100}){100}", "a{1001}", String(repeating: "(", count: 60) + String(repeating: ")", count: 60)])
    func tooLargeIsRefused(_ pattern: String) {
        #expect(throws: TextPattern.Problem.self) { try TextPattern(pattern) }
    }

    @Test func nothingRepeatedIsNothing() throws {
        #expect(try TextPattern("(((){1000}){1000}){1000}").matches("x"))
    }

    /// Random patterns over a small alphabet, against the standard library's engine; without `\b`, which it finds in an empty text too.
    @Test func agreesWithTheStandardLibrary() throws {
        var state: UInt64 = 42
        func roll(_ sides: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(sides))
        }
        func pattern(_ depth: Int) -> String {
            switch roll(depth > 0 ? 9 : 4) {
            case 0, 1: return ["a", "b", "c"][roll(3)]
            case 2: return ["[ab]", "[^a]", ".", "\\w", "[b-c]"][roll(5)]
            case 3: return ["^", "$", "a"][roll(3)]
            case 4: return "(" + pattern(depth - 1) + "|" + pattern(depth - 1) + ")"
            case 5: return "(?:" + pattern(depth - 1) + ")" + ["*", "+", "?", "{2}", "{1,2}"][roll(5)]
            default: return pattern(depth - 1) + pattern(depth - 1)
            }
        }
        var compared = 0
        var matched = 0
        while compared < 3_000 {
            let text = pattern(3)
            guard let theirs = try? Regex(text) else { continue }
            let ours = try TextPattern(text)
            for _ in 0..<3 {
                let subject = (0..<roll(6)).map { _ in ["a", "b", "c", " "][roll(4)] }.joined()
                let expected = subject.firstMatch(of: theirs) != nil
                #expect(ours.matches(subject) == expected, "\(text) in '\(subject)'")
                compared += 1
                matched += expected ? 1 : 0
            }
        }
        #expect(matched > 500 && matched < 2_900)
    }
}
