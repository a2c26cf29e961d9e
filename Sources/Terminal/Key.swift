/// What was typed or clicked.
public enum Key: Hashable, Sendable {
    case character(Character)
    /// A control key by its letter, lower case: `control("c")` is ^C.
    case control(Character)
    case enter, escape, tab, backTab, backspace, delete, insert
    case up, down, left, right, home, end, pageUp, pageDown
    case function(Int)
    case mouse(Mouse)
    case unknown
}

/// A mouse report, cells counted from 0.
public struct Mouse: Hashable, Sendable {
    public enum Action: Hashable, Sendable { case press, release, drag, wheelUp, wheelDown }
    public var action: Action
    public var x: Int
    public var y: Int

    public init(_ action: Action, x: Int, y: Int) {
        self.action = action
        self.x = x
        self.y = y
    }
}
