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

/// What a verb that changes something says under `--json`.
struct OutcomeRow: Encodable {
    var name: String
    var message: String
}
