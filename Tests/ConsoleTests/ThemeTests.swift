import Foundation
import Testing

@testable import Terminal

@Suite struct ThemeTests {
    static let folder = GoldenTests.folder.appending(path: "../../../themes").standardized.path

    @Test func oneLineCarriesEveryFallback() {
        let (spec, warnings) = ThemeParser.parse("crit = #bf616a 131 red bold", name: "t")
        #expect(warnings.isEmpty)
        #expect(spec.resolved(.direct)[.crit] == Style(foreground: Colour(0xBF616A), attributes: .bold))
        #expect(spec.resolved(.indexed256)[.crit] == Style(foreground: Colour(131), attributes: .bold))
        #expect(spec.resolved(.ansi16)[.crit] == Style(foreground: Colour(1), attributes: .bold))
        #expect(spec.resolved(.mono)[.crit] == Style(attributes: .bold))
    }

    @Test func whatIsMissingIsComputed() {
        let spec = ThemeParser.parse("ok = #00ff00\nselection = default on #3b4252 mono reverse\ntext = bright-blue", name: "t").spec
        #expect(spec.resolved(.indexed256)[.ok].foreground == Colour(46))
        #expect(spec.resolved(.ansi16)[.ok].foreground == Colour(10))
        #expect(spec.resolved(.indexed256)[.selection].background == Colour(16 + 36 + 6 + 2))
        #expect(spec.resolved(.mono)[.selection] == Style(attributes: .reverse))
        // A direct-colour terminal keeps only the palette's first eight: bright is bold there.
        #expect(spec.resolved(.direct)[.text] == Style(foreground: Colour(4), attributes: .bold))
    }

    @Test func mistakesAreReportedWithTheirLine() {
        let text = "# comment\n\nok = green\nkrit = red\nwarn yellow\ninfo = blurple 999\nok = blue\n"
        let (spec, warnings) = ThemeParser.parse(text, name: "mine")
        #expect(
            warnings.map(\.description) == [
                "mine:4: unknown key `krit`; did you mean `crit`?", "mine:5: no `=` in this line; it should read `key = colour`",
                "mine:6: `blurple` is no colour (#rrggbb, 0-255 or a name) and no attribute",
                "mine:6: `999` is no colour (#rrggbb, 0-255 or a name) and no attribute",
                "mine:7: `ok` is set twice; the later one counts",
            ])
        #expect(spec.resolved(.ansi16)[.ok].foreground == Colour(4))
    }

    @Test func theBuiltInThemeIsTheFile() throws {
        let text = try String(contentsOfFile: "\(Self.folder)/default.theme", encoding: .utf8)
        #expect(ThemeParser.parse(text, name: "default").spec == BuiltInTheme.spec)
    }

    @Test func aBinaryAloneHasTheShippedThemes() throws {
        let alone = ThemeLibrary(folders: [])
        #expect(alone.names == ThemeLibrary(folders: [Self.folder]).names)
        for shipped in ShippedThemes.specs {
            let text = try String(contentsOfFile: "\(Self.folder)/\(shipped.name).theme", encoding: .utf8)
            #expect(ThemeParser.parse(text, name: shipped.name).spec == shipped, "\(shipped.name).theme and its copy in the code differ")
        }
        let folders = ThemeLibrary.folders(environment: ["XDG_DATA_HOME": "/d"], executable: "/p/bin/weir")
        #expect(folders.contains("/p/share/weir/themes") && folders.last == "/d/weir/themes")
    }

    @Test func shippedThemesAreWholeAndReadable() {
        let library = ThemeLibrary(folders: [Self.folder])
        #expect(library.warnings.isEmpty)
        #expect(library.names == ["default", "dark", "deuteranopia", "high-contrast", "light", "mono", "nord"])
        for spec in library.specs {
            #expect(Set(spec.lines.keys) == Set(ThemeKey.allCases), "\(spec.name)")
            let ground = ThemeCheck.ground(of: spec)
            for finding in ThemeCheck.findings(spec, ground: ground) where spec.name != "default" {
                #expect(finding.isEnough, "\(spec.name) \(finding.key): \(finding.ratio) of \(finding.needed)")
            }
        }
    }

    @Test func everyKeyIsDocumentedInTheDefaultTheme() throws {
        let lines = try String(contentsOfFile: "\(Self.folder)/default.theme", encoding: .utf8).split(separator: "\n")
        for key in ThemeKey.allCases {
            let index = try #require(lines.firstIndex { $0.hasPrefix("\(key.rawValue) = ") })
            #expect(lines[index - 1] == "# \(key.meaning)")
        }
    }

    @Test func search() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "weir-themes-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try "crit = magenta\n".write(toFile: "\(folder)/mine.theme", atomically: true, encoding: .utf8)
        var library = ThemeLibrary(folders: [folder, "/nowhere"])
        #expect(Set(library.names).isSuperset(of: ["default", "mine", "nord"]))
        let found = library.find("mine")
        let mine = try #require(found)
        #expect(mine.lines[.crit]?.foreground.ansi == 5)
        #expect(mine.lines[.ok] == BuiltInTheme.spec.lines[.ok])
        let (byPath, absent) = (library.find("\(folder)/mine.theme"), library.find("absent"))
        #expect(byPath == mine)
        #expect(absent == nil)
        #expect(library.warnings.last?.description == "absent: no such theme; there are \(library.names.joined(separator: ", "))")
        try FileManager.default.removeItem(atPath: folder)
        let folders = ThemeLibrary.folders(environment: ["HOME": "/h"], executable: "/p/.build/x/release/weir")
        #expect(
            folders == [
                "/h/.config/weir/themes", "/p/.build/x/share/weir/themes", "/p/.build/x/release/themes", "/p/.build/x/themes",
                "/p/.build/themes", "/p/themes",
            ])
    }

    @Test func contrast() {
        #expect(abs(ThemeCheck.contrast(RGB(0, 0, 0), RGB(255, 255, 255)) - 21) < 0.01)
        #expect(abs(ThemeCheck.contrast(RGB(0x77, 0x77, 0x77), RGB(255, 255, 255)) - 4.48) < 0.01)
        let poor = ThemeParser.parse("text = #404040 on #000000", name: "t").spec
        #expect(ThemeCheck.findings(poor).map(\.isEnough) == [false])
    }
}
