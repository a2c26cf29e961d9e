import ArgumentParser
import Console
import Control
import Terminal

/// `weir frame`
struct FrameCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frame", abstract: "Print one frame of the console of a running broker, as plain text.")

    @OptionGroup var door: AdminDoor
    @Option(help: "The screen: \(ScreenID.allCases.map(\.rawValue).joined(separator: ", ")).") var screen = ScreenID.overview

    @Option(
        help: ArgumentHelp("Columns and rows. (default: 100x30)", valueName: "columns x rows"), transform: { try FrameCommand.size($0) })
    var size: Size?

    @Flag(help: "Draw with 7-bit characters only.") var ascii = false

    func run() async throws {
        let text: String
        do throws(ControlError) {
            text = try await FrameRenderer.plainText(
                of: door.control, screen: screen, size: size ?? Size(columns: 100, rows: 30), isASCII: ascii)
        } catch {
            throw CommandFailure(error)
        }
        if door.json {
            return try JSONOutput.print([
                FrameRow(screen: screen.rawValue, rows: text.split(separator: "\n", omittingEmptySubsequences: false))
            ])
        }
        print(text, terminator: "")
    }

    /// `100x30`; a frame has at least 20×5 and at most 500×200 cells.
    static func size(_ text: String) throws(ValidationError) -> Size {
        let parts = text.split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let columns = Int(parts[0]), let rows = Int(parts[1]), (20...500).contains(columns),
            (5...200).contains(rows)
        else { throw ValidationError("write COLUMNSxROWS from 20x5 to 500x200, such as 100x30") }
        return Size(columns: columns, rows: rows)
    }
}

/// `weir frame --json`
private struct FrameRow: Encodable {
    var screen: String
    var rows: [String]

    init(screen: String, rows: [Substring]) {
        self.screen = screen
        self.rows = rows.map(String.init)
    }
}

extension ScreenID: ExpressibleByArgument {}
