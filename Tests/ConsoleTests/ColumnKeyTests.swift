import Control
import Terminal
import Testing

@testable import Console

/// `w`: which columns a table shows.
@Suite struct ColumnKeyTests {
    private func head(_ bench: Bench) -> String {
        bench.screen.split(separator: "\n").first { $0.contains("NAME") || $0.contains("TOPIC ") }.map(String.init) ?? ""
    }

    @Test func `space hides a column, a shows all, and other tables keep theirs`() async throws {
        var bench = try await Bench(size: Size(columns: 160, rows: 40))
        try await bench.type("2")
        #expect(head(bench).contains("UNACK") && head(bench).contains("STATE"))
        try await bench.type("w")
        #expect(bench.screen.contains("[x] STATE") && bench.screen.contains("> [x] NAME"))
        // NAME, STATE, READY, UNACK
        try await bench.type("j jj ")
        #expect(bench.screen.contains("[ ] STATE") && bench.screen.contains("[ ] UNACK"))
        try await bench.press(.escape)
        #expect(!head(bench).contains("UNACK") && !head(bench).contains("STATE") && head(bench).contains("READY"))
        #expect(bench.screen.contains("cols 12/14 (w)"))
        try await bench.type("3")
        #expect(!bench.screen.contains("(w)"))
        try await bench.type("2")
        #expect(bench.screen.contains("cols 12/14 (w)"))
        try await bench.type("wa")
        try await bench.press(.enter)
        #expect(head(bench).contains("UNACK") && !bench.screen.contains("(w)"))
    }

    @Test func `the name stays`() async throws {
        var bench = try await Bench()
        try await bench.type("2w ")
        #expect(bench.screen.contains("[x] NAME") && bench.model.dialog?.message?.text == "NAME always stays.")
    }

    @Test func `every table screen has columns to choose`() async throws {
        var bench = try await Bench()
        for (key, table) in [
            ("2", TableID.queues), ("3", .topics), ("4", .groups), ("6", .dead), ("7", .clients), ("8", .jobs), ("9", .audit),
        ] {
            try await bench.type(key + "w")
            #expect(bench.model.dialog?.kind == .columns(ColumnPick(table: table)))
            try await bench.press(.escape)
        }
        for table in TableID.allCases {
            let titles = table.columns.map(\.title)
            #expect(Set(titles).count == titles.count && table.columns.contains { !$0.mayHide }, "\(table)")
        }
        try await bench.type("1w")
        #expect(bench.model.dialog == nil)
    }
}
