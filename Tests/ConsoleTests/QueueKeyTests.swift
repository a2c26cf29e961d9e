import Control
import Testing

@testable import Console
@testable import Terminal

@Suite struct QueueKeyTests {
    @Test func purgeWantsTheNameAndUndoBringsItBack() async throws {
        var bench = try await Bench()
        try await bench.type("2")
        #expect(bench.model.selectedQueue == "shop.orders")
        try await bench.type("P")
        #expect(bench.model.dialog?.title == "Purge shop.orders")
        #expect(bench.screen.contains("Takes 31,200 ready and 0 retrying messages out of the way."))
        #expect(bench.screen.contains("[ ] cancel the 210 delayed ones too, for good"))
        #expect(bench.screen.contains("$ weir queue purge shop.orders --yes"))
        bench.model.dialog?.form.focus = 0
        try await bench.type("shop.order")
        try await bench.press(.enter)
        #expect(bench.model.dialog?.message?.text == "`shop.order` is not shop.orders; nothing was done.")
        #expect(bench.changes.isEmpty)
        try await bench.type("s")
        try await bench.press(.enter)
        #expect(bench.queueChanges == [.purge(queue: "shop.orders", delayed: false)])
        #expect(bench.status == "shop.orders: 31200 messages purged   u undoes")
        #expect(bench.control.state.withLock { $0.queues[0].ready } == 0)
        try await bench.type("u")
        #expect(bench.queueChanges.last == .undo(id: "u-shop.orders"))
        #expect(bench.status == "shop.orders: 31200 messages are back")
        try await bench.type("u")
        #expect(bench.queueChanges.count == 2)
        #expect(bench.status == "nothing to undo here; 9 Audit lists what was done")
    }

    @Test func purgeWithTheDelayedOnes() async throws {
        var bench = try await Bench()
        try await bench.type("2P")
        bench.model.dialog?.form.focus = 1
        try await bench.type(" ")
        #expect(bench.screen.contains("$ weir queue purge shop.orders --delayed --yes"))
        bench.model.dialog?.form.focus = 0
        try await bench.type("shop.orders")
        try await bench.press(.enter)
        #expect(bench.queueChanges == [.purge(queue: "shop.orders", delayed: true)])
    }

    @Test func holdAndBlockAreOneKeyAndUndone() async throws {
        var bench = try await Bench()
        try await bench.type("2H")
        #expect(bench.queueChanges == [.gate(queue: "shop.orders", .delivery, held: true)])
        #expect(bench.status == "shop.orders: delivery held   u undoes")
        #expect(bench.screen.contains("HELD"))
        try await bench.type("B")
        #expect(bench.queueChanges.last == .gate(queue: "shop.orders", .publishing, held: true))
        #expect(bench.screen.contains("H+B"))
        try await bench.type("u")
        #expect(bench.queueChanges.last == .gate(queue: "shop.orders", .publishing, held: false))
        try await bench.type("H")
        #expect(bench.queueChanges.last == .gate(queue: "shop.orders", .delivery, held: false))
        #expect(bench.control.state.withLock { $0.queues[0].held } == false)
    }

    @Test func holdingMarkedQueuesHoldsThoseThatRun() async throws {
        var bench = try await Bench()
        // By ready: shop.orders, email.out, thumbs, payments.batch (held already), payments.dlq, shop.orders.retry.
        try await bench.type("2jj  H")
        #expect(bench.model.queues.list.marks.isEmpty)
        #expect(bench.queueChanges == [.gate(queue: "thumbs", .delivery, held: true)])
    }

    @Test func undoFromTheAuditLog() async throws {
        var bench = try await Bench()
        try await bench.type("2P")
        bench.model.dialog?.form.focus = 0
        try await bench.type("shop.orders")
        try await bench.press(.enter)
        try await bench.type("9")
        #expect(bench.screen.contains("weir queue purge shop.orders --yes"))
        try await bench.type("u")
        #expect(bench.queueChanges.last == .undo(id: "u-shop.orders"))
        #expect(bench.control.state.withLock { $0.queues[0].ready } == 31_200)
        // The line of the undo itself is on top now and offers nothing.
        try await bench.type("ggu")
        #expect(bench.status == "this can't be undone any more")
        try await bench.type("y")
        #expect(bench.effects.last == .copy("weir undo u-shop.orders"))
    }

