import Control
import Testing

@testable import Console
@testable import Terminal

@Suite struct DialogTests {
    @Test func purgeWantsTheName() async throws {
        var bench = try await Bench()
        try await bench.type("3G")
        try await bench.type("k")
        #expect(bench.model.selectedTopic == "orders")
        try await bench.type("P")
        #expect(bench.model.dialog?.title == "Delete records of orders")
        #expect(bench.screen.contains("1,204,331 records in 12 partitions"))
        #expect(bench.screen.contains("$ weir topic purge orders --yes"))
        #expect(bench.model.dialog?.form.focusedButton == 0)
        // Enter at once cancels; a wrong name does nothing; the right one acts.
        try await bench.press(.enter)
        #expect(bench.model.dialog == nil)
        try await bench.type("Porder")
        try await bench.press(.enter)
        #expect(bench.model.dialog?.message?.text == "`order` is not orders; nothing was done.")
        #expect(bench.changes.isEmpty)
        try await bench.type("s")
        try await bench.press(.enter)
        #expect(bench.changes == [.deleteRecords(topic: "orders", partition: nil, before: -1)])
        #expect(bench.status == "orders: 31,204 records deleted in 12 partitions")
    }

    @Test func deletingMarkedTopicsWantsTheirNumber() async throws {
        var bench = try await Bench()
        try await bench.type("3  D")
        #expect(bench.model.dialog?.title == "Delete 2 topics")
        #expect(bench.screen.contains("audit, clicks"))
        try await bench.type("audit")
        try await bench.press(.enter)
        #expect(bench.changes.isEmpty)
        try await bench.press(.control("u"))
        try await bench.type("2 topics")
        try await bench.press(.enter)
        #expect(bench.changes == [.deleteTopic(name: "audit"), .deleteTopic(name: "clicks")])
        #expect(bench.model.topics.list.marks.isEmpty)
    }

    @Test func createTopic() async throws {
        var bench = try await Bench()
        try await bench.type("A")
        #expect(bench.model.dialog?.form.focusedButton == 0)
        try await bench.type("pay ments")
        try await bench.press(.enter)
        #expect(bench.model.dialog?.form.focus == 1)
        try await bench.press(.control("u"))
        try await bench.type("0")
        try await bench.press(.enter, .enter)
        #expect(bench.model.dialog?.message?.text == "Name: only letters, digits, . _ and - are allowed.")
        bench.model.dialog?.form.setText("name", "payments")
        try await bench.press(.enter)
        #expect(bench.model.dialog?.message?.text == "Partitions: a number from 1 to 10,000.")
        bench.model.dialog?.form.setText("partitions", "6")
        try await bench.type("12h")
        #expect(bench.screen.contains("$ weir topic create payments --partitions 6 --config retention.ms=43200000"))
        try await bench.press(.enter)
        #expect(bench.changes == [.createTopic(name: "payments", partitions: 6, configs: ["retention.ms": "43200000"])])
        #expect(bench.model.dialog == nil)
    }

    @Test func resetPreviewsBeforeItStarts() async throws {
        var bench = try await Bench()
        try await bench.type("4O")
        #expect(bench.model.dialog?.title == "Reset offsets of group etl")
        #expect(bench.control.performed == [.resetOffsets(OffsetReset(group: "etl", topic: "orders", target: .earliest, dryRun: true))])
        #expect(bench.screen.contains("3 partitions of 3 move: 9,000 to be read again, 0 skipped"))
        #expect(bench.screen.contains("as of 12:04:31"))
        #expect(bench.screen.contains("$ weir group reset etl --topic orders --to earliest"))
        try await bench.type("d")
        #expect(bench.model.dialog?.title == "Dry run: 3 partitions")
        #expect(bench.screen.contains("4000"))
        try await bench.press(.escape)
        try await bench.type("S")
        #expect(bench.changes == [.resetOffsets(OffsetReset(group: "etl", topic: "orders", target: .earliest, dryRun: false))])
        #expect(bench.model.dialog == nil)
    }

    @Test func `a place that is typed is the one that is meant`() async throws {
        var bench = try await Bench()
        try await bench.type(":group reset etl")
        try await bench.press(.enter)
        let value = try #require(bench.model.dialog?.form.fields.firstIndex { $0.id == "value" })
        bench.model.dialog?.form.focus = value
        try await bench.type("12")
        #expect(bench.screen.contains("( ) earliest  ( ) latest  (x) offset  ( ) time"))
        #expect(bench.screen.contains("$ weir group reset etl --topic orders --to 12"))
        try await bench.type(":00")
        #expect(bench.screen.contains("( ) earliest  ( ) latest  ( ) offset  (x) time"))
        #expect(bench.model.dialog?.commandLine?.contains("--to-time") == true)
    }

