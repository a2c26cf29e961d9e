import Control
import Testing

@testable import Console
@testable import Terminal

@Suite struct KeyTests {
    @Test func digitsOpenScreens() async throws {
        var bench = try await Bench()
        try await bench.type("3")
        #expect(bench.model.screen == .topics)
        try await bench.type("7")
        #expect(bench.model.screen == .clients)
        try await bench.type("41")
        #expect(bench.model.screen == .overview)
    }

    @Test func theCursorFollowsItsRowAndTheTopStaysTop() async throws {
        var bench = try await Bench()
        try await bench.type("4")
        #expect(bench.model.selectedGroup == "etl")
        // Billing overtakes: an untouched cursor stays on the first line, which is billing now.
        bench.control.state.withLock { $0.groups[0].lag = 9_000_000 }
        try await bench.fetch()
        #expect(bench.model.selectedGroup == "billing")
        try await bench.type("j")
        #expect(bench.model.selectedGroup == "etl")
        bench.control.state.withLock { $0.groups[0].lag = 5 }
        try await bench.fetch()
        #expect(bench.model.selectedGroup == "etl")
        #expect(bench.model.groups.list.cursor == 0)
        try await bench.type("G")
        #expect(bench.model.selectedGroup == "nightly-report")
        try await bench.type("gg")
        #expect(bench.model.groups.list.cursor == 0)
        #expect(bench.model.groups.list.pinned == nil)
    }

    @Test func onlyVisibleRowsAreAskedFor() async throws {
        var bench = try await Bench(topics: 1_000, size: Size(columns: 80, rows: 24))
        try await bench.type("3")
        let visible = 16
        #expect(bench.model.query().topics?.start == 0)
        #expect(bench.model.query().topics?.count == 3 * visible)
        try await bench.press(.pageDown, .pageDown, .pageDown)
        let query = try #require(bench.model.query().topics)
        #expect(query.start == bench.model.topics.list.top - visible)
        #expect(bench.model.selectedTopic != nil)
        try await bench.type("G")
        #expect(bench.model.topics.list.cursor == 1_003)
        #expect(bench.model.selectedTopic == "thumbnails.requested")
        #expect(bench.screen.contains("989-1004 of 1,004") || bench.screen.contains("of 1,004"))
    }

    @Test func filterNarrowsAsItIsTyped() async throws {
        var bench = try await Bench()
        try await bench.type("3/th")
        #expect(bench.screen.contains("1 of 4"))
        #expect(bench.model.selectedTopic == "thumbnails.requested")
        try await bench.press(.enter)
        #expect(bench.screen.contains("filter th  1 of 4"))
        try await bench.press(.escape)
        #expect(bench.model.topics.list.filter.isEmpty)
        try await bench.type("/zzz")
        #expect(bench.screen.contains("No topic matches zzz. Esc shows all."))
        try await bench.press(.escape)
        #expect(bench.model.prompt == nil)
        #expect(bench.screen.contains("orders"))
    }

    @Test func sorting() async throws {
        var bench = try await Bench()
        try await bench.type("4")
        #expect(bench.model.groups.list.sort == "lag")
        try await bench.type("s")
        #expect(!bench.model.groups.list.isDescending)
        try await bench.type(">")
        #expect(bench.model.groups.list.sort == "behindMs")
        #expect(bench.model.groups.list.isDescending)
        try await bench.type("<<")
        #expect(bench.model.groups.list.sort == "status")
    }

    @Test func marks() async throws {
        var bench = try await Bench()
        try await bench.type("3 j ")
        #expect(bench.model.topics.list.marks == ["audit", "orders"])
        try await bench.type("a")
        #expect(bench.model.topics.list.marks.count == 4)
        try await bench.type("a")
        #expect(bench.model.topics.list.marks.isEmpty)
        try await bench.type("ggvjjv")
        #expect(bench.model.topics.list.marks == ["audit", "clicks", "orders"])
        try await bench.press(.escape)
        #expect(bench.model.topics.list.marks.isEmpty)
    }

    @Test func enterOpensAndEscapeGoesBack() async throws {
        var bench = try await Bench(size: Size(columns: 80, rows: 24))
        try await bench.type("j")
        try await bench.press(.enter)
        #expect(bench.model.screen == .groups)
        #expect(bench.model.groups.opened == "billing")
        #expect(bench.screen.contains("billing-5 re-commits 8787034 of orders/3 since 12:00:19 without moving"))
        try await bench.press(.tab)
        #expect(bench.screen.contains("10.0.4.15"))
        try await bench.press(.escape)
        #expect(bench.model.groups.opened == nil)
        try await bench.type("3/orders")
        try await bench.press(.enter, .enter)
        try await bench.press(.tab, .enter)
        #expect(bench.model.screen == .groups)
        #expect(bench.model.groups.opened == "billing")
    }

