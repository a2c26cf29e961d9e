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

    enum Argument { case none, topic, newTopic, group, theme, text }

    struct Entry {
        var words: String
        var argument: Argument
        var meaning: String
        var isMutation = false
    }

    static let entries: [Entry] = [
        Entry(words: "overview", argument: .none, meaning: "screen 1"),
        Entry(words: "topics", argument: .none, meaning: "screen 3"),
        Entry(words: "groups", argument: .none, meaning: "screen 4"),
        Entry(words: "log", argument: .none, meaning: "the broker's events"),
        Entry(words: "help", argument: .none, meaning: "keys of this screen"),
        Entry(words: "topic describe", argument: .topic, meaning: "open a topic"),
        Entry(words: "topic create", argument: .newTopic, meaning: "NAME --partitions N", isMutation: true),
        Entry(words: "topic delete", argument: .topic, meaning: "delete a topic", isMutation: true),
        Entry(words: "topic purge", argument: .topic, meaning: "delete its records up to the end", isMutation: true),
        Entry(words: "group describe", argument: .group, meaning: "open a group"),
        Entry(words: "group reset", argument: .group, meaning: "GROUP --to earliest|latest|OFFSET", isMutation: true),
        Entry(words: "group delete", argument: .group, meaning: "forget a group", isMutation: true),
        Entry(words: "theme", argument: .theme, meaning: "colours"),
        Entry(words: "refresh", argument: .text, meaning: "MS between snapshots"),
        Entry(words: "freeze", argument: .none, meaning: "stop the picture, or go on"),
        Entry(words: "export", argument: .none, meaning: "this instant as JSON"),
        Entry(words: "quit", argument: .none, meaning: "leave the console"),
    ]

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
        case .group: names = model.live?.groups.rows.map(\.group) ?? []
        case .theme: names = model.themes.map(\.name)
        case .none, .newTopic, .text: return []
        }
        let isComplete = entry.words != "group reset"
        return names.filter { $0.hasPrefix(typed) && $0 != typed }.prefix(maxCompletions).map {
            Completion(line: "\(entry.words) \($0)\(isComplete ? "" : " ")", meaning: entry.meaning, isComplete: isComplete)
        }
    }

    private static func options(_ entry: Entry, text: String) -> [Completion] {
        let tails: [(String, Bool)]
        switch entry.words {
        case "group reset": tails = [("--to earliest", true), ("--to latest", true), ("--to ", false), ("--to-time ", false)]
        case "topic create": tails = [("--partitions ", false)]
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

    // MARK: running

    static func run(_ line: String, on model: inout ConsoleModel) -> [Effect] {
        var words = line.split(separator: " ").map(String.init)
        guard let first = words.first else { return [] }
        if let screen = ScreenID(rawValue: first), words.count == 1 {
            model.open(screen)
            return []
        }
        words.removeFirst()
        switch first {
        case "help": model.helpTop = 0
        case "q", "quit": return model.quit()
        case "freeze": return model.handle(.character("z"), nowMs: model.nowMs)
        case "export": return model.handle(.character("e"), nowMs: model.nowMs)
        case "theme": useTheme(words.first, on: &model)
        case "refresh": setRefresh(words.first, on: &model)
        case "topic": return topic(words, on: &model)
        case "group": return group(words, on: &model)
        default: model.say("no such command: \(first); Tab shows what there is", .warn)
        }
        return []
    }

    private static func useTheme(_ name: String?, on model: inout ConsoleModel) {
        guard let name, model.themes.contains(where: { $0.name == name }) else {
            model.say("themes: \(model.themes.map(\.name).joined(separator: ", "))", .warn)
            return
        }
        model.themeName = name
        model.say("theme \(name)", .ok)
    }

    private static func setRefresh(_ text: String?, on model: inout ConsoleModel) {
        guard let ms = text.flatMap(Int.init), (250...10_000).contains(ms) else {
            model.say("refresh MS: 250 to 10000", .warn)
            return
        }
        model.refreshMs = ms
        model.say("refresh every \(Short.duration(ms: Int64(ms)))", .dim)
    }

    /// `--name value` pairs after the subject; nil with a message for anything else.
    private static func options(_ words: ArraySlice<String>, allowed: [String], on model: inout ConsoleModel) -> [String: String]? {
        var options: [String: String] = [:]
        var rest = words
        while let word = rest.popFirst() {
            if word == "--yes" || word == "--dry-run" { continue }
            guard allowed.contains(word), let value = rest.popFirst() else {
                model.say("`\(word)`: this takes \(allowed.joined(separator: ", ")) with a value", .warn)
                return nil
            }
            options[word] = value
        }
        return options
    }

    private static func topic(_ words: [String], on model: inout ConsoleModel) -> [Effect] {
        guard words.count >= 2 else {
            model.say("topic describe|create|delete|purge NAME", .warn)
            return []
        }
        let name = words[1]
        if words[0] == "describe" {
            model.open(.topics, selecting: name)
            return []
        }
        guard model.mayMutate() else { return [] }
        switch words[0] {
        case "create":
            guard let options = options(words.dropFirst(2), allowed: ["--partitions"], on: &model) else { return [] }
            model.openCreateTopic(name: name, partitions: options["--partitions"] ?? "1")
            guard let command = model.createCommand() else { return [] }
            model.dialog = nil
            return [model.perform(command)]
        case "delete": model.openDeleteTopics([name])
        case "purge": model.openPurge([name])
        default: model.say("topic describe|create|delete|purge NAME", .warn)
        }
        return []
    }

    private static func group(_ words: [String], on model: inout ConsoleModel) -> [Effect] {
        guard words.count >= 2 else {
            model.say("group describe|reset|delete GROUP", .warn)
            return []
        }
        let name = words[1]
        if words[0] == "describe" {
            model.open(.groups, selecting: name)
            return []
        }
        guard model.mayMutate() else { return [] }
        switch words[0] {
        case "delete":
            model.openDeleteGroups([name])
            return []
        case "reset": return reset(name, words.dropFirst(2), on: &model)
        default:
            model.say("group describe|reset|delete GROUP", .warn)
            return []
        }
    }

    private static func reset(_ name: String, _ words: ArraySlice<String>, on model: inout ConsoleModel) -> [Effect] {
        guard let options = options(words, allowed: ["--to", "--to-time", "--topic"], on: &model) else { return [] }
        let target: OffsetReset.Target?
        switch (options["--to"], options["--to-time"]) {
        case ("earliest", nil): target = .earliest
        case ("latest", nil): target = .latest
        case (let text?, nil): target = Int64(text).map { .offset($0) }
        case (nil, let text?): target = CivilTime.parse(text, nowMs: model.brokerNowMs, offset: model.utcOffset).map { .time(ms: $0) }
        default: target = nil
        }
        if target == nil, !options.isEmpty {
            model.say("group reset GROUP --to earliest|latest|OFFSET, or --to-time 12:04 or -2h", .warn)
            return []
        }
        let known = model.live?.groups.rows.first { $0.group == name }?.topics ?? []
        return model.openReset(group: name, topics: options["--topic"].map { [$0] } ?? known, target: target)
    }
}
