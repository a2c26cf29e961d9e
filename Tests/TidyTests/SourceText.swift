/// A Swift file as the rules read it: its lines, and its code with comments and texts blanked out (line breaks kept).
struct SourceText {
    let path: String
    let text: String
    let code: [UInt8]

    init(path: String, text: String) {
        self.path = path
        self.text = text
        var blanking = Blanking(Array(text.utf8))
        code = blanking.run()
    }

    var lineCount: Int { text.utf8.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) } }

    /// Words (letters, digits, `_`) with where they start, 1-based line included.
    var words: [(word: String, at: Int, line: Int)] {
        var result: [(String, Int, Int)] = []
        var line = 1
        var index = 0
        while index < code.count {
            if code[index] == UInt8(ascii: "\n") { line += 1 }
            guard Self.isWord(code[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < code.count, Self.isWord(code[index]) { index += 1 }
            result.append((String(decoding: code[start..<index], as: UTF8.self), start, line))
        }
        return result
    }

    static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...:
            true
        case UInt8(ascii: "_"): true
        default: false
        }
    }
}

/// Replaces comments and text literals by spaces. Interpolations stay code.
private struct Blanking {
    private let source: [UInt8]
    private var output: [UInt8]
    private var index = 0

    init(_ source: [UInt8]) {
        self.source = source
        output = source
    }

    mutating func run() -> [UInt8] {
        code(untilParenthesis: false)
        return output
    }

    private func starts(_ text: StaticString, at place: Int) -> Bool {
        let count = text.utf8CodeUnitCount
        guard place + count <= source.count else { return false }
        return (0..<count).allSatisfy { source[place + $0] == text.utf8Start[$0] }
    }

    private mutating func blank(_ count: Int) {
        for place in index..<min(index + count, source.count) where source[place] != UInt8(ascii: "\n") {
            output[place] = UInt8(ascii: " ")
        }
        index = min(index + count, source.count)
    }

    private mutating func code(untilParenthesis: Bool) {
        var depth = 0
        while index < source.count {
            if starts("//", at: index) {
                while index < source.count, source[index] != UInt8(ascii: "\n") { blank(1) }
            } else if starts("/*", at: index) {
                blockComment()
            } else if let hashes = literalHashes() {
                literal(hashes)
            } else {
                if source[index] == UInt8(ascii: "(") { depth += 1 }
                if source[index] == UInt8(ascii: ")") {
                    if untilParenthesis, depth == 0 { return }
                    depth -= 1
                }
                index += 1
            }
        }
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if starts("/*", at: index) {
                depth += 1
                blank(2)
            } else if starts("*/", at: index) {
                depth -= 1
                blank(2)
            } else {
                blank(1)
            }
        } while depth > 0 && index < source.count
    }

    /// How many `#` open the literal that starts here; nil when none does.
    private func literalHashes() -> Int? {
        var place = index
        while place < source.count, source[place] == UInt8(ascii: "#") { place += 1 }
        return place < source.count && source[place] == UInt8(ascii: "\"") ? place - index : nil
    }

    private mutating func literal(_ hashes: Int) {
        blank(hashes)
        let isMultiline = starts("\"\"\"", at: index)
        let quotes = isMultiline ? 3 : 1
        blank(quotes)
        while index < source.count {
            if source[index] == UInt8(ascii: "\\"), hashesFollow(index + 1, hashes) {
                let after = index + 1 + hashes
                if after < source.count, source[after] == UInt8(ascii: "(") {
                    blank(hashes + 2)
                    code(untilParenthesis: true)
                    blank(1)
                } else {
                    blank(hashes + 2)
                }
            } else if isMultiline ? starts("\"\"\"", at: index) : source[index] == UInt8(ascii: "\""), hashesFollow(index + quotes, hashes)
            {
                return blank(quotes + hashes)
            } else if !isMultiline, source[index] == UInt8(ascii: "\n") {
                return
            } else {
                blank(1)
            }
        }
    }

    private func hashesFollow(_ place: Int, _ count: Int) -> Bool {
        (0..<count).allSatisfy { place + $0 < source.count && source[place + $0] == UInt8(ascii: "#") }
    }
}
