import Testing

/// The repository against the rules.
@Suite struct TidyTests {
    /// Files that may be longer, each with the reason.
    private static let longFiles: [String: String] = [
        "Sources/Control/Snapshot.swift": "one value with its parts: flat structures whose initialisers Swift does not make public"
    ]

    @Test func filesAndFunctionsAreShort() throws {
        let files = try Repository.swift(in: "Sources") + Repository.swift(in: "Tests")
        #expect(files.count > 50)
        #expect(files.filter { Self.longFiles[$0.path] == nil }.flatMap(Rules.longFile) == [])
        #expect(files.flatMap(Rules.longFunctions) == [])
        #expect(files.flatMap(Rules.longLines) == [])
    }

    @Test func exceptionsAreNeeded() throws {
        for path in Self.longFiles.keys {
            #expect(Rules.longFile(SourceText(path: path, text: try Repository.text(path))) != [], "\(path) needs no exception any more")
        }
    }

    @Test func nothingIsLeftUnfinished() throws {
        #expect(try Repository.swift(in: "Sources").flatMap(Rules.unfinished) == [])
    }

    @Test func everyFileIsUsed() throws {
        #expect(Rules.deadFiles(try Repository.swift(in: "Sources")) == [])
    }

    @Test func noPathOfAMachineIsNamed() throws {
        let suffixes = [".swift", ".c", ".h", ".py", ".sh", ".md", ".yml", ".kafka", ".theme"]
        for folder in ["Sources", "Tests", "themes", ".ci", ".github"] {
            for path in try Repository.files(in: folder, suffixes: suffixes + (folder == ".ci" ? ["run", "test", "install"] : [])) {
                #expect(Rules.machinePaths(path, try Repository.text(path)) == [])
            }
        }
        #expect(Rules.machinePaths("README.md", try Repository.text("README.md")) == [])
    }

    @Test func dependenciesPointDownwardAndTheManifestSaysTheSame() throws {
        #expect(Layers.upward(Layers.table) == [])
        let declared = Layers.declared(inManifest: try Repository.text("Package.swift"))
        #expect(declared.map { "\($0.target): \($0.imports)" } == Layers.table.map { "\($0.target): \($0.imports)" })
    }

    @Test func importsFollowTheTable() throws {
        for row in Layers.table {
            for file in try Repository.swift(in: "Sources/\(row.target)") {
                #expect(Layers.forbiddenImports(file, target: row.target, table: Layers.table) == [])
            }
        }
    }

    @Test func theTopLevelHoldsOnlyWhatBelongsThere() throws {
        // Package.resolved is written by the package manager and not kept.
        let allowed: Set = ["Package.swift", "Package.resolved", "Sources", "Tests", "themes", "README.md", "LICENSE"]
        #expect(try Repository.topLevel().filter { !$0.hasPrefix(".") && !allowed.contains($0) } == [])
    }
}
