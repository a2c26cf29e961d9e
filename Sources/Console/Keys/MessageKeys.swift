import Control
import Terminal

/// Keys that change single messages: delayed, waiting, ready or dead ones.
extension ConsoleModel {
    /// Ids of the marked messages, by queue.
    var marksByQueue: [String: [String]] {
        var sets: [String: [String]] = [:]
        for mark in browse.messages.marks.sorted() {
            guard let space = mark.lastIndex(of: " ") else { continue }
            sets[String(mark[..<space]), default: []].append(String(mark[mark.index(after: space)...]))
        }
        return sets
    }

    /// The messages that a key means: the inspected one, the marked ones, or the one under the cursor; by queue.
    var messageTargets: [FormAction.MessageSet] {
        if inspector == nil, activeList == .messages || (screen == .dead && isDetailOpened), !browse.messages.marks.isEmpty {
            return marksByQueue.sorted { $0.key < $1.key }.map { .init(queue: $0.key, ids: $0.value) }
        }
        guard [.queues, .delay, .dead].contains(screen), let name = messageUnderCursor else { return [] }
        return [.init(queue: name.queue, ids: [name.id])]
    }

    private func words(_ sets: [FormAction.MessageSet], _ kind: String) -> String {
        let count = sets.reduce(0) { $0 + $1.ids.count }
        let place = sets.count == 1 ? sets[0].queue : "\(sets.count) queues"
        return "\(Short.exact(Int64(count))) \(kind.isEmpty ? "" : kind + " ")message\(count == 1 ? "" : "s") of \(place)"
    }

    /// Asks with the count before it acts: a single message needs the button only, more need their number typed.
    private mutating func openCounted(
        verb: String, kind: String, sets: [FormAction.MessageSet], button: String, notes: [Note],
        command: (FormAction.MessageSet) -> QueueCommand
    ) {
        let count = sets.reduce(0) { $0 + $1.ids.count }
        let expected = count > 1 ? String(count) : ""
        let commands = sets.map { Command.queue(command($0)) }
        dialog = Dialog(
            kind: .form(.commands(commands, expected: expected)), title: "\(verb) \(words(sets, kind))", notes: notes,
            form: Form(
                fields: expected.isEmpty ? [] : [.text("name", "Type \(expected)", hint: "to confirm", accepts: .number)],
                buttons: [.init(label: button, hotkey: "S")]))
        dialog?.form.buttons[0].label = "Back"
        updateForm()
    }

    /// X: cancels delayed and waiting messages, discards others.
    mutating func openDiscard() {
        let sets = messageTargets
        guard !sets.isEmpty else {
            let hint: String
            switch screen {
            case .delay: hint = "X cancels messages: enter opens a bucket"
            case .queues, .dead:
                hint = "X discards messages: \(isDetailOpened ? "" : "enter opens the queue, ")Tab goes to its messages"
            default: hint = "X discards or cancels messages: 2 Queues, 5 Delay, 6 Dead"
            }
            say(hint, .dim)
            return
        }
        if screen == .delay {
            let kind = delay.tab == 0 ? "delayed" : "waiting"
            openCounted(
                verb: "Cancel", kind: kind, sets: sets, button: "Cancel them",
                notes: [
                    delay.tab == 0
                        ? Note("They are never delivered. u takes it back, until they would have been due.", .warn)
                        : Note("They are settled. O replays them while they are retained.", .warn)
                ]
            ) { .cancelDelayed(queue: $0.queue, ids: $0.ids) }
        } else {
            openDiscard(sets)
        }
    }

    /// Discards messages of queues, once their count was confirmed.
    mutating func openDiscard(_ sets: [FormAction.MessageSet]) {
        openCounted(
            verb: "Discard", kind: "", sets: sets, button: "Discard",
            notes: [Note("Settled without being delivered. O replays them while they are retained.", .warn)]
        ) { .discard(queue: $0.queue, ids: $0.ids) }
    }

    /// R on Delay: now instead of later.
    mutating func openRunNow() {
        let sets = messageTargets
        guard !sets.isEmpty else {
            say("R runs messages now: enter opens a bucket, space marks", .dim)
            return
        }
        openCounted(
            verb: "Run now", kind: delay.tab == 0 ? "delayed" : "waiting", sets: sets, button: "Run now",
            notes: [Note("They become ready at once.")]
        ) { .runDelayed(queue: $0.queue, ids: $0.ids) }
    }

    /// E on Delay: another due time.
    mutating func openReschedule() {
        let sets = messageTargets
        guard !sets.isEmpty else {
            say("E changes when messages are due: enter opens a bucket", .dim)
            return
        }
        let verb = sets.reduce(0) { $0 + $1.ids.count } == 1 ? "is" : "are"
        dialog = Dialog(
            kind: .form(.reschedule(sets)), title: "Change when \(words(sets, delay.tab == 0 ? "delayed" : "waiting")) \(verb) due",
            notes: [],
            form: Form(fields: [.text("due", "Due", hint: "15m from now, 12:30, now")], buttons: [.init(label: "Change", hotkey: "S")]))
        updateForm()
    }

    /// J: spreads a bucket.
    mutating func openJitter() {
        guard screen == .delay, let bucket = selectedBucket else {
            say("J spreads a bucket of the release schedule: 5 Delay", .dim)
            return
        }
        guard bucket.fromMs >= 0, let to = bucket.toMs else {
            let why = bucket.fromMs < 0 ? "overdue messages are released as fast as the drain limit allows" : "this bucket has no end"
            say("nothing to spread: \(why)", .dim)
            return
        }
        let now = brokerNowMs
        dialog = Dialog(
            kind: .form(.jitter(queue: delayQueue, fromMs: now + bucket.fromMs, toMs: now + to)), title: "Jitter \(bucket.label)",
            notes: [
                Note(
                    "\(Short.counted(bucket.delayed, "delayed message")) of \(delayQueue ?? "all queues"), due in \(bucket.label):"
                ),
                Note("spread evenly at random over that span and this much longer. None gets earlier than now."),
            ],
            form: Form(
                fields: [.text("spread", "Spread", value: "60s", hint: "30s, 5m", accepts: .span)],
                buttons: [.init(label: "Jitter", hotkey: "S")]))
        updateForm()
    }

    /// R elsewhere, and M: sends messages on.
    mutating func openSendOn(isMove: Bool) -> [Effect] {
        guard let queue = inspector?.name.queue ?? queueTargets.first, screen != .delay else {
            say(
                isMove ? "M moves messages: 2 Queues, 6 Dead" : "R redrives a dead-letter queue (6), or runs delayed messages now (5)", .dim
            )
            return []
        }
        var subject = redriveSubject(queue)
        subject.isMove = isMove
        return openRedrive(subject)
    }
}
