import Terminal

extension ConsoleModel {
    mutating func handle(_ mouse: Mouse) -> [Effect] {
        guard dialog == nil, prompt == nil, helpTop == nil else { return [] }
        switch mouse.action {
        case .wheelUp: moveCursor(to: state(activeList).cursor - 3)
        case .wheelDown: moveCursor(to: state(activeList).cursor + 3)
        case .press: click(x: mouse.x, y: mouse.y)
        case .release, .drag: break
        }
        return []
    }

    private mutating func click(x: Int, y: Int) {
        let layout = self.layout
        if y == layout.tabsY {
            TabLine.tabs(self).first { $0.range.contains(x) }.map { open($0.screen) }
            return
        }
        if screen == .overview {
            if layout.overview.attention.contains(x: x, y: y) { overview.pane = .attention }
            if layout.overview.table.contains(x: x, y: y) { overview.pane = .backlog }
        }
        guard let first = layout.firstRow(self, activeList), first.contains(x: x, y: y) else { return }
        let index = state(activeList).top + y - first.y
        guard index < count(activeList) else { return }
        if state(activeList).cursor == index, state(activeList).pinned != nil { openRow() } else { moveCursor(to: index) }
    }
}