    @Test func declareSendsOnlyWhatIsSet() async throws {
        var bench = try await Bench()
        try await bench.type("2A")
        #expect(bench.model.dialog?.title == "Declare a queue")
        bench.model.dialog?.form.setText("name", "invoices")
        bench.model.dialog?.form.setText("delay", "3")
        bench.model.dialog?.form.setText("levels", "10s,30s,1m")
        bench.model.dialog?.form.setText("depth", "100k")
        bench.model.dialog?.form.setText("ttl", "x")
        try await bench.submit()
        #expect(bench.model.dialog?.message?.text == "Time to live: times such as 10s, 5m, 1h30m.")
        bench.model.dialog?.form.setText("ttl", "1h")
        try await bench.submit()
        #expect(
            bench.queueChanges == [
                .declare(
                    queue: "invoices",
                    settings: [
                        "delay.level": "3", "retry.levels": "10s,30s,1m", "dead.letter": "auto", "max.depth": "100000",
                        "ttl.ms": "3600000",
                    ])
            ])
        #expect(bench.status == "invoices: declared")
    }

    @Test func settingsSendWhatChanged() async throws {
        var bench = try await Bench()
        try await bench.type("2")
        try await bench.press(.enter)
        try await bench.type("E")
        #expect(bench.model.dialog?.title == "Settings of shop.orders")
        #expect(bench.model.dialog?.form.text("attempts") == "16")
        try await bench.submit()
        #expect(bench.model.dialog?.message?.text == "Nothing is changed yet.")
        bench.model.dialog?.form.setText("attempts", "")
        bench.model.dialog?.form.setText("rateIn", "500")
        try await bench.submit()
        #expect(bench.changes == [.alter(SettingsChange(.queue, "shop.orders", set: ["rate.in": "500"], unset: ["delivery.limit"]))])
    }

    @Test func deleteWantsTheName() async throws {
        var bench = try await Bench()
        try await bench.type("2D")
        #expect(bench.screen.contains("Deletes 1 queue with 32,210 messages."))
        #expect(bench.screen.contains("8 consumers work on it now. This can't be undone."))
        try await bench.type("shop.orders")
        try await bench.press(.enter)
        #expect(bench.queueChanges == [.delete(queue: "shop.orders")])
        #expect(!bench.control.state.withLock { $0.queues.contains { $0.name == "shop.orders" } })
    }

    @Test func writeAMessage() async throws {
        var bench = try await Bench()
        try await bench.type("2W")
        bench.model.dialog?.form.setText("headers", "trace=7f retry")
        try await bench.type("S")
        // Typing began in the first field.
        #expect(bench.model.dialog?.form.text("value") == "S")
        bench.model.dialog?.form.focus = 3
        try await bench.press(.enter)
        #expect(bench.model.dialog?.message?.text == "Headers: NAME=VALUE, a space between.")
        bench.model.dialog?.form.setText("headers", "trace=7f")
        bench.model.dialog?.form.setText("delay", "90s")
        try await bench.press(.enter)
        #expect(
            bench.queueChanges == [
                .write(
                    queue: "shop.orders", key: nil, value: "S", headers: [MessageHeader(name: "trace", value: "7f")], delayMs: 90_000)
            ])
    }

    @Test func replayIsCountedBeforeItApplies() async throws {
        var bench = try await Bench()
        try await bench.type("2O")
        var replay = Replay(queue: "shop.orders")
        replay.from = .time(ms: FakeControl.startMs - 3_600_000)
        replay.dryRun = true
        #expect(bench.control.performed == [.queue(.replay(replay))])
        #expect(bench.screen.contains("Dry run 1,204 messages would be ready again, 0 not"))
        #expect(bench.changes.isEmpty)
        try await bench.type("S")
        replay.dryRun = false
        #expect(bench.queueChanges == [.replay(replay)])
        #expect(bench.status == "shop.orders: 1204 messages ready again   u undoes")
    }

    /// `-1h` is an hour before the dry run, however long the operator reads its counts.
    @Test func whatWasCountedIsReplayedThoughTheClockMovesOn() async throws {
        var bench = try await Bench()
        try await bench.type("2O")
        try await bench.fetch(afterMs: 3_000)
        try await bench.type("S")
        var replay = Replay(queue: "shop.orders")
        replay.from = .time(ms: FakeControl.startMs - 3_600_000)
        replay.dryRun = false
        #expect(bench.queueChanges == [.replay(replay)])
    }

    @Test func aReplayWithoutAValueIsNotStarted() async throws {
        var bench = try await Bench()
        try await bench.type("2O")
        bench.model.dialog?.form.focus = 0
        try await bench.press(.left)
        bench.model.dialog?.form.setText("value", "")
        try await bench.type("S")
        #expect(bench.model.dialog?.message?.text == "Needs a value: an offset; nothing was done.")
        #expect(bench.changes.isEmpty)
    }

    @Test func openedQueueShowsMessagesConsumersAndSettings() async throws {
        var bench = try await Bench()
        try await bench.type("2")
        try await bench.press(.enter)
        #expect(bench.model.query().messages?.queue == "shop.orders")
        #expect(bench.screen.contains("{\"order\":7000"))
        try await bench.press(.tab)
        #expect(bench.screen.contains("< stuck"))
        try await bench.press(.tab, .tab, .tab)
        #expect(bench.screen.contains("delivery.limit"))
        try await bench.press(.escape)
        #expect(bench.model.queues.opened == nil)
    }

    @Test func discardWantsTheCount() async throws {
        var bench = try await Bench()
        try await bench.type("2")
        try await bench.press(.enter)
        try await bench.type("  X")
        #expect(bench.model.dialog?.title == "Discard 2 messages of shop.orders")
        try await bench.type("3")
        try await bench.press(.enter)
        #expect(bench.changes.isEmpty)
        try await bench.press(.backspace)
        try await bench.type("2")
        try await bench.press(.enter)
        #expect(bench.queueChanges == [.discard(queue: "shop.orders", ids: ["0/58000", "0/58001"])])
    }

    @Test func onlyVisibleQueuesAreAskedForAndAKeyIsQuick() async throws {
        var bench = try await Bench(queues: 10_000)
        try await bench.type("2")
        let query = try #require(bench.model.query().queues)
        #expect(query.start == 0)
        #expect(query.count <= 60)
        try await bench.type("G")
        #expect(bench.model.selectedQueue != nil)
        #expect(bench.screen.contains("of 10,006"))
        #expect(bench.model.query().topics == nil)
    }

    @Test func readOnlyRefusesEveryKey() async throws {
        var bench = try await Bench(isReadOnly: true)
        for (screen, keys) in [("2", "PHBRMOWAD"), ("5", "REXJ"), ("6", "RXMP"), ("8", "C"), ("9", "u")] {
            try await bench.type(screen)
            #expect(!bench.screen.contains("purge"))
            for key in keys {
                try await bench.type(String(key))
                #expect(bench.model.dialog == nil)
                #expect(bench.status == "read-only: this console changes nothing (--read-only)", "\(screen)\(key)")
            }
        }
        for line in [
            "redrive payments.dlq", "replay shop.orders", "queue purge x", "queue hold x", "undo u1", "job cancel 1", "delay run q d0-1",
        ] {
            try await bench.type(":" + line)
            try await bench.press(.enter)
        }
        #expect(bench.control.performed.isEmpty)
    }

    @Test func paletteHasTheCommandLinesWords() async throws {
        var bench = try await Bench()
        for line in [
            "queue hold thumbs", "queue resume thumbs --publishing", "job cancel 9", "undo u-7", "delay cancel shop.orders d0-1 d0-2",
        ] {
            try await bench.type(":" + line)
            try await bench.press(.enter)
        }
        #expect(
            bench.queueChanges == [
                .gate(queue: "thumbs", .delivery, held: true), .gate(queue: "thumbs", .publishing, held: false), .cancelJob(id: 9),
                .undo(id: "u-7"), .cancelDelayed(queue: "shop.orders", ids: ["d0-1", "d0-2"]),
            ])
        try await bench.type(":queue hold thumbs --now")
        try await bench.press(.enter)
        #expect(bench.status?.hasSuffix("nothing was done") == true)
        try await bench.type(":queue purge thumbs")
        try await bench.press(.enter)
        #expect(bench.model.dialog?.title == "Purge thumbs")
        try await bench.press(.escape)
        try await bench.type(":delay shop.orders")
        try await bench.press(.enter)
        #expect(bench.screen.contains("queue: shop.orders"))
    }

    @Test func emptyStatesNameTheNextKey() async throws {
        var bench = try await Bench(queues: -1)
        try await bench.type("2")
        #expect(bench.screen.contains("No queues. A declares one"))
        try await bench.type("6")
        #expect(bench.screen.contains("No dead letters. They come here when retries are used up; 2 shows the queues."))
        try await bench.type("8")
        #expect(bench.screen.contains("No jobs. R on a dead-letter queue (6) starts a redrive."))
        try await bench.type("9")
        #expect(bench.screen.contains("Nothing was done yet."))
    }
}