    @Test func resetToATimeNeedsOneFirst() async throws {
        var bench = try await Bench()
        try await bench.type("4O")
        bench.model.dialog?.form.focus = 1
        try await bench.press(.left)
        #expect(bench.screen.contains("Dry run  needs a value: a time"))
        try await bench.type("S")
        #expect(bench.model.dialog?.message?.text == "No dry run of this yet; nothing was done.")
        try await bench.press(.down)
        try await bench.type("-2h")
        #expect(
            bench.control.performed.last
                == .resetOffsets(
                    OffsetReset(group: "etl", topic: "orders", target: .time(ms: FakeControl.startMs - 7_200_000), dryRun: true)))
        try await bench.press(.enter)
        #expect(bench.changes.count == 1)
    }

    @Test func aRefusedDryRunIsShownAndNotStarted() async throws {
        var bench = try await Bench()
        try await bench.type("4jO")
        #expect(bench.screen.contains("group billing has 2 members; stop them first"))
        try await bench.type("S")
        #expect(bench.changes.isEmpty)
    }

    @Test func aLatePreviewOfAnotherFormDoesNotCount() async throws {
        var bench = try await Bench()
        try await bench.type("4")
        _ = bench.model.handle(.character("O"), nowMs: bench.model.nowMs)
        let first = bench.model.lastCommandID
        bench.model.dialog?.form.focus = 1
        _ = bench.model.handle(.right, nowMs: bench.model.nowMs)
        let outcome = CommandOutcome(message: "", moves: [OffsetMove(topic: "orders", partition: 0, from: 1, to: 0, end: 9)])
        _ = bench.model.handleOutcome(.success(outcome), id: first, nowMs: bench.model.nowMs)
        try await bench.type("S")
        #expect(bench.model.dialog?.message?.text == "No dry run of this yet; nothing was done.")
    }

    @Test func readOnlyHidesAndRefuses() async throws {
        var bench = try await Bench(isReadOnly: true)
        #expect(bench.screen.contains("RO"))
        for (screen, keys) in [("1", "AO"), ("3", "APD"), ("4", "OD")] {
            try await bench.type(screen)
            #expect(!bench.screen.contains("purge"))
            #expect(!bench.screen.contains("delete"))
            #expect(!bench.screen.contains("reset"))
            for key in keys {
                try await bench.type(String(key))
                #expect(bench.model.dialog == nil)
                #expect(bench.status == "read-only: this console changes nothing (--read-only)")
            }
        }
        for line in [":topic delete orders", ":group reset etl --to earliest", ":topic create x"] {
            try await bench.type(line)
            try await bench.press(.enter)
        }
        #expect(bench.control.performed.isEmpty)
        #expect(Palette.completions(for: "topic ", in: bench.model).map(\.line) == ["topic describe "])
    }

    @Test func palettesResetOpensTheDialogWithItsDryRun() async throws {
        var bench = try await Bench()
        try await bench.type(":group reset etl --to 1200")
        try await bench.press(.enter)
        #expect(
            bench.control.performed == [.resetOffsets(OffsetReset(group: "etl", topic: "orders", target: .offset(1_200), dryRun: true))])
        #expect(bench.changes.isEmpty)
        #expect(bench.model.dialog?.form.text("value") == "1200")
    }

    @Test func palettesPurgeDoesWhatItsOptionsSay() async throws {
        var bench = try await Bench()
        try await bench.type(":topic purge orders --partition 3 --before 100")
        try await bench.press(.enter)
        #expect(bench.screen.contains("Deletes the records below offset 100 in partition 3."))
        try await bench.type("orders")
        try await bench.press(.enter)
        #expect(bench.changes == [.deleteRecords(topic: "orders", partition: 3, before: 100)])
        for line in [
            "topic purge orders --befor 100", "topic purge orders --before x", "topic delete orders --force", "group delete etl now",
        ] {
            try await bench.type(":" + line)
            try await bench.press(.enter)
            #expect(bench.model.dialog == nil, "\(line)")
            #expect(bench.status?.hasSuffix("nothing was done") == true, "\(line)")
        }
        try await bench.type(":topic create x --partitions 2 --config retention.ms=1000 --config segment.bytes=9")
        try await bench.press(.enter)
        #expect(
            bench.changes.last == .createTopic(name: "x", partitions: 2, configs: ["retention.ms": "1000", "segment.bytes": "9"]))
        #expect(bench.changes.count == 2)
    }

    @Test func longRefusalsAreWrapped() {
        let lines = DialogView.wrapped(Note("one two three four five six", .crit), width: 12)
        #expect(lines.map(\.text) == ["one two", "three four", "five six"])
    }
}
