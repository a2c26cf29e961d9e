import Control
import Terminal

/// `:topic`, `:group` and `:client`.
extension Palette {
    static func topic(_ verb: String, _ given: PaletteArguments, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        let name = try given.name("topic \(verb) NAME")
        switch verb {
        case "describe": model.open(.topics, selecting: name)
        case "create": return try create(name, given, on: &model)
        case "alter": return try alter(.topic, name, given, on: &model)
        case "delete": model.openDeleteTopics([name])
        default:
            let before = try given.whole("--before") ?? -1
            model.openPurge([name], partition: try given.partition(), before: before)
        }
        return []
    }

    private static func create(_ name: String, _ given: PaletteArguments, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        let configs = try given.settings()
        model.openCreateTopic(name: name, partitions: given["--partitions"] ?? "1")
        guard case .createTopic(let name, let count, _) = model.createCommand() else { return [] }
        model.dialog = nil
        return [model.perform(.createTopic(name: name, partitions: count, configs: configs))]
    }

    /// With options it is done; without, the settings are opened, to be changed there.
    static func alter(
        _ kind: SettingsChange.Kind, _ name: String, _ given: PaletteArguments, on model: inout ConsoleModel
    ) throws(FormProblem) -> [Effect] {
        let change = SettingsChange(kind, name, set: try given.settings(), unset: given.all("--unset"))
        guard change.set.isEmpty, change.unset.isEmpty else { return [model.perform(.alter(change))] }
        if kind == .group { throw FormProblem("group alter GROUP --config KEY=VALUE --unset KEY; or E on it on 2 Queues") }
        model.open(kind == .topic ? .topics : .queues, selecting: name)
        model.say("E changes its settings", .dim)
        return []
    }

    static func group(_ verb: String, _ given: PaletteArguments, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        let name = try given.name("group \(verb) GROUP")
        switch verb {
        case "describe": model.open(.groups, selecting: name)
        case "alter": return try alter(.group, name, given, on: &model)
        case "delete": model.openDeleteGroups([name])
        default: return try reset(name, given, on: &model)
        }
        return []
    }

    private static func reset(_ name: String, _ given: PaletteArguments, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        let problem = FormProblem("group reset GROUP --to earliest|latest|OFFSET, or --to-time 12:04 or 15m")
        var target: OffsetReset.Target?
        switch (given["--to"], given["--to-time"]) {
        case (nil, nil): break
        case ("earliest", nil): target = .earliest
        case ("latest", nil): target = .latest
        case (let text?, nil):
            guard let offset = Int64(text), offset >= 0 else { throw problem }
            target = .offset(offset)
        case (nil, _): target = try given.time("--to-time", isAhead: false, model).map { .time(ms: $0) }
        default: throw problem
        }
        let partition = try given.partition()
        let topic = given["--topic"]
        guard partition == nil || topic != nil else { throw FormProblem("--partition needs --topic") }
        // A whole line without a topic means all of them, whatever is known of the group.
        let known = given.isWhole ? [] : model.live?.groups.rows.first { $0.group == name }?.topics ?? []
        return model.openReset(
            group: name, topics: topic.map { [$0] } ?? known, partition: partition, target: target, force: given.flags.contains("--force"))
    }

    static func kill(_ given: PaletteArguments, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        let usage = "client kill ID (7 Clients lists them), or MEMBER --group GROUP"
        let name = try given.name(usage)
        if let group = given["--group"] {
            model.openKill(
                title: "Kill 1 member of \(group)", commands: [.removeMember(group: group, member: name)],
                notes: [Note("Takes \(name) out of the group. A client that lives joins again as a new member.", .warn)])
            return []
        }
        guard let id = Int64(name) else { throw FormProblem(usage) }
        model.openKill(
            title: "Kill client \(id)", commands: [.killClient(id: id)],
            notes: [Note("Closes its connection. A client that lives connects again.", .warn)])
        return []
    }
}
