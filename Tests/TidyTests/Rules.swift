/// The rules, as functions from text to findings, so that each can be shown to fail on a bad sample.
enum Rules {
    static let fileLines = 300
    static let functionLines = 70
    static let lineCharacters = 140

    static func longFile(_ file: SourceText) -> [String] {
        file.lineCount > fileLines ? ["\(file.path): \(file.lineCount) lines, \(fileLines) are allowed: split it by topic"] : []
    }

    static func longLines(_ file: SourceText) -> [String] {
        file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            .filter { $1.utf8.count > lineCharacters && $1.count > lineCharacters }
            .map { "\(file.path):\($0.offset + 1): \($0.element.count) characters, \(lineCharacters) are allowed" }
    }

    /// Functions, initialisers and subscripts, from their first line to their closing brace.
    static func longFunctions(_ file: SourceText) -> [String] {
        let words = file.words
        return words.indices.compactMap { index in
            let (word, at, line) = words[index]
            guard ["func", "init", "subscript"].contains(word), at == 0 || file.code[at - 1] != UInt8(ascii: ".") else { return nil }
            guard let lines = bodyLines(file, from: at + word.utf8.count), lines > functionLines else { return nil }
            let name = word == "func" && index + 1 < words.count ? words[index + 1].word : word
            return "\(file.path):\(line): \(name) has \(lines) lines, \(functionLines) are allowed: give its parts names"
        }
    }

    /// Lines from a declaration's keyword to its closing brace; nil when it has no body (a protocol's requirement).
    private static func bodyLines(_ file: SourceText, from start: Int) -> Int? {
        var nesting = 0
        var braces = 0
        var lines = 1
        var index = start
        while index < file.code.count {
            switch file.code[index] {
            case UInt8(ascii: "\n"): lines += 1
            case UInt8(ascii: "("), UInt8(ascii: "["): nesting += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): nesting -= 1
            case UInt8(ascii: "{") where nesting == 0 || braces > 0: braces += 1
            case UInt8(ascii: "}") where nesting == 0 || braces > 0:
                if braces == 0 { return nil }
                braces -= 1
                if braces == 0 { return lines }
            default:
                if braces == 0, nesting == 0, startsDeclaration(file, index) { return nil }
            }
            index += 1
        }
        return nil
    }

    private static func startsDeclaration(_ file: SourceText, _ index: Int) -> Bool {
        guard !SourceText.isWord(file.code[index - 1]) else { return false }
        let end = file.code[index...].firstIndex { !SourceText.isWord($0) } ?? file.code.count
        guard end > index, end - index <= 9 else { return false }
        let word = String(decoding: file.code[index..<end], as: UTF8.self)
        return ["func", "var", "let", "init", "case", "struct", "class", "enum", "protocol", "extension"].contains(word)
    }

    /// Words that say "not finished" or "crash instead of an error", in code and comments.
    static func unfinished(_ file: SourceText) -> [String] {
        let banned = [("TO" + "DO", "finish it, or file an issue"), ("FIX" + "ME", "fix it, or file an issue")]
        let bannedCode = [
            ("try!", "handle the error"), ("as!", "handle the other type"), ("fatalError(", "use precondition, or throw"),
            ("catch {}", "say why the error does not matter, or handle it"),
        ]
        let code = String(decoding: file.code, as: UTF8.self)
        return banned.filter { file.text.contains($0.0) }.map { "\(file.path): contains \($0.0): \($0.1)" }
            + bannedCode.filter { code.contains($0.0) }.map { "\(file.path): contains \($0.0): \($0.1)" }
    }

    /// Paths of a developer's machine.
    static func machinePaths(_ path: String, _ text: String) -> [String] {
        let roots = ["/ro" + "ot/", "/wo" + "rk/", "/sr" + "c/weir", "/op" + "t/weir", "/Us" + "ers/"]
        return roots.filter { text.contains($0) }.map { "\(path): contains the machine path \($0)" }
    }

    /// A file of `Sources` none of whose names another file of `Sources` uses. `main` files are used by the operating system.
    static func deadFiles(_ files: [SourceText]) -> [String] {
        var users: [String: Set<Int>] = [:]
        for (index, file) in files.enumerated() {
            for (word, _, _) in file.words { users[word, default: []].insert(index) }
        }
        return files.enumerated().compactMap { index, file in
            let names = declaredNames(file)
            if file.text.contains("@main") || names.isEmpty { return nil }
            let isUsed = names.contains { users[$0]?.contains { $0 != index } == true }
            return isUsed ? nil : "\(file.path): no other file uses \(names.sorted().joined(separator: ", ")): remove it, or use it"
        }
    }

    private static func declaredNames(_ file: SourceText) -> Set<String> {
        let words = file.words
        let keywords: Set = ["struct", "class", "enum", "actor", "protocol", "typealias", "func", "var", "let", "case"]
        var names: Set<String> = []
        for index in words.indices.dropLast() where keywords.contains(words[index].word) { names.insert(words[index + 1].word) }
        return names
    }
}
