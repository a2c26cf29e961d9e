/// Swift text in the making: lines with their indentation.
struct SwiftText {
    private(set) var text = ""
    private var depth = 0

    mutating func line(_ line: String = "") {
        if !line.isEmpty {
            text += String(repeating: "    ", count: depth)
            text += line
        }
        text += "\n"
    }

    /// `head`, the indented `body`, and `tail`.
    mutating func block(_ head: String, tail: String? = "}", _ body: (inout SwiftText) -> Void) {
        line(head)
        depth += 1
        body(&self)
        depth -= 1
        if let tail { line(tail) }
    }

    /// `body`, inside `if condition` where there is a condition.
    mutating func when(_ condition: String?, _ body: (inout SwiftText) -> Void) {
        guard let condition else { return body(&self) }
        block("if \(condition) {", body)
    }
}
