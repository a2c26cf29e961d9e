/// The `weir …` command line that does the same as a command: what the console shows and the audit log keeps.
extension QueueCommand {
    public var commandLine: String {
        switch self {
        case .declare(let queue, let settings):
            return "weir queue declare \(quoted(queue))"
                + settings.sorted { $0.key < $1.key }.map { " --config \(quoted("\($0.key)=\($0.value)"))" }.joined()
        case .delete(let queue): return "weir queue delete \(quoted(queue)) --yes"
        case .purge(let queue, let delayed): return "weir queue purge \(quoted(queue))\(delayed ? " --delayed" : "") --yes"
        case .undo(let id): return "weir undo \(quoted(id))"
        case .gate(let queue, let gate, let held):
            return "weir queue \(held ? "hold" : "resume") \(quoted(queue))\(gate == .publishing ? " --publishing" : "")"
        case .cancelDelayed(let queue, let ids): return "weir delay cancel \(words(queue, ids))"
        case .runDelayed(let queue, let ids): return "weir delay run \(words(queue, ids))"
        case .reschedule(let queue, let ids, let dueMs):
            return "weir delay reschedule \(words(queue, ids)) --at \(dueMs)"
        case .jitter(let queue, let fromMs, let toMs, let spreadMs):
            return "weir delay jitter \(queue.map(quoted) ?? "--all") --from \(fromMs) --until \(toMs) --spread \(spreadMs)ms"
        case .redrive(let redrive): return redrive.commandLine
        case .replay(let replay): return replay.commandLine
        case .discard(let queue, let ids): return "weir dead discard \(words(queue, ids)) --yes"
        case .cancelJob(let id): return "weir job cancel \(id)"
        case .write(let queue, let key, let value, let headers, let delayMs):
            var line = "weir publish \(quoted(queue))"
            if let key { line += " --key \(quoted(key))" }
            for header in headers { line += " --header \(quoted("\(header.name)=\(header.value ?? "")"))" }
            if let delayMs { line += " --delay \(delayMs)ms" }
            // A value that begins with a dash is no option.
            return line + (value.hasPrefix("-") ? " --" : "") + " \(quoted(value))"
        }
    }
}

extension Redrive {
    public var commandLine: String {
        var line = "weir redrive \(quoted(queue))\(filter.options)"
        if let target { line += " --to \(quoted(target))" }
        if let rate { line += " --rate \(plain(rate))" }
        if let rampFrom { line += " --ramp \(plain(rampFrom))" }
        if let holdAbove { line += " --hold-above \(holdAbove)" }
        if let canary { line += " --canary \(canary)" }
        if canaryWaitMs != 10_000 { line += " --canary-wait \(canaryWaitMs)ms" }
        if let stopIfDead { line += " --stop-if-dead \(plain((stopIfDead * 1e8).rounded() / 1e6))" }
        if let skipIfRedriven { line += " --skip-if-redriven \(skipIfRedriven)" }
        if !watermark.isEmpty { line += " --watermark \(watermark.map(String.init).joined(separator: ","))" }
        return line + (dryRun ? " --dry-run" : "")
    }
}

extension Replay {
    public var commandLine: String {
        var line = "weir replay \(quoted(queue)) --from \(from.text)"
        if let to { line += " --to \(to.text)" }
        if let partition { line += " --partition \(partition)" }
        if let into { line += " --into \(quoted(into))" }
        return line + filter.options + (dryRun ? " --dry-run" : "")
    }
}

extension Replay.From {
    /// An offset as its number, a time as `@` and ms since 1970.
    public var text: String {
        switch self {
        case .earliest: "earliest"
        case .offset(let offset): String(offset)
        case .time(let ms): "@\(ms)"
        }
    }
}

extension MessageFilter {
    fileprivate var options: String {
        var line = ids.map { " --id \(quoted($0))" }.joined()
        if let reason { line += " --reason \(quoted(reason))" }
        for header in headers { line += " --header \(quoted("\(header.name)=\(header.value ?? "")"))" }
        if let match { line += " --match \(quoted(match))" }
        if let fromMs { line += " --since \(fromMs)" }
        if let toMs { line += " --until \(toMs)" }
        return line
    }
}

/// A number without a needless `.0`.
private func plain(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number)
}

/// A queue and messages of it.
private func words(_ queue: String, _ ids: [String]) -> String { ([queue] + ids).map(quoted).joined(separator: " ") }
