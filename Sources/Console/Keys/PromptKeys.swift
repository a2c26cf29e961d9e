import Terminal

extension ConsoleModel {
    mutating func handlePrompt(_ key: Key) -> [Effect] {
        guard let open = prompt else { return [] }
        switch open.kind {
        case .filter(let before): handleFilter(key, before: before)
        case .palette: return handlePalette(key)
        }
        return []
    }

    private mutating func handleFilter(_ key: Key, before: String) {
        let list = activeList
        switch key {
        case .enter: prompt = nil
        case .escape, .control("c"), .control("g"):
            prompt = nil
            setFilter("", on: list)
        case .up, .down, .pageUp, .pageDown:
            // The list can be walked while the filter is typed.
            prompt = nil
            _ = handleScreen(key)
        default:
            guard prompt?.editor.handle(key) == true, let text = prompt?.editor.text else { return }
            setFilter(text, on: list)
        }
    }

    private mutating func handlePalette(_ key: Key) -> [Effect] {
        guard let open = prompt else { return [] }
        let completions = Palette.completions(for: open.editor.text, in: self)
        switch key {
        case .escape, .control("c"), .control("g"): prompt = nil
        case .tab, .down:
            guard !completions.isEmpty else { return [] }
            if key == .tab, completions.count == 1 {
                prompt?.editor.set(completions[0].line)
                prompt?.choice = nil
            } else {
                prompt?.choice = open.choice.map { ($0 + 1) % completions.count } ?? 0
            }
        case .backTab, .up:
            guard !completions.isEmpty else { return [] }
            prompt?.choice = ((open.choice ?? 0) + completions.count - 1) % completions.count
        case .enter:
            // A highlighted completion is taken first; a second Enter runs it, so that nothing runs by half-typed words.
            if let choice = open.choice, completions.indices.contains(choice), !completions[choice].isComplete {
                prompt?.editor.set(completions[choice].line)
                prompt?.choice = nil
                return []
            }
            guard !open.editor.isCut else {
                say("longer than \(LineEditor.maxLength) characters and cut: nothing was done; ^U empties the line", .crit)
                return []
            }
            let line = open.choice.flatMap { completions.indices.contains($0) ? completions[$0].line : nil } ?? open.editor.text
            prompt = nil
            return Palette.run(line, on: &self)
        case .backspace where open.editor.text.isEmpty: prompt = nil
        default:
            if prompt?.editor.handle(key) == true { prompt?.choice = nil }
        }
        return []
    }
}
