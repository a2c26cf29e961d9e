import Control
import Terminal

/// The screens, each with the digit that opens it; the open one in brackets.
enum TabLine {
    struct Tab {
        var screen: ScreenID
        var text: String
        var range: Range<Int>
    }

    private enum Width { case wide, close, digits }

    /// Where there is no room the tabs stand closer; where there is still none those that are not open are digits alone.
    static func tabs(_ model: ConsoleModel) -> [Tab] {
        for width in [Width.wide, .close] {
            let tabs = tabs(model, width)
            if tabs.last?.range.upperBound ?? 0 <= model.size.columns { return tabs }
        }
        return tabs(model, .digits)
    }

    private static func tabs(_ model: ConsoleModel, _ width: Width) -> [Tab] {
        var x = 1
        return ScreenID.allCases.compactMap { screen in
            let isOpen = screen == model.screen
            guard screen.digit != nil || isOpen else { return nil }
            let label = label(screen, model, isDigit: width == .digits && !isOpen)
            let text = isOpen ? "[\(label)]" : width == .wide ? " \(label) " : label
            defer { x += text.count + 1 }
            return Tab(screen: screen, text: text, range: x..<(x + text.count))
        }
    }

    private static func label(_ screen: ScreenID, _ model: ConsoleModel, isDigit: Bool) -> String {
        guard let digit = screen.digit else { return screen.title }
        if isDigit { return String(digit) }
        let dead = model.shown?.totals.dead ?? 0
        return "\(digit) \(screen.title)" + (screen == .dead && dead > 0 ? " \(Short.count(dead))" : "")
    }

    static func draw(_ model: ConsoleModel, on painter: inout Painter) {
        let y = model.layout.tabsY
        for tab in tabs(model) {
            let isOpen = tab.screen == model.screen
            let end = painter.text(tab.text, x: tab.range.lowerBound, y: y, isOpen ? .tab : .text)
            // How many died stands out on any screen.
            guard !isOpen, tab.screen == .dead, let dead = model.shown?.totals.dead, dead > 0, tab.text.contains("Dead") else { continue }
            let figure = Short.count(dead)
            let trailing = tab.text.hasSuffix(" ") ? 1 : 0
            painter.text(figure, x: end - trailing - figure.count, y: y, .dead)
        }
    }
}