    @Test func paletteCompletesAndRuns() async throws {
        var bench = try await Bench()
        try await bench.type(":gro")
        let lines = Palette.completions(for: "gro", in: bench.model).map(\.line)
        #expect(lines == ["groups", "group describe ", "group reset ", "group alter ", "group delete "])
        try await bench.press(.escape)
        try await bench.type(":topic describe or")
        try await bench.press(.tab, .enter)
        #expect(bench.model.topics.opened == "orders")
        try await bench.type(":nonsense")
        try await bench.press(.enter)
        #expect(bench.status == "no such command: nonsense; Tab shows what there is")
        try await bench.type(":topic create payments --partitions 6")
        try await bench.press(.enter)
        #expect(bench.changes == [.createTopic(name: "payments", partitions: 6, configs: [:])])
        #expect(bench.status == "payments: created with 6 partitions")
        try await bench.type(":topic create bad/name")
        try await bench.press(.enter)
        #expect(bench.changes.count == 1)
        #expect(bench.model.dialog?.message?.text == "Name: only letters, digits, . _ and - are allowed.")
    }

    @Test func refreshThemeExportCopy() async throws {
        var bench = try await Bench()
        try await bench.type("--")
        #expect(bench.model.refreshMs == 250)
        try await bench.type("+")
        #expect(bench.model.refreshMs == 500)
        try await bench.type("tj")
        #expect(bench.model.themeName == "mono")
        try await bench.press(.escape)
        #expect(bench.model.themeName == "default")
        try await bench.type("t")
        try await bench.press(.down, .enter)
        #expect(bench.model.themeName == "mono")
        try await bench.type("4y")
        #expect(bench.effects.last == .copy("etl"))
        try await bench.type("e")
        guard case .export(let snapshot) = bench.effects.last else {
            Issue.record("no export")
            return
        }
        #expect(snapshot == bench.model.live)
    }

    @Test func mouse() async throws {
        var bench = try await Bench(size: Size(columns: 80, rows: 24))
        try await bench.press(.mouse(Mouse(.press, x: 16, y: 1)))
        #expect(bench.model.screen == .topics)
        try await bench.press(.mouse(Mouse(.press, x: 10, y: 7)))
        #expect(bench.model.selectedTopic == "orders")
        try await bench.press(.mouse(Mouse(.press, x: 10, y: 7)))
        #expect(bench.model.topics.opened == "orders")
    }

    @Test func controlZ() async throws {
        var embedded = try await Bench()
        try await embedded.press(.control("z"))
        #expect(embedded.effects.isEmpty)
        #expect(embedded.status?.contains("would stop the broker") == true)
        var attached = try await Bench(mode: .attached("x:1"))
        try await attached.press(.control("z"))
        #expect(attached.effects == [.suspend])
    }

    @Test func quitAsksOnlyWhereTheBrokerIsInside() async throws {
        var attached = try await Bench(mode: .attached("x:1"))
        try await attached.type("q")
        #expect(attached.effects == [.end(.closed)])
        var bench = try await Bench()
        try await bench.type("q")
        #expect(bench.screen.contains("weir console --attach 127.0.0.1:15672"))
        try await bench.press(.enter)
        #expect(bench.model.dialog == nil)
        #expect(bench.effects.isEmpty)
        try await bench.type("qx")
        #expect(bench.effects == [.end(.closed)])
        try await bench.type("S")
        #expect(bench.effects.last == .end(.stopBroker))
    }

    @Test func lineEditor() {
        var editor = LineEditor("weir topic")
        for key: Key in [.control("w"), .character("g"), .home, .delete, .character("W"), .end, .backspace] { _ = editor.handle(key) }
        #expect(editor.text == "Weir ")
        _ = editor.handle(.control("u"))
        #expect(editor.text.isEmpty)
        let isUsed = editor.handle(.pageUp)
        #expect(!isUsed)
        for _ in 0...LineEditor.maxLength { _ = editor.handle(.character("x")) }
        #expect(editor.text.count == LineEditor.maxLength && editor.isCut)
    }
}
