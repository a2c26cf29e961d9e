import Control
import Testing

@testable import Console
@testable import Terminal

@Suite struct StateTests {
    @Test func staleSaysSoDimsAndComesBack() async throws {
        var bench = try await Bench(mode: .attached("127.0.0.1:15672"))
        bench.control.state.withLock { $0.isReachable = false }
        try await bench.fetch()
        #expect(bench.screen.contains("STALE 1s, retry 1 in 1s (r now)"))
        #expect(bench.screen.contains("127.0.0.1:15672 does not answer: is the broker up?"))
        try await bench.fetch()
        try await bench.fetch()
        #expect(bench.screen.contains("STALE 3s, retry 3 in 4s (r now)"))
        let canvas = Frame.draw(bench.model, theme: BuiltInTheme.spec.resolved(.ansi16))
        for x in 0..<100 { #expect(canvas[x, 10].style == Style(attributes: .dim)) }
        try await bench.type("3D")
        #expect(bench.model.dialog == nil)
        #expect(bench.status == "not connected: nothing can be changed now")
        try await bench.type("r")
        #expect(bench.effects.last == .fetch)
        bench.control.state.withLock { $0.isReachable = true }
        try await bench.fetch()
        #expect(bench.model.link == .live)
        #expect(bench.status == "connected again")
    }

    @Test func theHeaderSaysWhatIsWrongWithTheBroker() async throws {
        var bench = try await Bench()
        #expect(!bench.screen.contains("HELD disk") && !bench.screen.contains("BROKEN"))
        bench.control.state.withLock {
            $0.hold = PublishHold(cause: "disk", text: "the disk is short", sinceMs: 0)
            $0.broken = [BrokenShardRow(shard: 0, error: "EIO", atMs: 0)]
        }
        try await bench.fetch()
        #expect(bench.screen.contains(" HELD disk   BROKEN  RW"))
    }

    /// A filter that the broker can't read, a queue that was deleted: answers, not a lost connection.
    @Test func aRefusalIsNoLostConnection() async throws {
        var bench = try await Bench()
        try await bench.type("2")
        try await bench.press(.enter)
        let now = bench.model.nowMs
        bench.model.handleFailure(ControlError(.invalid, "'(' is no regular expression"), sinceMs: now, nowMs: now)
        #expect(bench.model.link == .live)
        #expect(bench.status == "'(' is no regular expression")
        #expect(bench.model.queues.opened == "shop.orders")
        bench.model.handleFailure(ControlError(.notFound, "there is no queue shop.orders"), sinceMs: now, nowMs: now)
        #expect(bench.model.queues.opened == nil)
        #expect(bench.model.link == .live)
    }

    @Test func backoffGrowsToItsLimit() {
        #expect((1...7).map { Link.backoffMs(attempt: $0) } == [1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000])
    }

    @Test func beforeTheFirstAnswer() {
        var model = ConsoleModel(
            mode: .attached("10.0.0.9:15672"), isReadOnly: false, size: Size(columns: 80, rows: 24), themes: [], themeName: "")
        let theme = BuiltInTheme.spec.resolved(.mono)
        #expect(Frame.draw(model, theme: theme).plainText.contains("connecting to 10.0.0.9:15672"))
        model.handleFailure(ControlError(.unreachable, "connection refused"), sinceMs: 0, nowMs: 1_000)
        let text = Frame.draw(model, theme: theme).plainText
        #expect(text.contains("connection refused"))
        #expect(text.contains("try 2 in 1s   r now   q quit"))
    }

    @Test(arguments: [100, 110, 119, 120, 135, 150, 200])
    func `the counts of dead letters and of problems stay in the header`(columns: Int) async throws {
        let bench = try await Bench(mode: .attached("127.0.0.1:15672"), size: Size(columns: columns, rows: 30))
        let header = bench.screen.split(separator: "\n")[0]
        #expect(header.contains("dead 214") && header.contains("│ !3"), "\(header)")
        #expect(!header.contains("…"))
        // What is needed least goes first.
        #expect(header.contains("127.0.0.1:15672") == (columns >= 200), "\(header)")
    }

    @Test func `the last line of the help is the end, and no line is cut`() async throws {
        var bench = try await Bench(size: Size(columns: 80, rows: 24))
        for screen in ["1", "2", "3", "4", "5", "6", "7", "8", "9"] {
            try await bench.type("\(screen)?")
            for _ in 0..<6 { try await bench.press(.pageDown) }
            let lines = bench.screen.split(separator: "\n")
            #expect(lines[20].contains("^L               redraw") || lines[19].contains("^L               redraw"), "\(lines)")
            for line in HelpText.lines(for: bench.model) { #expect(line.meaning.count <= 57, "\(line.meaning)") }
            try await bench.press(.escape)
        }
    }

    @Test func `an earlier instant says which lists it has not`() async throws {
        var bench = try await Bench()
        try await bench.type("6")
        try await bench.fetch(afterMs: 1_000)
        try await bench.type("1")
        try await bench.fetch(afterMs: 1_000)
        try await bench.type("z")
        #expect(!bench.screen.contains("not kept"))
        try await bench.type(",,")
        #expect(bench.screen.contains("queues and groups were not kept at this instant"))
    }

    @Test func `keys that do nothing here say so`() async throws {
        var bench = try await Bench()
        try await bench.type("x")
        #expect(bench.status == "no such key; ? lists them")
        try await bench.type("8v")
        #expect(bench.status == "no rows to mark here")
    }

    @Test func freezeStepsThroughWhatWasSeen() async throws {
        var bench = try await Bench()
        for _ in 0..<30 {
            bench.control.state.withLock { $0.groups[0].lag! += 1_000 }
            try await bench.fetch(afterMs: 1_000)
        }
        #expect(bench.model.shown?.groups.rows[1].lag == 61_200)
        try await bench.type("z")
        try await bench.fetch(afterMs: 1_000)
        #expect(bench.screen.contains("FROZEN -1s"))
        #expect(bench.model.shown?.broker.nowMs == FakeControl.startMs + 30_000)
        try await bench.type(",,,")
        #expect(bench.model.shown?.groups.rows[1].lag == 58_200)
        #expect(bench.screen.contains("12:04:58"))
        try await bench.type("4O")
        #expect(bench.status == "frozen: z goes back to now, then act")
        try await bench.type("1....")
        #expect(bench.model.shown?.broker.nowMs == FakeControl.startMs + 31_000)
        try await bench.type("z")
        #expect(!bench.model.isFrozen)
        #expect(!bench.screen.contains("FROZEN"))
    }

    @Test func steppingBackFreezes() async throws {
        var bench = try await Bench()
        try await bench.fetch(afterMs: 1_000)
        try await bench.type(",")
        #expect(bench.model.frozenMs == FakeControl.startMs)
        try await bench.press(.escape)
        #expect(!bench.model.isFrozen)
    }

    @Test func emptyBrokerSaysWhatToDo() async throws {
        var bench = try await Bench()
        bench.control.state.withLock { ($0.topics, $0.groups, $0.queues) = ([], [], []) }
        try await bench.type("3")
        #expect(bench.screen.contains("No topics. A creates one; a Kafka client that writes to a name creates it too."))
        try await bench.type("4")
        #expect(bench.screen.contains("No consumer groups. One appears when a client joins or commits."))
        try await bench.type("1")
        #expect(bench.screen.contains("No queue and no consumer group yet. Backlog shows here once there is one."))
    }

    @Test func everySizeDraws() async throws {
        var bench = try await Bench(topics: 40)
        for screen in ["1", "2", "3", "4", "5", "6", "8", "9"] {
            try await bench.type(screen)
            for columns in stride(from: 1, through: 240, by: 7) {
                for rows in stride(from: 1, through: 70, by: 3) {
                    bench.model.resize(Size(columns: columns, rows: rows))
                    let canvas = Frame.draw(bench.model, theme: BuiltInTheme.spec.resolved(.mono))
                    #expect(canvas.size == Size(columns: columns, rows: rows))
                }
            }
        }
    }

    @Test func columnsDoNotShiftWhenNumbersChange() async throws {
        var bench = try await Bench(size: Size(columns: 80, rows: 24))
        try await bench.type("4")
        let before = bench.screen.split(separator: "\n")[4]
        bench.control.state.withLock {
            for index in $0.groups.indices { $0.groups[index].lag = 999_949_999; $0.groups[index].lagRate = -99_949 }
        }
        try await bench.fetch()
        #expect(bench.screen.split(separator: "\n")[4] == before)
        for line in bench.screen.split(separator: "\n")[5...9] { #expect(line.contains("1000M") || line.contains(" 1.0G ")) }
    }

    @Test func dialogsFitSmallScreens() async throws {
        var bench = try await Bench(size: Size(columns: 80, rows: 24))
        for keys in ["1q", "3A", "3P", "3D", "4O", "4D", "1t", "1?"] {
            try await bench.press(.escape, .escape)
            try await bench.type(keys)
            #expect(bench.model.dialog != nil || bench.model.helpTop != nil, "\(keys)")
            let lines = bench.screen.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count == 25)
            #expect(bench.screen.contains(keys == "1?" ? "Keys: Overview" : bench.model.dialog?.title ?? "-"))
        }
    }
}

/// Below 60×15 every key is still answered by a line.
@Suite struct TinyTests {
    @Test func `what is asked, typed and answered is shown on a tiny screen`() async throws {
        var bench = try await Bench(size: Size(columns: 44, rows: 6))
        try await bench.type("2P")
        #expect(bench.screen.contains("Purge shop.orders") && bench.screen.contains("[Cancel]"))
        try await bench.type("shop.or")
        #expect(bench.screen.contains("shop.or") && bench.screen.contains("Type shop.orders"))
        try await bench.press(.enter)
        #expect(bench.screen.contains("is not shop.orders"))
        try await bench.press(.escape)
        try await bench.type(":queue hold thumbs")
        #expect(bench.screen.contains(":queue hold thumbs"))
        try await bench.press(.enter)
        #expect(bench.screen.contains("thumbs"))
        try await bench.type("/sho")
        #expect(bench.screen.contains("/sho"))
        try await bench.press(.escape)
        try await bench.type("!J")
        #expect(bench.status.map { bench.screen.contains($0.prefix(30)) } == true)
        try await bench.type("?")
        #expect(bench.screen.contains("Keys: Queues"))
    }

    @Test func `nothing traps on the smallest of screens`() async throws {
        for (columns, rows) in [(1, 1), (10, 2), (20, 3), (59, 5), (200, 4)] {
            var bench = try await Bench(size: Size(columns: columns, rows: rows))
            for keys in ["2P", ":red", "2A", "6R", "t", "?"] {
                try await bench.press(.escape, .escape, .escape)
                try await bench.type(keys)
                #expect(bench.screen.split(separator: "\n", omittingEmptySubsequences: false).count >= rows)
            }
        }
    }
}
