import Glibc

/// Rows for people and for pipes: aligned columns on a terminal, tab-separated cells elsewhere.
struct Table {
    enum Alignment { case left, right }

    struct Column {
        var title: String
        var alignment: Alignment

        static func text(_ title: String) -> Column { Column(title: title, alignment: .left) }
        static func number(_ title: String) -> Column { Column(title: title, alignment: .right) }
    }

    let columns: [Column]
    private(set) var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ cells: [String]) {
        precondition(cells.count == columns.count, "one cell a column")
        rows.append(cells.map(Self.printable))
    }

    /// `NAME    RECORDS` and so on, without trailing spaces, each line ended.
    func text(aligned: Bool) -> String {
        let lines = [columns.map(\.title)] + rows
        guard aligned else { return lines.map { $0.joined(separator: "\t") + "\n" }.joined() }
        let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            var text = ""
            for (column, cell) in line.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                text += (column == 0 ? "" : "  ") + (columns[column].alignment == .right ? padding + cell : cell + padding)
            }
            return String(text.reversed().drop { $0 == " " }.reversed()) + "\n"
        }.joined()
    }

    func print() { Swift.print(text(aligned: isatty(STDOUT_FILENO) == 1), terminator: "") }

    /// Names come from clients: a control character must not reach the terminal.
    private static func printable(_ cell: String) -> String {
        guard cell.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return cell }
        return String(String.UnicodeScalarView(cell.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }
}
