import Testing

/// Every rule, seen failing.
@Suite struct RulesTests {
    private func file(_ text: String, path: String = "Sources/A/A.swift") -> SourceText { SourceText(path: path, text: text) }

    @Test func aLongFileIsFound() {
        #expect(Rules.longFile(file(String(repeating: "\n", count: 300))) == [])
        #expect(
            Rules.longFile(file(String(repeating: "\n", count: 301))) == [
                "Sources/A/A.swift: 301 lines, 300 are allowed: split it by topic"
            ])
    }

    @Test func aLongLineIsFound() {
        #expect(Rules.longLines(file("// " + String(repeating: "é", count: 137))) == [])
        #expect(
            Rules.longLines(file("\n// " + String(repeating: "é", count: 138))) == ["Sources/A/A.swift:2: 141 characters, 140 are allowed"])
    }

    @Test func aLongFunctionIsFound() {
        let body = String(repeating: "    x()\n", count: 69)
        let text = "struct A {\n  func short(\n  ) {}\n  func long<T>(_ f: () -> T = { 1 }) {\n\(body)  }\n}\n"
        #expect(
            Rules.longFunctions(file(text)) == ["Sources/A/A.swift:4: long has 71 lines, 70 are allowed: give its parts names"])
        #expect(Rules.longFunctions(file(text.replacing("    x()\n", with: "", maxReplacements: 1))) == [])
    }

    @Test func aRequirementHasNoBody() {
        let text = "protocol P {\n  func a()\n  func b() -> Int\n}\nstruct S {\n" + String(repeating: "  let x = 1\n", count: 90) + "}\n"
        #expect(Rules.longFunctions(file(text)) == [])
    }

    @Test func bracesInTextsAndCommentsDoNotCount() {
        let text = "func a() {\n  b(\"}\\(c(\"}\"))}\") // }\n  /* } /* } */ } */\n  d(#\"\"}\"#)\n  e(\"\"\"\n    }\n    \"\"\")\n"
        let long = text + String(repeating: "\n", count: 63) + "}\n"
        #expect(Rules.longFunctions(file(long)).count == 1)
    }

    @Test func unfinishedWorkIsFound() {
        for text in [
            "// TO" + "DO later", "/* FIX" + "ME */", "let x = try! f()", "let x = y as! Int", "do { } catch {}", "fatalError(\"x\")",
        ] {
            #expect(Rules.unfinished(file(text)).count == 1, "\(text)")
        }
        #expect(Rules.unfinished(file("let x = \"try! this\" // as! said")) == [])
    }

    @Test func machinePathsAreFound() {
        #expect(Rules.machinePaths("a.md", "see /ro" + "ot/x") == ["a.md: contains the machine path /ro" + "ot/"])
        #expect(Rules.machinePaths("a.md", "see Sources/A and /home/me") == [])
    }

    @Test func aDeadFileIsFound() {
        let used = file("struct Used { let deep = 1 }", path: "Sources/A/Used.swift")
        let user = file("let x = Used()\n@main enum M {}", path: "Sources/A/Main.swift")
        let dead = file("struct Dead { }  // Used", path: "Sources/A/Dead.swift")
        let mention = file("@main enum N { /* Dead */ let s = \"Dead\" }", path: "Sources/A/N.swift")
        #expect(Rules.deadFiles([used, user, dead, mention]) == ["Sources/A/Dead.swift: no other file uses Dead: remove it, or use it"])
    }

    @Test func anUpwardArrowIsFound() {
        #expect(Layers.upward([("A", []), ("B", ["A"])]) == [])
        #expect(Layers.upward([("A", ["B"]), ("B", [])]) == ["A must not depend on B"])
        #expect(Layers.upward([("A", ["A"])]) == ["A must not depend on A"])
    }

    @Test func aForbiddenImportIsFound() {
        let table: [(target: String, imports: [String])] = [("A", []), ("B", ["A"]), ("C", ["B"])]
        let text = "import Foundation\n@testable import A\ninternal import C\nimport B\nlet important = 1\n"
        #expect(
            Layers.forbiddenImports(file(text), target: "B", table: table) == [
                "Sources/A/A.swift: B must not import C", "Sources/A/A.swift: B must not import B",
            ])
    }

    @Test func aManifestIsRead() {
        let text = """
            let x = [
                .target(name: "A", swiftSettings: [.define("X")]),
                .target(name: "B", dependencies: ["A", nio, .product(name: "P", package: "p")]),
                .plugin(name: "G", capability: .buildTool(), dependencies: ["A"], path: "Sources/G"),
                .executableTarget(name: "C", dependencies: [
                    "A", "B",
                ]),
                .testTarget(name: "CTests", dependencies: ["C"]),
            ]
            """
        #expect(
            Layers.declared(inManifest: text).map { "\($0.target): \($0.imports)" } == [
                #"A: []"#, #"B: ["A"]"#, #"G: ["A"]"#, #"C: ["A", "B"]"#,
            ])
    }
}
