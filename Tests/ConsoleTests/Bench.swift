import Control

@testable import Console
@testable import Terminal

/// A model at a fake broker: type keys, let it fetch, see what it sends.
struct Bench {
    var model: ConsoleModel
    let control: FakeControl
    /// Effects that are not commands, in order.
    var effects: [Effect] = []

    init(
        topics: Int = 0, queues: Int = 0, mode: ConsoleModel.Mode = .embedded, isReadOnly: Bool = false,
        size: Size = Size(columns: 100, rows: 30)
    ) async throws {
        control = FakeControl(topics: topics, queues: queues)
        model = ConsoleModel(
            mode: mode, isReadOnly: isReadOnly, size: size,
            themes: [BuiltInTheme.spec, ThemeSpec(name: "mono", lines: [:])], themeName: "default")
        try await fetch()
    }

    /// One round to the broker, as the loop does it.
    mutating func fetch(afterMs: Int64 = 0) async throws {
        control.state.withLock { $0.nowMs += afterMs }
        let query = model.query()
        do {
            let snapshot = try await control.snapshot(query)
            model.handle(snapshot, nowMs: snapshot.broker.nowMs, asked: query)
        } catch {
            model.handleFailure(error, sinceMs: model.nowMs, nowMs: model.nowMs + 1_000)
        }
    }

    /// Types keys; commands go to the broker and their outcomes come back; the screen is fetched anew wherever a key asks for other rows,
    /// as the loop does it, and at the end.
    mutating func press(_ keys: Key...) async throws {
        for key in keys {
            let before = model.query()
            try await perform(model.handle(key, nowMs: model.nowMs))
            if ConsoleModel.differs(before, model.query()), model.link.isLive { try await fetch() }
        }
        try await fetch()
    }

    mutating func type(_ text: String) async throws {
        for character in text {
            let before = model.query()
            try await perform(model.handle(.character(character), nowMs: model.nowMs))
            if ConsoleModel.differs(before, model.query()), model.link.isLive { try await fetch() }
        }
        try await fetch()
    }

    /// Presses the dialog's first button after Cancel.
    mutating func submit() async throws {
        if let fields = model.dialog?.form.fields.count { model.dialog?.form.focus = fields + 1 }
        try await press(.enter)
    }

    private mutating func perform(_ wanted: [Effect]) async throws {
        for effect in wanted {
            guard case .perform(let command, let id) = effect else {
                effects.append(effect)
                continue
            }
            let result: Result<CommandOutcome, ControlError>
            do { result = .success(try await control.perform(command)) } catch { result = .failure(error) }
            effects += model.handleOutcome(result, id: id, nowMs: model.nowMs)
        }
    }

    /// Queue commands that changed something.
    var queueChanges: [QueueCommand] { changes.compactMap { if case .queue(let command) = $0 { command } else { nil } } }

    /// Commands that changed something.
    var changes: [Command] {
        control.performed.filter { !$0.onlyPreviews }
    }

    var screen: String { Frame.draw(model, theme: BuiltInTheme.spec.resolved(.mono)).plainText }
    var status: String? { model.status?.note.text }
}
