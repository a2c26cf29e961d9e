import Control
import Model
import Terminal

/// The console's thread: waits for keys, answers and time; updates the model; presents frames.
///
/// Keys never wait for data: snapshots are fetched by a task and handed over through the ``Mailbox``. One fetch is under way at a time.
final class ConsoleLoop {
    private let control: any Control
    private let options: ConsoleOptions
    private let mailbox: Mailbox
    private let screen: Screen
    private let glyphs: GlyphLevel
    private var model: ConsoleModel
    private var theme: Theme

    private var isFetching = false
    private var fetchStarted: UInt64 = 0
    private var nextFetch: UInt64 = 0
    private var lastQuery: SnapshotQuery?
    private var lastAnswerMs: Int64
    private var end: ConsoleEnd?
    /// Frames that only data asked for wait until then on a slow line.
    private var quietUntil: UInt64 = 0

    /// A fetch without an answer for this long counts as lost; it is not sent again before it fails or answers.
    private static let patienceMs: UInt64 = 5_000
    /// A frame that takes longer to write than this is a slow line's.
    private static let slowFrameMs: UInt64 = 150
    /// Keys taken before a frame is drawn.
    private static let keysPerFrame = 64

    init(control: any Control, options: ConsoleOptions, mailbox: Mailbox) throws(ScreenError) {
        self.control = control
        self.options = options
        self.mailbox = mailbox
        let isUTF8 = Locale.takeOver()
        let term = options.environment["TERM"] ?? "dumb"
        glyphs = GlyphLevel.detect(isASCIIForced: options.isASCII, isUTF8: isUTF8, term: term)
        var screenOptions = Screen.Options(term: term, wanted: ColourDepth.wanted(environment: options.environment))
        screenOptions.inputDescriptor = options.inputDescriptor
        screenOptions.outputDescriptor = options.outputDescriptor
        screenOptions.hasMouse = options.hasMouse
        screen = try Screen(screenOptions)
        let (library, name) = options.library()
        model = ConsoleModel(mode: options.mode, isReadOnly: options.isReadOnly, size: screen.size, themes: library.specs, themeName: name)
        theme = model.theme.resolved(screen.depth, glyphs: glyphs)
        lastAnswerMs = options.clock.now.ms
        model.start(nowMs: lastAnswerMs, refreshMs: options.refreshMs, warnings: library.warnings)
    }

    private var monotonicMs: UInt64 { options.clock.monotonic.ns / 1_000_000 }

    /// Runs until the user leaves, the terminal goes, or a stop is posted. Closes the screen.
    func run() -> ConsoleEnd {
        defer { screen.close() }
        var isDirty = true
        while true {
            for message in mailbox.take() {
                isDirty = true
                take(message)
            }
            if let end { return end }
            fetchIfDue()
            let now = monotonicMs
            if isDirty, now >= quietUntil {
                guard present() else { return .terminalLost }
                isDirty = false
            }
            let wake = screen.wait(timeoutMs: timeout(isDirty: isDirty))
            if wake.contains(.lost) { return .terminalLost }
            if wake.contains(.resized) {
                screen.resize()
                model.resize(screen.size)
                quietUntil = 0
                isDirty = true
            }
            if wake.contains(.key), takeKeys() {
                quietUntil = 0
                isDirty = true
            }
            isDirty = passTime() || isDirty
            if let end { return end }
        }
    }

    // MARK: time

    private func timeout(isDirty: Bool) -> Int {
        let now = monotonicMs
        var until = isFetching ? now + 1_000 : nextFetch
        if isDirty { until = min(until, quietUntil) }
        // Countdowns and the status line move by the second.
        if !model.link.isLive || model.status != nil { until = min(until, now + 1_000) }
        return Int(until > now ? min(until - now, 10_000) : 0)
    }

