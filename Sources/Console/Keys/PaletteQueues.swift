import Control
import Model
import Terminal

/// `:` lines about queues, delays, dead letters and jobs.
extension Palette {
    static func showDelay(_ queue: String, on model: inout ConsoleModel) -> [Effect] {
        model.delay.opened = nil
        model.open(.delay)
        model.delayQueue = queue == "all" ? nil : queue
        model.delay.list = ListState(sort: "")
        return []
    }

    /// QUEUE ID: a message in the inspector.
    private static func inspect(_ usage: String, _ given: PaletteArguments, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        guard given.names.count == 2 else { throw FormProblem(usage) }
        model.inspector = Inspector(MessageName(queue: given.names[0], id: given.names[1]))
        return []
    }

    static func queue(_ verb: String, _ given: PaletteArguments, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        if verb == "show" { return try inspect("queue show QUEUE ID", given, on: &model) }
        let name = try given.name("queue \(verb) QUEUE")
        switch verb {
        case "describe": model.open(.queues, selecting: name)
        case "declare":
            let settings = try given.settings()
            guard given.isWhole || !settings.isEmpty else {
                model.openDeclare(name: name)
                return []
            }
            return [model.perform(.queue(.declare(queue: name, settings: settings)))]
        case "alter": return try alter(.queue, name, given, on: &model)
        case "purge": model.openPurgeQueues([name], delayed: given.flags.contains("--delayed"))
        case "delete": model.openDeleteQueues([name])
        default:
            let gate: QueueCommand.Gate = given.flags.contains("--publishing") ? .publishing : .delivery
            return [model.perform(.queue(.gate(queue: name, gate, held: verb == "hold")))]
        }
        return []
    }

    static func publish(_ given: PaletteArguments, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        guard (1...2).contains(given.names.count) else { throw FormProblem("publish QUEUE VALUE: a value with spaces in quotes") }
        guard given.names.count == 2 else {
            model.openWrite(given.names[0])
            return []
        }
        return [
            model.perform(
                .queue(
                    .write(
                        queue: given.names[0], key: given["--key"], value: given.names[1], headers: try given.headers(),
                        delayMs: try given.span("--delay"))))
        ]
    }

    static func delay(_ verb: String, _ given: PaletteArguments, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        if verb.isEmpty { return showDelay(try given.name("delay QUEUE"), on: &model) }
        if verb == "show" { return try inspect("delay show QUEUE ID", given, on: &model) }
        if verb == "jitter" { return try jitter(given, on: &model) }
        guard given.names.count >= 2 else { throw FormProblem("delay \(verb) QUEUE ID…") }
        let (queue, ids) = (given.names[0], Array(given.names.dropFirst()))
        switch verb {
        case "cancel": return [model.perform(.queue(.cancelDelayed(queue: queue, ids: ids)))]
        case "run": return [model.perform(.queue(.runDelayed(queue: queue, ids: ids)))]
        default:
            let (after, at) = (try given.span("--in"), try given.time("--at", isAhead: true, model))
            guard let due = after.map({ model.brokerNowMs + $0 }) ?? at, after == nil || at == nil else {
                throw FormProblem("delay reschedule QUEUE ID… with one of --in 10m and --at 12:30")
            }
            return [model.perform(.queue(.reschedule(queue: queue, ids: ids, dueMs: due)))]
        }
    }

    private static func jitter(_ given: PaletteArguments, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        let from = try given.time("--from", isAhead: true, model)
        let until = try given.time("--until", isAhead: true, model)
        let spread = try given.span("--spread")
        guard let from, let until, let spread, from < until, given.names.count == (given.flags.contains("--all") ? 0 : 1) else {
            throw FormProblem("delay jitter QUEUE|--all --from TIME --until TIME --spread SPAN")
        }
        return [model.perform(.queue(.jitter(queue: given.names.first, fromMs: from, toMs: until, spreadMs: spread)))]
    }

    static func dead(_ verb: String, _ given: PaletteArguments, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        if verb == "show" {
            if given.names.count == 2 { return try inspect("", given, on: &model) }
            model.open(.dead, selecting: try given.name("dead show QUEUE"))
            return []
        }
        guard given.names.count >= 2 else { throw FormProblem("dead discard QUEUE ID…") }
        model.openDiscard([.init(queue: given.names[0], ids: Array(given.names.dropFirst()))])
        return []
    }

    static func job(_ verb: String, _ given: PaletteArguments, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        guard let id = Int64(try given.name("job \(verb) JOB")) else { throw FormProblem("job \(verb) JOB: its number (8 Jobs)") }
        if verb == "cancel" { return [model.perform(.queue(.cancelJob(id: id)))] }
        model.open(.jobs, selecting: String(id))
        return []
    }

    static func redrive(_ given: PaletteArguments, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        let queue = try given.name("redrive QUEUE")
        var redrive = Redrive(queue: queue)
        redrive.filter = try given.filter(model)
        redrive.target = given["--to"]
        redrive.rate = try given.number("--rate")
        redrive.rampFrom = try given.number("--ramp")
        redrive.holdAbove = try given.whole("--hold-above")
        redrive.canary = try given.whole("--canary").map { Int($0) }
        redrive.canaryWaitMs = try given.span("--canary-wait") ?? redrive.canaryWaitMs
        redrive.stopIfDead = try given.number("--stop-if-dead").map { $0 / 100 }
        redrive.skipIfRedriven = try given.whole("--skip-if-redriven").map { Int($0) }
        for part in given["--watermark"]?.split(separator: ",") ?? [] {
            guard let offset = Int64(part), offset >= 0 else { throw FormProblem("`--watermark \(part)`: offsets with commas between") }
            redrive.watermark.append(offset)
        }
        // A whole line means what it says; a typed one adds to what is at hand.
        var subject = model.redriveSubject(queue, isAtHand: !given.isWhole)
        subject.watermark = redrive.watermark
        if redrive.filter != MessageFilter() { subject.given = redrive.filter }
        return model.openRedrive(subject, given: given.isWhole || !given.options.isEmpty ? redrive : nil)
    }

    static func replay(_ given: PaletteArguments, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        let queue = try given.name("replay QUEUE --from TIME|OFFSET")
        var replay = Replay(queue: queue)
        let from = try given.point("--from", model)
        replay.from = from ?? replay.from
        replay.to = try given.point("--to", model)
        replay.into = given["--into"]
        replay.partition = try given.partition()
        replay.filter = try given.filter(model)
        if let target = try groupTarget(replay, from, model) {
            let topics = model.live?.groups.rows.first { $0.group == queue }?.topics ?? []
            return model.openReset(group: queue, topics: topics, partition: nil, target: target)
        }
        return model.openReplay(queue, given: given.options.isEmpty ? nil : replay)
    }

    /// The same for a consumer group, whose place is its committed offsets; nil where the name is not one's.
    private static func groupTarget(
        _ replay: Replay, _ from: Replay.From?, _ model: ConsoleModel
    ) throws(FormProblem) -> OffsetReset.Target? {
        guard let live = model.live, live.groups.rows.contains(where: { $0.group == replay.queue }),
            !live.queues.rows.contains(where: { $0.name == replay.queue })
        else { return nil }
        guard replay.to == nil, replay.into == nil, replay.partition == nil, replay.filter == MessageFilter() else {
            throw FormProblem("\(replay.queue) is a consumer group: it goes back to --from as a whole")
        }
        switch from {
        case nil, .earliest: return .earliest
        case .offset(let offset): return .offset(offset)
        case .time(let ms): return .time(ms: ms)
        }
    }
}
