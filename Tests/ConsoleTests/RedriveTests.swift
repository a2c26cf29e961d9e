import Control
import Testing

@testable import Console
@testable import Terminal

@Suite struct RedriveTests {
    @Test func theDialogCountsStartsAndShowsTheJobToItsEnd() async throws {
        var bench = try await Bench()
        try await bench.type("6R")
        #expect(bench.model.dialog?.title == "Redrive payments.dlq")
        let text = bench.screen
        for line in [
            "What    (x) all 214", "Where   (x) back to origin: payments 210  ( ) other queue:  [",
            "Rate    [50    ]/s  ramp from [5   ]/s",
            "Guard   [x] canary [1  ]  wait ack [10s ]  [x] stop if > [5   ]% die again",
            "Poison  [x] skip if redriven >= [2  ]  (4 will be skipped)",
            "Dry run 210 go, 4 skip, 0 without origin, 0 over limit    about 4.3s", "as of 12:04:31: later arrivals are not included",
            "[ Cancel ] Esc   [ Start ] S   d dry-run list   y copy command",
        ] { #expect(text.contains(line), "\(line)\n\(text)") }
        #expect(bench.model.dialog?.form.focusedButton == 0)
        #expect(bench.changes.isEmpty)
        try await bench.type("d")
        #expect(bench.model.dialog?.title == "Dry run: Redrive payments.dlq")
        #expect(bench.screen.contains("redriven 2 times: 4"))
        try await bench.press(.escape)
        try await bench.type("S")
        guard case .redrive(let started) = bench.queueChanges.first else {
            Issue.record("no redrive")
            return
        }
        #expect(!started.dryRun)
        // Nothing that died after the counts.
        #expect(started.watermark == [214])
        #expect(started.canary == 1)
        #expect(started.stopIfDead == 0.05)
        #expect(started.holdAbove == 5_000)
        #expect(bench.status == "job 17: redrive of payments.dlq started")
        #expect(bench.model.watchedJob == 17)

        bench.control.state.withLock { $0.jobs[0].sent = 76 }
        try await bench.fetch()
        let line = bench.screen.split(separator: "\n")[27]
        #expect(line.hasPrefix(" job 17 redrive payments.dlq > origin  [██████████████░░░░░░░░░░░░░] 76/152  50/s  0 died  C cancel"))
        // On every screen.
        try await bench.type("3")
        #expect(bench.screen.contains("job 17 redrive payments.dlq"))
        bench.control.state.withLock {
            ($0.jobs[0].state, $0.jobs[0].sent, $0.jobs[0].acked, $0.jobs[0].diedAgain) = (.done, 149, 147, 2)
            $0.jobs[0].skipped = 3
        }
        try await bench.fetch()
        #expect(bench.status == "job 17 redrive payments.dlq: 149 sent, 147 acked, 2 died again, 3 skipped")
        #expect(!bench.screen.contains("C cancel"))
        #expect(bench.model.watchedJob == nil)
    }

    @Test func cancelIsOneKey() async throws {
        var bench = try await Bench()
        try await bench.type("6RS")
        try await bench.type("1C")
        #expect(bench.queueChanges.last == .cancelJob(id: 17))
        try await bench.fetch()
        #expect(bench.status == "job 17 redrive payments.dlq: 0 sent, 0 acked, 0 died again (cancelled)")
        try await bench.type("8")
        #expect(bench.screen.contains("cancelled"))
        try await bench.type("C")
        #expect(bench.status == "job 17 is over (cancelled)")
    }

    @Test func anotherRateIsPartOfWhatStarts() async throws {
        var bench = try await Bench()
        try await bench.type("6R")
        let rate = try #require(bench.model.dialog?.form.fields.firstIndex { $0.id == "rate" })
        bench.model.dialog?.form.focus = rate
        try await bench.press(.control("u"))
        // S is no digit: it starts from within a number.
        try await bench.type("2kS")
        guard case .redrive(let started) = bench.queueChanges.first else {
            Issue.record("no redrive")
            return
        }
        #expect(started.rate == 2_000)
        #expect(started.target == nil)
    }

    @Test func otherQueueNeedsAName() async throws {
        var bench = try await Bench()
        try await bench.type("6R")
        bench.model.dialog?.form.focus = 1
        try await bench.press(.right)
        #expect(bench.screen.contains("Dry run needs a queue: Where, other queue"))
        try await bench.type("S")
        #expect(bench.model.dialog?.message?.text == "Needs a queue: Where, other queue; nothing was done.")
        bench.model.dialog?.form.focus = 2
        try await bench.type("parking")
        bench.model.dialog?.form.focus = 0
        try await bench.type("S")
        guard case .redrive(let started) = bench.queueChanges.first else {
            Issue.record("no redrive")
            return
        }
        #expect(started.target == "parking")
    }

    @Test func `a queue that is typed is the one it goes to`() async throws {
        var bench = try await Bench()
        try await bench.type("6R")
        bench.model.dialog?.form.focus = 2
        try await bench.type("p")
        #expect(bench.screen.contains("( ) back to origin  (x) other queue:  [p "))
        #expect(bench.screen.contains("$ weir redrive payments.dlq --to p"))
        // An empty text chooses nothing.
        try await bench.press(.backspace)
        bench.model.dialog?.form.focus = 1
        try await bench.press(.left)
        bench.model.dialog?.form.focus = 2
        try await bench.press(.backspace)
        #expect(bench.model.dialog?.form.choice("where") == 0)
    }

    @Test func markedReasonFilterAndAll() async throws {
        var bench = try await Bench()
        try await bench.type("6")
        try await bench.press(.enter)
        #expect(bench.screen.contains("delivery_limit: TimeoutError: gateway gw-2"))
        // On a reason: it is offered first.
        try await bench.type("R")
        #expect(bench.screen.contains("(x) this reason 203  ( ) all 214"))
        #expect(bench.screen.contains("$ weir redrive payments.dlq --reason 'delivery_limit: TimeoutError: gateway gw-2'"))
        try await bench.press(.escape)
        // Enter on a reason filters; marks come before the filter.
        try await bench.press(.enter)
        #expect(bench.model.dead.messages.filter == "reason~delivery_limit: TimeoutError: gateway gw-2")
        #expect(bench.screen.contains("203 match"))
        try await bench.type("  R")
        #expect(bench.screen.contains("(x) marked 2  ( ) filter 203  ( ) all 214"))
        try await bench.type("S")
        guard case .redrive(let started) = bench.queueChanges.first else {
            Issue.record("no redrive")
            return
        }
        #expect(started.filter.ids == ["0/10212", "0/10213"])
        #expect(bench.model.dead.messages.marks.isEmpty)
    }

    @Test func fromTheOverviewsAttentionLine() async throws {
        var bench = try await Bench()
        #expect(bench.screen.contains("CRIT dead   payments.dlq"))
        try await bench.type("R")
        #expect(bench.model.dialog?.title == "Redrive payments.dlq")
    }

    @Test func aCountThatIsOldDoesNotStart() async throws {
        var bench = try await Bench()
        try await bench.type("6")
        _ = bench.model.handle(.character("R"), nowMs: bench.model.nowMs)
        let first = bench.model.lastCommandID
        let poison = try #require(bench.model.dialog?.form.fields.firstIndex { $0.id == "poison" })
        bench.model.dialog?.form.focus = poison
        _ = bench.model.handle(.character(" "), nowMs: bench.model.nowMs)
        // The first count is still under way: no second is sent before it is back.
        #expect(bench.model.lastCommandID == first)
        _ = bench.model.handle(.character("S"), nowMs: bench.model.nowMs)
        #expect(bench.model.dialog?.message?.text == "No dry run of this yet; nothing was done.")
        let effects = bench.model.handleOutcome(
            .success(CommandOutcome(message: "", preview: Preview())), id: first, nowMs: bench.model.nowMs)
        guard case .perform(.queue(.redrive(let asked)), _) = effects.first else {
            Issue.record("the form as it is now was not counted")
            return
        }
        #expect(asked.dryRun)
        #expect(asked.skipIfRedriven == nil)
    }

    @Test func paletteFillsTheDialogIn() async throws {
        var bench = try await Bench()
        try await bench.type(":redrive payments.dlq --rate 7 --to parking --canary 3")
        try await bench.press(.enter)
        #expect(bench.model.dialog?.form.text("rate") == "7")
        #expect(bench.model.dialog?.form.text("to") == "parking")
        #expect(bench.screen.contains("$ weir redrive payments.dlq --to parking --rate 7 --canary 3"))
        #expect(bench.changes.isEmpty)
        try await bench.press(.escape)
        try await bench.type(":redrive payments.dlq --rate fast")
        try await bench.press(.enter)
        #expect(bench.status == "`--rate fast`: not understood; nothing was done")
        #expect(bench.model.dialog == nil)
    }

    @Test func moveNeedsADestination() async throws {
        var bench = try await Bench()
        try await bench.type("6M")
        #expect(bench.model.dialog?.title == "Move from payments.dlq")
        bench.model.dialog?.form.focus = 2
        try await bench.type("parking")
        bench.model.dialog?.form.focus = 0
        try await bench.type("S")
        guard case .redrive(let started) = bench.queueChanges.first else {
            Issue.record("no move")
            return
        }
        #expect(started.target == "parking")
        #expect(started.rate == nil)
    }

    @Test func dialogsFitEightyColumns() async throws {
        var bench = try await Bench(size: Size(columns: 80, rows: 24))
        for keys in ["6R", "2O", "2A", "2P", "2W", "6M", "5jJ"] {
            try await bench.press(.escape, .escape)
            try await bench.type(keys)
            let title = try #require(bench.model.dialog?.title, "\(keys)")
            let lines = bench.screen.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(bench.screen.contains(title))
            #expect(bench.screen.contains("[ Cancel ]"), "\(keys)\n\(bench.screen)")
            for line in lines.dropFirst(3) where line.contains("│") { #expect(line.hasSuffix("│"), "\(keys): \(line)") }
        }
    }
}