    /// Whether the passing of time alone changed what is shown.
    private func passTime() -> Bool {
        let before = model
        model.tick(nowMs: options.clock.now.ms)
        if isFetching, model.link.isLive, monotonicMs - fetchStarted > Self.patienceMs {
            model.handleFailure(ControlError(.unreachable, "no answer for 5 s"), sinceMs: lastAnswerMs, nowMs: model.nowMs)
        }
        return model.status != before.status || model.link != before.link
            || (!model.link.isLive && model.nowMs / 1000 != before.nowMs / 1000)
    }

    // MARK: data

    private func fetchIfDue() {
        guard !isFetching else { return }
        var query = model.query()
        let isDue = monotonicMs >= nextFetch
        // Only what the screen shows is a reason to ask early, not what moves with the clock.
        let isOther = lastQuery.map { ConsoleModel.differs($0, query) } ?? false
        guard isDue || (isOther && model.link.isLive) else { return }
        if model.live == nil { query.historyPoints = HistoryStore.capacity }
        lastQuery = query
        isFetching = true
        fetchStarted = monotonicMs
        nextFetch = fetchStarted + UInt64(model.refreshMs)
        let (control, mailbox) = (control, mailbox)
        Task.detached {
            do throws(ControlError) {
                mailbox.post(.snapshot(try await control.snapshot(query)))
            } catch {
                mailbox.post(.failure(error))
            }
        }
    }

    private func take(_ message: Mailbox.Message) {
        let now = options.clock.now.ms
        switch message {
        case .snapshot(let snapshot):
            isFetching = false
            lastAnswerMs = now
            model.utcOffset = Locale.utcOffsetSeconds(atMs: snapshot.broker.nowMs)
            model.handle(snapshot, nowMs: now, asked: lastQuery)
        case .failure(let error):
            isFetching = false
            model.handleFailure(error, sinceMs: lastAnswerMs, nowMs: now)
            if case .stale(_, _, let retryMs, _) = model.link { nextFetch = monotonicMs + UInt64(max(0, retryMs - now)) }
        case .outcome(let result, let id): perform(model.handleOutcome(result, id: id, nowMs: now))
        case .stop: end = .cancelled
        }
    }

    // MARK: keys and effects

    private func takeKeys() -> Bool {
        var count = 0
        while count < Self.keysPerFrame, let key = screen.nextKey() {
            count += 1
            perform(model.handle(key, nowMs: options.clock.now.ms))
            if end != nil { break }
        }
        return count > 0
    }

    private func perform(_ effects: [Effect]) {
        for effect in effects {
            switch effect {
            case .perform(let command, let id): send(command, id: id)
            case .end(let reason): end = reason
            case .copy(let text): if !screen.copy(text) { model.report("too long to copy", isProblem: true) }
            case .export(let snapshot): export(snapshot)
            case .suspend:
                screen.suspend()
                screen.resize()
                model.resize(screen.size)
            case .redraw: screen.redraw()
            case .fetch: nextFetch = 0
            }
        }
    }

    private func send(_ command: Command, id: Int) {
        let (control, mailbox) = (control, mailbox)
        Task.detached {
            do throws(ControlError) {
                mailbox.post(.outcome(.success(try await control.perform(command)), id: id))
            } catch {
                mailbox.post(.outcome(.failure(error), id: id))
            }
        }
    }

    private func export(_ snapshot: Snapshot) {
        do throws(ExportError) {
            let path = try Export.write(snapshot, folder: options.exportFolder, offset: model.utcOffset)
            model.report("exported to \(path)", isProblem: false)
        } catch {
            model.report(error.message, isProblem: true)
        }
    }

    // MARK: frames

    private func present() -> Bool {
        if theme.name != model.themeName {
            theme = model.theme.resolved(screen.depth, glyphs: glyphs)
        }
        let started = monotonicMs
        let isThere = screen.present(Frame.draw(model, theme: theme))
        let took = monotonicMs - started
        quietUntil = took > Self.slowFrameMs ? monotonicMs + 1_000 : 0
        return isThere
    }
}
