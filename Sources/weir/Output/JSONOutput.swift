import Control

/// `--json`: an array of objects on standard output, one line.
enum JSONOutput {
    static func print(_ rows: [some Encodable]) throws {
        do throws(ControlError) {
            Swift.print(String(decoding: try ControlJSON.encode(rows), as: UTF8.self))
        } catch {
            throw CommandFailure(error)
        }
    }
}

/// One object of `--json`: its fields in any order, those without a value as null.
struct JSONRow: Encodable {
    private struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    var fields: [(String, any Encodable)]

    init(_ fields: [(String, any Encodable)]) { self.fields = fields }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Name.self)
        for (name, value) in fields { try container.encode(value, forKey: Name(stringValue: name)) }
    }
}

/// What a verb that changes something says under `--json`; `undo` and `job` only where there is one.
struct OutcomeRow: Encodable {
    var name: String
    var message: String
    /// For `weir undo`.
    var undo: String?
    /// For `weir job show`.
    var job: Int64?
}
