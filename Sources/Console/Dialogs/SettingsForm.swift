import Control
import Terminal

/// The settings of a topic, a queue or a share group as a form. What it has no field for is changed by `:topic alter`, `:queue alter`,
/// `:group alter` with `--config KEY=VALUE`.
enum SettingsForm {
    private static let topic: [SettingField] = [
        .init(id: "retention", setting: "retention.ms", label: "Retention", kind: .span(orNone: true), hint: "12h, 3d, none"),
        .init(
            id: "retainBytes", setting: "retention.bytes", label: "Retention size", kind: .size(orNone: true), hint: "a partition: 10GiB"),
        .init(id: "segmentMs", setting: "segment.ms", label: "Segment time", kind: .span(orNone: false), hint: "1h"),
        .init(id: "segmentBytes", setting: "segment.bytes", label: "Segment size", kind: .size(orNone: false), hint: "64MiB"),
        .init(id: "batch", setting: "max.message.bytes", label: "Largest batch", kind: .size(orNone: false), hint: "1MiB"),
        .init(id: "flush", setting: "flush", label: "Flush", kind: .choice(["as the broker", "commit", "interval", "os"])),
        .init(id: "stamp", setting: "message.timestamp.type", label: "Timestamps", kind: .choice(["CreateTime", "LogAppendTime"])),
        each, delay,
    ]

    private static let delay = SettingField(
        id: "delay", setting: "delay.ms", label: "Delay", kind: .delay, hint: "all wait: 10s")
    private static let each = SettingField(
        id: "each", setting: "delay.enable", label: "Delayed", kind: .flag, after: "each by its own header (x-delay)")

    /// What queues and share groups have in common.
    private static let retries: [SettingField] = [
        .init(id: "levels", setting: "retry.levels", label: "Retry levels", kind: .spans, width: 15),
        .init(id: "backoff", setting: "retry.backoff", kind: .text, before: "or backoff", width: 9),
        .init(id: "jitter", setting: "retry.jitter", kind: .share, before: "jitter", width: 4),
        .init(id: "attempts", setting: "delivery.limit", label: "Delivery limit", kind: .count(least: 0), hint: "deliveries; 0: no limit"),
        .init(id: "dead", setting: "dead.letter", label: "Dead letters to", kind: .text, hint: "auto: NAME.dlq; a queue; or nothing"),
    ]

    private static let queue: [SettingField] =
        [delay, each] + retries + [
            .init(id: "depth", setting: "max.depth", label: "Max depth", kind: .count(least: 1), after: " messages", width: 9),
            .init(id: "bytes", setting: "max.bytes", kind: .size(orNone: false), before: "or", after: " bytes: 2GiB", width: 9),
            .init(
                id: "overflow", setting: "overflow", label: "Beyond it",
                kind: .choice(["drop-head", "reject-publish", "reject-publish-dlx"])),
            .init(id: "rateIn", setting: "rate.in", label: "Rate in", kind: .rate, after: "/s", width: 9),
            .init(id: "rateOut", setting: "rate.out", kind: .rate, before: "out", after: "/s", width: 9),
            .init(
                id: "priorities", setting: "queue.priorities", label: "Priorities", kind: .count(least: 2),
                hint: "2-10, a partition each"),
            .init(id: "ttl", setting: "ttl.ms", label: "Time to live", kind: .span(orNone: false), hint: "1h, 7d"),
            .init(
                id: "settledMs", setting: "retention.settled.ms", label: "Keep settled", kind: .span(orNone: false), after: " time",
                width: 9
            ),
            .init(
                id: "settledBytes", setting: "retention.settled.bytes", kind: .size(orNone: false), before: "or",
                after: " bytes", width: 9),
        ]

    private static let group: [SettingField] =
        retries + [
            .init(id: "rateOut", setting: "rate.out", label: "Rate out", kind: .rate, hint: "messages/s and partition"),
            .init(id: "lock", setting: "share.record.lock.duration.ms", label: "Lock", kind: .span(orNone: false), hint: "30s"),
            .init(
                id: "single", setting: "single.active.consumer", label: "Consumers", kind: .flag, after: "one at a time gets a partition"),
            .init(id: "start", setting: "share.auto.offset.reset", label: "New begins", kind: .choice(["latest", "earliest"])),
            .init(id: "session", setting: "share.session.timeout.ms", label: "Session", kind: .span(orNone: false), hint: "45s"),
            .init(id: "heartbeat", setting: "share.heartbeat.interval.ms", label: "Heartbeat", kind: .span(orNone: false), hint: "5s"),
            .init(
                id: "isolation", setting: "share.isolation.level", label: "Reads", kind: .choice(["read_uncommitted", "read_committed"])),
        ]

