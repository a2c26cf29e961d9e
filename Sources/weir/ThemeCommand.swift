import ArgumentParser
import FoundationEssentials
import Terminal

/// `weir theme …`
struct ThemeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "theme", abstract: "List and check the console's themes.", subcommands: [List.self, Check.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List the themes there are.")

        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let names = ThemeCommand.library.names
            if json { return try JSONOutput.print(names.map { ["name": $0] }) }
            print(names.joined(separator: "\n"))
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Check that a theme can be read, in its file and on the screen.",
            discussion: "Names unknown keys and values, and every colour with too little contrast (WCAG 2.2: 4.5 for text, 3 for lines).")

        @Argument(help: "Names or files; all themes when none is given.") var themes: [String] = []
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            var library = ThemeCommand.library
            var rows: [ThemeFindingRow] = []
            for name in themes.isEmpty ? library.names : themes {
                let spec = library.find(name)
                let remarks = library.warnings.filter { $0.theme == name || $0.theme == spec?.name }
                rows += remarks.map { ThemeFindingRow(theme: $0.theme, line: $0.line, problem: $0.message) }
                guard let spec else { continue }
                rows += ThemeCheck.findings(spec, ground: ThemeCheck.ground(of: spec)).filter { !$0.isEnough }.map { finding in
                    let tenths = (finding.ratio * 10).rounded() / 10
                    return ThemeFindingRow(
                        theme: spec.name, line: nil, problem: "\(finding.key) has contrast \(tenths), \(finding.needed) is needed")
                }
            }
            if json {
                try JSONOutput.print(rows)
            } else {
                for row in rows { print("\(row.theme)\(row.line.map { ":\($0)" } ?? ""): \(row.problem)") }
            }
            if !rows.isEmpty {
                throw CommandFailure("\(rows.count) problem\(rows.count == 1 ? "" : "s") found: change the colours or lines named above")
            }
            if !json { print("no problems found") }
        }
    }

    static var library: ThemeLibrary {
        ThemeLibrary(
            folders: ThemeLibrary.folders(environment: ProcessInfo.processInfo.environment, executable: ThemeLibrary.executablePath))
    }
}

/// `weir theme check --json`
struct ThemeFindingRow: Encodable {
    var theme: String
    var line: Int?
    var problem: String
}
