import Control
import Terminal

/// The `:` commands: the command line's words, and the screens.
enum Palette {
    struct Completion: Equatable {
        /// The whole line once it is taken.
        var line: String
        var meaning: String
        /// Whether the line can be run as it is.
        var isComplete: Bool
    }

    enum Argument { case none, topic, newTopic, group, queue, theme, text }

    struct Entry {
        var words: String
        var argument: Argument
        var meaning: String
        var isMutation = false
    }

    /// At most this many are offered.
    static let maxCompletions = 8

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
        return Array(found.prefix(maxCompletions))
    }

    private static func arguments(_ entry: Entry, text: String, in model: ConsoleModel) -> [Completion] {
        let typed = text.dropFirst(entry.words.count + 1)
        guard !typed.contains(" ") else { return options(entry, text: text) }
        let names: [String]
        switch entry.argument {
        case .topic: names = model.live?.topics.rows.map(\.name) ?? []
        case .queue: names = model.live?.queues.rows.map(\.name) ?? []
        case .group: names = model.live?.groups.rows.map(\.group) ?? []
        case .theme: names = model.themes.map(\.name)
        case .none, .newTopic, .text: return []
        }
        let isComplete = !["group reset", "delay cancel", "delay run"].contains(entry.words)
        return names.filter { $0.hasPrefix(typed) && $0 != typed }.prefix(maxCompletions).map {
            Completion(line: "\(entry.words) \($0)\(isComplete ? "" : " ")", meaning: entry.meaning, isComplete: isComplete)
        }
    }

    private static func options(_ entry: Entry, text: String) -> [Completion] {
        let tails: [(String, Bool)]
        switch entry.words {
        case "group reset": tails = [("--to earliest", true), ("--to latest", true), ("--to ", false), ("--to-time ", false)]
        case "topic create": tails = [("--partitions ", false)]
        case "redrive":
            tails = ["--rate ", "--to ", "--reason ", "--match ", "--ramp ", "--canary ", "--stop-if-dead "].map { ($0, false) }
        case "replay": tails = [("--from earliest", true), ("--from ", false), ("--to ", false), ("--into ", false), ("--match ", false)]
        case "queue hold", "queue resume": tails = [("--publishing", true)]
        default: return []
        }
        guard let space = text.firstRange(of: " --") ?? (text.hasSuffix(" ") ? text.index(before: text.endIndex)..<text.endIndex : nil)
        else {
            return []
        }
        let head = text[..<space.lowerBound]
        return tails.compactMap { tail, isComplete in
            let line = "\(head) \(tail)"
            return line.hasPrefix(text) && line != text ? Completion(line: line, meaning: entry.meaning, isComplete: isComplete) : nil
        }
    }
}