    /// Kafka's own names for two of Weir's settings, which win over these: shown where they are set.
    private static let kafka: [SettingField] = [
        .init(
            id: "kafkaLimit", setting: "share.delivery.count.limit", label: "Kafka's limit", kind: .count(least: 1),
            hint: "wins over Delivery limit"),
        .init(
            id: "kafkaDead", setting: "errors.deadletterqueue.topic.name", label: "Kafka's target", kind: .text,
            hint: "wins over Dead letters to"),
    ]

    private static func fields(_ kind: SettingsChange.Kind) -> [SettingField] {
        switch kind {
        case .topic: topic
        case .queue: queue
        case .group: group + kafka
        }
    }

    /// - Parameters:
    ///   - name: nil for the settings of what is there.
    ///   - levels: how many levels of delay the broker knows.
    static func form(
        _ kind: SettingsChange.Kind, name: String?, given: [String: String] = [:], defaults: [String: String] = [:], levels: Int
    ) -> Form {
        var fields: [Form.Field] = name.map { [.text("name", "Name", value: $0, hint: "letters, digits, . _ -")] } ?? []
        for var field in Self.fields(kind) where !kafka.contains(where: { $0.id == field.id }) || given[field.setting] != nil {
            if field.kind.isDelay { field.hint += levels == 1 ? "; or level 1" : "; or level 1-\(levels)" }
            fields.append(field.field(given, defaults: kind == .topic ? defaults : [:]))
        }
        return Form(fields: fields, buttons: [.init(label: name == nil ? "Change" : "Declare", hotkey: "S")])
    }

    /// What the form says, by setting; defaults are left out.
    static func values(_ kind: SettingsChange.Kind, _ form: Form) throws(FormProblem) -> [String: String] {
        var values: [String: String] = [:]
        for field in fields(kind) { values.merge(try field.read(form)) { $1 } }
        if values["retry.levels"] != nil, values["retry.backoff"] != nil {
            throw FormProblem("Retry levels or a backoff, not both.")
        }
        return values
    }

    /// What differs from `opened`, the form as it was at first.
    static func change(
        _ kind: SettingsChange.Kind, _ name: String, _ form: Form, opened: [String: String]
    ) throws(FormProblem) -> SettingsChange {
        let wanted = try values(kind, form)
        let set = wanted.filter { opened[$0.key] != $0.value }
        let unset = opened.keys.filter { wanted[$0] == nil }.sorted()
        guard !set.isEmpty || !unset.isEmpty else { throw FormProblem("Nothing is changed yet.") }
        return SettingsChange(kind, name, set: set, unset: unset)
    }

    static func declare(_ form: Form) throws(FormProblem) -> QueueCommand {
        let name = form.text("name")
        if let problem = ConsoleModel.topicNameProblem(name) { throw FormProblem(problem) }
        return .declare(queue: name, settings: try values(.queue, form))
    }
}

extension ConsoleModel {
    /// E: the settings of the topic, queue or share group that is opened or looked at.
    mutating func openSettings() {
        switch screen {
        case .topics:
            guard let detail = topicDetail else { return say("E changes a topic's settings: enter opens it first", .dim) }
            openSettings(.topic, detail.row.name, detail.configs)
        case .queues:
            guard let detail = queueDetail else { return say("E changes a queue's settings: enter opens it first", .dim) }
            // A share group on a topic that is no queue: its settings are the group's. A topic's name has no `@`.
            let isGroup = detail.row.name.contains("@")
            openSettings(isGroup ? .group : .queue, isGroup ? Self.group(ofQueue: detail.row.name) : detail.row.name, detail.configs)
        case .delay: openReschedule()
        default: say("E changes settings of a queue or share group (2) or a topic (3), or a delay (5)", .dim)
        }
    }

    private mutating func openSettings(_ kind: SettingsChange.Kind, _ name: String, _ configs: [ConfigRow]) {
        let given = Dictionary(configs.filter { !$0.isDefault }.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        let defaults = Dictionary(configs.filter(\.isDefault).map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        let form = SettingsForm.form(kind, name: nil, given: given, defaults: defaults, levels: delayLevels)
        var notes = [Note("Only what is changed is sent; an emptied field goes back to the default.", .dim)]
        if kind == .group { notes.append(Note("They hold on every topic that group \(name) reads.", .dim)) }
        if kind == .topic, given["queue"] == "true" {
            notes.append(Note("It is a queue too: 2 Queues has the rest of its settings.", .dim))
        }
        let opened: [String: String]
        do throws(FormProblem) { opened = try SettingsForm.values(kind, form) } catch {
            // What was set elsewhere and can't be said here, such as retry levels with a backoff.
            say("the form can't show these settings (\(error.message)): `:\(kind.rawValue) alter \(name) --config KEY=VALUE`", .warn)
            return
        }
        let title = kind == .group ? "Settings of group \(name)" : "Settings of \(name)"
        dialog = Dialog(kind: .form(.settings(kind, name: name, opened: opened)), title: title, notes: notes, form: form)
        updateForm()
    }
}
