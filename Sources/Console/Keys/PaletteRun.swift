import Control
import Terminal

/// Running a `:` line.
extension Palette {
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
        case "client": client(words, on: &model)
        case "queue", "redrive", "replay", "undo", "job", "delay", "dead", "audit": return queueLine(first, words, on: &model)
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

    private static func client(_ words: [String], on model: inout ConsoleModel) {
        guard words.count == 2, words[0] == "kill", let id = Int64(words[1]) else {
            model.say("client kill ID (7 Clients lists them); nothing was done", .warn)
            return
        }
        guard model.mayMutate() else { return }
        model.openKill(
            title: "Kill client \(id)", command: .killClient(id: id),
            notes: [Note("Closes its connection. A client that lives connects again.", .warn)])
    }

    private static func setRefresh(_ text: String?, on model: inout ConsoleModel) {
        guard let ms = text.flatMap(Int.init), (250...10_000).contains(ms) else {
            model.say("refresh MS: 250 to 10000", .warn)
            return
        }
        model.refreshMs = ms
        model.say("refresh every \(ms) ms", .dim)
    }

    /// `--name value` pairs after the subject, with `--yes` and `--dry-run` left out; nil with a message for anything else.
    static func options(
        _ words: ArraySlice<String>, allowed: [String], on model: inout ConsoleModel
    ) -> [(name: String, value: String)]? {
        var options: [(name: String, value: String)] = []
        var rest = words
        while let word = rest.popFirst() {
            if word == "--yes" || word == "--dry-run" { continue }
            guard allowed.contains(word), let value = rest.popFirst() else {
                let takes = allowed.isEmpty ? "takes no options here" : "takes \(allowed.joined(separator: ", ")) with a value"
                model.say("`\(word)`: this \(takes); nothing was done", .warn)
                return nil
            }
            options.append((word, value))
        }
        return options
    }

    private static func topic(_ words: [String], on model: inout ConsoleModel) -> [Effect] {
        guard words.count >= 2, ["describe", "create", "delete", "purge"].contains(words[0]) else {
            model.say("topic describe|create|delete|purge NAME", .warn)
            return []
        }
        let name = words[1]
        let rest = words.dropFirst(2)
        if words[0] == "describe" {
            model.open(.topics, selecting: name)
            return []
        }
        guard model.mayMutate() else { return [] }
        switch words[0] {
        case "create": return create(name, rest, on: &model)
        case "delete":
            guard options(rest, allowed: [], on: &model) != nil else { return [] }
            model.openDeleteTopics([name])
        default: purge(name, rest, on: &model)
        }
        return []
    }

    private static func create(_ name: String, _ words: ArraySlice<String>, on model: inout ConsoleModel) -> [Effect] {
        guard let options = options(words, allowed: ["--partitions", "--config"], on: &model) else { return [] }
        var configs: [String: String] = [:]
        for (_, value) in options where value.contains("=") {
            let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            configs[String(parts[0])] = String(parts[1])
        }
        guard options.allSatisfy({ $0.name != "--config" || $0.value.contains("=") }) else {
            model.say("--config takes KEY=VALUE; nothing was done", .warn)
            return []
        }
        let partitions = options.last { $0.name == "--partitions" }?.value ?? "1"
        model.openCreateTopic(name: name, partitions: partitions)
        guard case .createTopic(let name, let count, _) = model.createCommand() else { return [] }
        model.dialog = nil
        return [model.perform(.createTopic(name: name, partitions: count, configs: configs))]
    }

    private static func purge(_ name: String, _ words: ArraySlice<String>, on model: inout ConsoleModel) {
        guard let options = options(words, allowed: ["--partition", "--before"], on: &model) else { return }
        var partition: Int32?
        var before: Int64 = -1
        for (option, value) in options {
            if option == "--partition", let number = Int32(value), number >= 0 {
                partition = number
            } else if option == "--before", let number = Int64(value), number >= 0 {
                before = number
            } else {
                model.say("`\(option) \(value)`: a number from 0; nothing was done", .warn)
                return
            }
        }
        model.openPurge([name], partition: partition, before: before)
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
            if options(words.dropFirst(2), allowed: [], on: &model) != nil { model.openDeleteGroups([name]) }
            return []
        case "reset": return reset(name, words.dropFirst(2), on: &model)
        default:
            model.say("group describe|reset|delete GROUP", .warn)
            return []
        }
    }

    private static func reset(_ name: String, _ words: ArraySlice<String>, on model: inout ConsoleModel) -> [Effect] {
        guard let options = options(words, allowed: ["--to", "--to-time", "--topic"], on: &model) else { return [] }
        var target: OffsetReset.Target?
        var topic: String?
        for (option, value) in options {
            switch (option, value) {
            case ("--topic", _): topic = value
            case ("--to", "earliest"): target = .earliest
            case ("--to", "latest"): target = .latest
            case ("--to", _): target = Int64(value).flatMap { $0 >= 0 ? .offset($0) : nil }
            default: target = CivilTime.parse(value, nowMs: model.brokerNowMs, offset: model.utcOffset).map { .time(ms: $0) }
            }
            if option != "--topic", target == nil {
                model.say("group reset GROUP --to earliest|latest|OFFSET, or --to-time 12:04 or 15m; nothing was done", .warn)
                return []
            }
        }
        let known = model.live?.groups.rows.first { $0.group == name }?.topics ?? []
        return model.openReset(group: name, topics: topic.map { [$0] } ?? known, target: target)
    }
}
