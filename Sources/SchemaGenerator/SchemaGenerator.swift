import Foundation
import SchemaCompiler

/// `SchemaGenerator print FILE…` shows the Swift that schema files turn into; `SchemaGenerator generate DIRECTORY FILE…` writes it,
/// one file for each and the table of APIs, for the build plugin.
@main
enum SchemaGenerator {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            switch arguments.first {
            case "print" where arguments.count >= 2: try printSwift(arguments.dropFirst())
            case "generate" where arguments.count >= 3: try generate(into: arguments[1], arguments.dropFirst(2))
            default:
                report("usage: SchemaGenerator print FILE… | generate DIRECTORY FILE…")
                exit(64)
            }
        } catch {
            report("\(error)")
            exit(1)
        }
    }

    private static func schemas(_ files: ArraySlice<String>) throws -> [Schema] {
        try files.map { try SchemaParser.parse(String(contentsOfFile: $0, encoding: .utf8), file: $0) }
    }

    private static func printSwift(_ files: ArraySlice<String>) throws {
        let schemas = try schemas(files)
        for schema in schemas { print(SchemaCompiler.messages(schema)) }
        print(SchemaCompiler.table(schemas), terminator: "")
    }

    private static func generate(into directory: String, _ files: ArraySlice<String>) throws {
        let schemas = try schemas(files)
        let folder = URL(fileURLWithPath: directory, isDirectory: true)
        for (file, schema) in zip(files, schemas) {
            let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
            try write(SchemaCompiler.messages(schema), to: folder.appendingPathComponent("\(name)Messages.swift"))
        }
        try write(SchemaCompiler.table(schemas), to: folder.appendingPathComponent(SchemaCompiler.tableFile))
    }

    /// Leaves a file alone that has this text already, so that nothing is compiled again for it.
    private static func write(_ text: String, to url: URL) throws {
        if let old = try? String(contentsOf: url, encoding: .utf8), old == text { return }
        try text.write(to: url, atomically: true, encoding: .utf8)
    }

    private static func report(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }
}
