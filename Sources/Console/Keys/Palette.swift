import Control

/// The `:` commands: the command line's words, and the screens.
enum Palette {
    struct Completion: Equatable {
        /// The whole line once it is taken.
        var line: String
        var meaning: String
        /// Whether the line can be run as it is.
        var isComplete: Bool
    }

    /// At most this many are offered.
    static let maxCompletions = 16

    static func completions(for text: String, in model: ConsoleModel) -> [Completion] {
        var found: [Completion] = []
        for entry in entries where !(entry.isMutation && model.isReadOnly) {
            let isBare = entry.argument == .none
            if entry.words.hasPrefix(text) {
                found.append(
                    Completion(line: isBare ? entry.words : entry.words + " ", meaning: entry.meaning, isComplete: isBare))
            } else if text.hasPrefix(entry.words + " ") {
                found += arguments(entry, text: text, in: model)
            }
            if found.count >= maxCompletions { break }
        }
        return Array(found.prefix(min(maxCompletions, max(1, model.size.rows - 5))))
    }

    private static func arguments(_ entry: Entry, text: String, in model: ConsoleModel) -> [Completion] {
        let typed = text.dropFirst(entry.words.count + 1)
        guard !typed.contains(" ") else { return options(entry, text: text) }
        let names: [String]
        switch entry.argument {
        case .topic: names = model.live?.topics.rows.map(\.name) ?? []
        case .queue: names = model.live?.queues.rows.map(\.name) ?? []
        case .group: names = model.live?.groups.rows.map(\.group) ?? []
        case .shareGroup:
            names = model.live?.queues.rows.filter { $0.name.contains("@") }.map { ConsoleModel.group(ofQueue: $0.name) } ?? []
        case .theme: names = model.themes.map(\.name)
        case .none, .newTopic, .text: return []
        }
        return names.filter { $0.hasPrefix(typed) && $0 != typed }.prefix(maxCompletions).map {
            Completion(
                line: "\(entry.words) \(ShellWords.quoted($0))\(entry.needsMore ? " " : "")", meaning: entry.meaning,
                isComplete: !entry.needsMore)
        }
    }

    /// Options that are not given yet, after a name; none where one waits for its value.
    private static func options(_ entry: Entry, text: String) -> [Completion] {
        guard let space = text.lastIndex(of: " ") else { return [] }
        let (head, typed) = (text[...space], text[text.index(after: space)...])
        guard typed.isEmpty || typed.hasPrefix("-") else { return [] }
        let words = head.split(separator: " ").map(String.init)
        if let last = words.last, entry.options.contains(last) { return [] }
        let free = { (option: String) in repeated.contains(option) || !words.contains(option) }
        let tails =
            entry.tails.filter { free($0.prefix { $0 != " " }.description) }.map { ($0, true) }
            + entry.options.filter(free).map { ($0 + " ", false) } + entry.flags.filter(free).map { ($0, true) }
        return tails.filter { $0.0.hasPrefix(typed) && $0.0 != typed }.map {
            Completion(line: head + $0.0, meaning: entry.meaning, isComplete: $0.1)
        }
    }
}
