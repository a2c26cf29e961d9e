import Terminal

/// One line of text being typed.
public struct LineEditor: Equatable, Sendable {
    public private(set) var text: String
    /// Characters before the cursor.
    public private(set) var cursor: Int

    /// Whether something was typed or pasted that found no room: the text is not what was meant.
    public private(set) var isCut = false

    /// Longest line, in characters.
    public static let maxLength = 4_096

    public init(_ text: String = "") {
        self.text = text
        cursor = text.count
    }

    public mutating func set(_ text: String) { self = LineEditor(String(text.prefix(Self.maxLength))) }

    /// Takes a key; false when it means nothing to a line of text.
    public mutating func handle(_ key: Key) -> Bool {
        var characters = Array(text)
        switch key {
        case .character(let character):
            guard characters.count < Self.maxLength else {
                isCut = true
                return true
            }
            characters.insert(character, at: cursor)
            cursor += 1
        case .backspace, .control("h"):
            guard cursor > 0 else { return true }
            characters.remove(at: cursor - 1)
            cursor -= 1
        case .delete, .control("d"):
            guard cursor < characters.count else { return true }
            characters.remove(at: cursor)
        case .left, .control("b"): cursor = max(0, cursor - 1)
        case .right, .control("f"): cursor = min(characters.count, cursor + 1)
        case .home, .control("a"): cursor = 0
        case .end, .control("e"): cursor = characters.count
        case .control("u"):
            characters.removeFirst(cursor)
            cursor = 0
        case .control("k"): characters.removeLast(characters.count - cursor)
        case .control("w"):
            var start = cursor
            while start > 0, characters[start - 1] == " " { start -= 1 }
            while start > 0, characters[start - 1] != " " { start -= 1 }
            characters.removeSubrange(start..<cursor)
            cursor = start
        default: return false
        }
        text = String(characters)
        if text.isEmpty { isCut = false }
        return true
    }
}
