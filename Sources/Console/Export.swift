import Control
import FoundationEssentials

/// A file that could not be written.
struct ExportError: Error, Equatable {
    var message: String
}

/// Writes the shown instant as JSON.
enum Export {
    /// `weir-20261122-120431.json` in a folder; returns its path.
    static func write(_ snapshot: Snapshot, folder: String, offset: Int64) throws(ExportError) -> String {
        let time = CivilTime.text(ms: snapshot.broker.nowMs, offset: offset)
        let stamp = time.filter(\.isNumber)
        let path = "\(folder)/weir-\(stamp.prefix(8))-\(stamp.suffix(6)).json"
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        do {
            try encoder.encode(snapshot).write(to: URL(filePath: path))
        } catch {
            throw ExportError(message: "can't write \(path): \(error)")
        }
        return path
    }
}
