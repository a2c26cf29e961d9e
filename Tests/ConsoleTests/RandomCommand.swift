import Control

/// Commands of every kind with names and values that a command line finds hard: spaces, quotes, dashes, nothing at all.
struct RandomCommand {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// How many kinds there are.
    static let kinds = 21

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    private mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    private mutating func chance() -> Bool { below(2) == 0 }
    private mutating func number(_ most: Int64) -> Int64 { Int64(next() % UInt64(most)) }
    private mutating func time() -> Int64 { 1_700_000_000_000 + number(100_000_000_000) }

    /// Never empty and never with a dash in front: those are options.
    private mutating func name() -> String { ["orders", "räume 1", "a'b", "x\"y\\z", "$HOME", "p.dlq_2", "*"][below(7)] + "\(below(100))" }
    private mutating func topicName() -> String { "topic.\(below(1_000))_a-b" }
    private mutating func text() -> String {
        ["", " ", "it's", "--not an option", "-1", "a\nb", "\\", "\"q\"", "=x=", "été 🙂", "'", "weir", "$(x) `y` & ; |"][below(13)]
    }
    private mutating func ids() -> [String] { (0...below(3)).map { chance() ? "d\($0)-\(below(9_999))" : "\($0)/\(below(9_999))" } }
    private mutating func settings() -> [String: String] {
        var settings: [String: String] = [:]
        if chance() { settings["retention.ms"] = String(number(1 << 40)) }
        if chance() { settings["retry.levels"] = "10s,30s,1m" }
        if chance() { settings["note"] = "-" + text() }
        return settings
    }
    private mutating func headers() -> [MessageHeader] { (0..<below(3)).map { MessageHeader(name: "h\($0) ", value: text()) } }

    private mutating func filter() -> MessageFilter {
        var filter = MessageFilter()
        if chance() { filter.ids = ids() }
        if chance() { filter.reason = text() }
        filter.headers = headers()
        if chance() { filter.match = "x" + text() }
        if chance() { filter.fromMs = time() }
        if chance() { filter.toMs = time() }
        return filter
    }

    mutating func command(_ kind: Int) -> Command {
        switch kind {
        case 0: return .createTopic(name: topicName(), partitions: 1 + below(100), configs: settings())
        case 1: return .deleteTopic(name: name())
        case 2: return .deleteRecords(topic: name(), partition: chance() ? Int32(below(9)) : nil, before: chance() ? number(1 << 40) : -1)
        case 3: return .resetOffsets(reset())
        case 4: return .deleteGroup(name: name())
        case 5:
            let kind = SettingsChange.Kind.allCases[below(3)]
            return .alter(SettingsChange(kind, name(), set: settings(), unset: ["flush", "a b"]))
        case 6: return .killClient(id: number(1 << 40))
        case 7: return .removeMember(group: name(), member: name())
        default: return .queue(queueCommand(kind))
        }
    }

    private mutating func reset() -> OffsetReset {
        let target: OffsetReset.Target = [.earliest, .latest, .offset(number(1 << 50)), .time(ms: time())][below(4)]
        let topic = chance() ? name() : nil
        return OffsetReset(
            group: name(), topic: topic, partition: topic != nil && chance() ? 3 : nil, target: target, dryRun: false, force: chance())
    }

    private mutating func queueCommand(_ kind: Int) -> QueueCommand {
        switch kind {
        case 8: return .declare(queue: name(), settings: settings())
        case 9: return .delete(queue: name())
        case 10: return .purge(queue: name(), delayed: chance())
        case 11: return .undo(id: "u\(below(99))")
        case 12: return .gate(queue: name(), chance() ? .delivery : .publishing, held: chance())
        case 13: return .cancelDelayed(queue: name(), ids: ids())
        case 14: return .runDelayed(queue: name(), ids: ids())
        case 15: return .reschedule(queue: name(), ids: ids(), dueMs: number(1 << 45))
        case 16:
            let from = number(1 << 45)
            return .jitter(queue: chance() ? name() : nil, fromMs: from, toMs: from + 1 + number(1 << 30), spreadMs: number(1 << 30))
        case 17: return .redrive(redrive())
        case 18: return .replay(replay())
        case 19: return chance() ? .discard(queue: name(), ids: ids()) : .cancelJob(id: number(1 << 40))
        default:
            return .write(
                queue: name(), key: chance() ? text() : nil, value: text(), headers: headers(), delayMs: chance() ? number(1 << 40) : nil)
        }
    }

    private mutating func redrive() -> Redrive {
        var redrive = Redrive(queue: name())
        redrive.filter = filter()
        if chance() { redrive.target = "other " + name() }
        if chance() { redrive.watermark = [number(1 << 40), 0, 7] }
        if chance() { redrive.rate = Double(1 + below(1_000)) / 8 }
        if chance() { redrive.rampFrom = Double(1 + below(100)) }
        if chance() { redrive.holdAbove = number(1 << 39) }
        // Without a canary there is nothing to wait for.
        if chance() { (redrive.canary, redrive.canaryWaitMs) = (1 + below(50), 1 + number(1 << 30)) }
        if chance() { redrive.stopIfDead = Double(below(1_001)) / 1_000 }
        if chance() { redrive.skipIfRedriven = 1 + below(9) }
        return redrive
    }

    private mutating func replay() -> Replay {
        func point(_ generator: inout RandomCommand) -> Replay.From {
            [.earliest, .offset(generator.number(1 << 50)), .time(ms: generator.time())][generator.below(3)]
        }
        var replay = Replay(queue: name())
        replay.from = point(&self)
        if chance() { replay.to = point(&self) }
        if chance() { replay.partition = Int32(below(9)) }
        if chance() { replay.into = "other " + name() }
        replay.filter = filter()
        return replay
    }
}
