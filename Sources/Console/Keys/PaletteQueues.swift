import Control
import Model
import Terminal

/// `:` lines about queues, delays, dead letters and jobs: the command line's words. What changes much opens its dialog, filled in.
extension Palette {
    static func queueLine(_ word: String, _ words: [String], on model: inout ConsoleModel) -> [Effect] {
        if let screen = ScreenID(rawValue: word), words.isEmpty {
            model.open(screen)
            return []
        }
        if word == "delay", words.count == 1 { return showDelay(words[0], on: &model) }
        if word == "dead", words.first == "show", words.count == 2 {
            model.open(.dead, selecting: words[1])
            return []
        }
        if word == "queue", words.first == "describe", words.count == 2 {
            model.open(.queues, selecting: words[1])
            return []
        }
        guard model.mayMutate() else { return [] }
        switch word {
        case "queue": return queue(words, on: &model)
        case "redrive": return redrive(words, on: &model)
        case "replay": return replay(words, on: &model)
        case "undo":
            guard let id = words.first else { return model.undo() }
            return [model.perform(.queue(.undo(id: id)))]
        case "job":
            guard words.count == 2, words[0] == "cancel", let id = Int64(words[1]) else { return usage("job cancel JOB", on: &model) }
            return [model.perform(.queue(.cancelJob(id: id)))]
        case "delay": return delay(words, on: &model)
        default: return usage("dead show QUEUE, redrive QUEUE; X discards marked messages there", on: &model)
        }
    }

    private static func usage(_ text: String, on model: inout ConsoleModel) -> [Effect] {
        model.say("\(text); nothing was done", .warn)
        return []
    }

    private static func showDelay(_ queue: String, on model: inout ConsoleModel) -> [Effect] {
        model.delay.opened = nil
        model.open(.delay)
        model.delayQueue = queue == "all" ? nil : queue
        model.delay.list = ListState(sort: "")
        return []
    }

    private static func queue(_ words: [String], on model: inout ConsoleModel) -> [Effect] {
        guard words.count >= 2 else { return usage("queue describe|declare|purge|hold|resume|delete QUEUE", on: &model) }
        let (name, rest) = (words[1], words.dropFirst(2).filter { $0 != "--yes" })
        switch (words[0], rest) {
        case ("declare", []): model.openDeclare(name: name)
        case ("purge", []): model.openPurgeQueues([name])
        case ("delete", []): model.openDeleteQueues([name])
        case ("hold", []), ("resume", []): return [model.perform(.queue(.gate(queue: name, .delivery, held: words[0] == "hold")))]
        case ("hold", ["--publishing"]), ("resume", ["--publishing"]):
            return [model.perform(.queue(.gate(queue: name, .publishing, held: words[0] == "hold")))]
        default: return usage("queue describe|declare|purge|hold|resume|delete QUEUE", on: &model)
        }
        return []
    }

    private static func delay(_ words: [String], on model: inout ConsoleModel) -> [Effect] {
        guard words.count >= 3, ["cancel", "run"].contains(words[0]) else { return usage("delay cancel|run QUEUE ID…", on: &model) }
        let ids = Array(words.dropFirst(2))
        return [
            model.perform(
                .queue(words[0] == "run" ? .runDelayed(queue: words[1], ids: ids) : .cancelDelayed(queue: words[1], ids: ids)))
        ]
    }

    private static func redrive(_ words: [String], on model: inout ConsoleModel) -> [Effect] {
        let allowed = [
            "--rate", "--ramp", "--to", "--reason", "--match", "--header", "--id", "--hold-above", "--canary", "--stop-if-dead",
            "--skip-if-redriven", "--canary-wait", "--watermark",
        ]
        guard let queue = words.first else { return usage("redrive QUEUE \(allowed.joined(separator: " "))", on: &model) }
        guard let options = options(words.dropFirst(), allowed: allowed, on: &model) else { return [] }
        var given = Redrive(queue: queue)
        var subject = model.redriveSubject(queue)
        for (name, value) in options {
            let number = Amount.parse(value)
            switch name {
            case "--to": given.target = value
            case "--reason": (subject.reason, subject.reasonCount) = (value, 0)
            case "--match": subject.filterText = "~\(value)"
            case "--header" where value.contains("="): subject.filterText = value
            case "--canary-wait": given.canaryWaitMs = (try? TimeSpan.parse(value)) ?? 10_000
            // The dialog's own count sets a new one.
            case "--watermark": break
            case "--id": subject.marked.append(value)
            case "--rate" where number != nil: given.rate = number
            case "--ramp" where number != nil: given.rampFrom = number
            case "--hold-above" where number != nil: given.holdAbove = number.map { Int64($0) }
            case "--canary" where number != nil: given.canary = number.map { Int($0) }
            case "--stop-if-dead" where number != nil: given.stopIfDead = number.map { $0 / 100 }
            case "--skip-if-redriven" where number != nil: given.skipIfRedriven = number.map { Int($0) }
            default: return usage("`\(name) \(value)`: not understood", on: &model)
            }
        }
        return model.openRedrive(subject, given: options.isEmpty ? nil : given)
    }

    private static func replay(_ words: [String], on model: inout ConsoleModel) -> [Effect] {
        let allowed = ["--from", "--to", "--into", "--match"]
        guard let queue = words.first else { return usage("replay QUEUE --from TIME|OFFSET", on: &model) }
        guard let options = options(words.dropFirst(), allowed: allowed, on: &model) else { return [] }
        var given = Replay(queue: queue)
        for (name, value) in options {
            switch name {
            case "--into": given.into = value
            case "--match": given.filter.match = value
            default:
                guard let point = point(value, model) else { return usage("`\(name) \(value)`: an offset, a time or earliest", on: &model) }
                if name == "--from" { given.from = point } else { given.to = point }
            }
        }
        return model.openReplay(queue, given: options.isEmpty ? nil : given)
    }

    /// `earliest`, an offset, `@` and ms since 1970, or a time.
    private static func point(_ text: String, _ model: ConsoleModel) -> Replay.From? {
        if text == "earliest" { return .earliest }
        if text.hasPrefix("@") { return Int64(text.dropFirst()).map { .time(ms: $0) } }
        if let offset = Int64(text), offset >= 0 { return .offset(offset) }
        return CivilTime.parse(text, nowMs: model.brokerNowMs, offset: model.utcOffset).map { .time(ms: $0) }
    }
}
