import Control
import Terminal

extension ConsoleModel {
    /// Keys of the inspector; nil for those that mean the same everywhere.
    mutating func handleInspector(_ key: Key) -> [Effect]? {
        guard var open = inspector else { return nil }
        let page = max(1, layout.body.height - 4)
        switch key {
        case .escape, .character("q"), .character("i"), .enter:
            inspector = nil
            return []
        case .down, .character("j"): open.top += 1
        case .up, .character("k"): open.top -= 1
        case .pageDown, .character(" "): open.top += page
        case .pageUp: open.top -= page
        case .control("d"): open.top += page / 2
        case .control("u"): open.top -= page / 2
        case .home, .character("g"): open.top = 0
        case .end, .character("G"): open.top = .max / 2
        case .tab, .character("]"): open = turned(open, 1)
        case .backTab, .character("["): open = turned(open, -1)
        case .character("n"): return neighbour(1)
        case .character("N"): return neighbour(-1)
        case .character("y"): return copyValue()
        case .character("/"), .character("s"), .character("<"), .character(">"), .character("v"), .character("a"): return []
        default: return nil
        }
        let lines = inspected.map { InspectorText.lines($0, tab: open.tab, width: size.columns - 6, model: self).count } ?? 0
        open.top = min(max(0, open.top), max(0, lines - 1))
        inspector = open
        return []
    }

    private func turned(_ inspector: Inspector, _ step: Int) -> Inspector {
        // A wide screen shows the rest beside the value.
        let tabs: [Inspector.Tab] = layout.isWide ? [.text, .hex] : Inspector.Tab.allCases
        var next = inspector
        next.tab = tabs[((tabs.firstIndex(of: inspector.tab) ?? 0) + step + tabs.count) % tabs.count]
        next.top = 0
        return next
    }

    /// The next or previous message of the list below.
    private mutating func neighbour(_ step: Int) -> [Effect] {
        guard activeList == .messages, let tab = inspector?.tab else { return [] }
        moveCursor(to: state(.messages).cursor + step)
        guard let row = messagesPage.flatMap({ browse.messages.row(in: $0) }) else { return [] }
        inspector = Inspector(MessageName(queue: row.queue, id: row.id))
        inspector?.tab = tab
        return []
    }

    private mutating func copyValue() -> [Effect] {
        guard let bytes = inspected.flatMap({ InspectorText.bytes($0.value) }) else { return [] }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            say("this value is no text: copy it with weir consume", .warn)
            return []
        }
        say("copied the value", .ok)
        return [.copy(text)]
    }
}
