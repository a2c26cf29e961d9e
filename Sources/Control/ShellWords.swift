/// Words of a command line as a POSIX shell has them, without its variables and patterns. What ``quoted(_:)`` writes, ``split(_:)`` reads
/// back, and so does a shell.
///
/// ```
/// weir publish orders --key 'it'\''s' "a b" c\ d   →   weir  publish  orders  --key  it's  a b  c d
/// ```
public enum ShellWords {
    /// A quote that is never closed, or a backslash at the end.
    public struct Unfinished: Error, Equatable, Sendable {
        /// `'`, `"` or `\`.
        public var sign: Character
        public init(sign: Character) { self.sign = sign }
    }

    public static func split(_ line: some StringProtocol) throws(Unfinished) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in line {
            if isEscaped {
                // Between double quotes a backslash stands for itself before anything but these.
                if quote == "\"", !"\"\\$`".contains(character) { word = (word ?? "") + "\\" }
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character == " " || character == "\t" || character.isNewline {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if isEscaped { throw Unfinished(sign: "\\") }
        if let quote { throw Unfinished(sign: quote) }
        return words + (word.map { [$0] } ?? [])
    }

    /// A word as a shell takes it: in single quotes when it holds anything but letters, digits and harmless signs.
    public static func quoted(_ text: String) -> String {
        let harmless =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-_.,:/=@+%".utf8.contains(byte)
                }
            }
        return harmless ? text : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}

/// The same, for command lines.
public func quoted(_ text: String) -> String { ShellWords.quoted(text) }
