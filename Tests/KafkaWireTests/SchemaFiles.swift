import Foundation
import SchemaCompiler

/// The schema text that KafkaWire is generated from.
enum SchemaFiles {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/KafkaWire/Messages")

    /// Parsed once; a failure is kept as well.
    static let parsed = Result { try parse() }

    static func all() throws -> [Schema] { try parsed.get() }

    private static func parse() throws -> [Schema] {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "kafka" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .map { try SchemaParser.parse(String(contentsOf: $0, encoding: .utf8), file: $0.lastPathComponent) }
    }
}
