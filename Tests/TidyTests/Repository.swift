import Foundation

/// The files of the repository this test was built from.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Paths relative to the root, sorted; `folder` is a path below the root.
    static func files(in folder: String, suffixes: [String]) throws -> [String] {
        let base = root.appending(path: folder)
        guard let walk = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil) else {
            throw CocoaError(.fileNoSuchFile)
        }
        var paths: [String] = []
        for case let url as URL in walk where suffixes.contains(where: { url.path.hasSuffix($0) }) {
            paths.append(String(url.path.dropFirst(root.path.count + (root.path.hasSuffix("/") ? 0 : 1))))
        }
        return paths.sorted()
    }

    static func text(_ path: String) throws -> String { try String(contentsOf: root.appending(path: path), encoding: .utf8) }

    static func swift(in folder: String) throws -> [SourceText] {
        try files(in: folder, suffixes: [".swift"]).map { SourceText(path: $0, text: try text($0)) }
    }

    static func topLevel() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: root.path).sorted() }
}
