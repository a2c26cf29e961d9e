import Control
import Terminal

/// `w`: which columns a table has, for as long as the console runs.
extension ConsoleModel {
    mutating func openColumns() {
        guard let table = activeTable else {
            say("w chooses the columns of a list: there is none here", .dim)
            return
        }
        dialog = Dialog(kind: .columns(ColumnPick(table: table)), title: "Columns", notes: [], form: Form(fields: [], buttons: []))
    }

    mutating func handleColumns(_ key: Key, _ pick: ColumnPick) {
        var pick = pick
        let columns = pick.table.columns
        switch key {
        case .down, .character("j"), .tab: pick.cursor = min(pick.cursor + 1, columns.count - 1)
        case .up, .character("k"), .backTab: pick.cursor = max(pick.cursor - 1, 0)
        case .home: pick.cursor = 0
        case .end, .character("G"): pick.cursor = columns.count - 1
        case .character(" "), .character("x"):
            let column = columns[pick.cursor]
            guard column.mayHide else {
                dialog?.message = Note("\(column.title) always stays.", .dim)
                return
            }
            var hidden = hiddenColumns[pick.table] ?? []
            if hidden.remove(column.title) == nil { hidden.insert(column.title) }
            hiddenColumns[pick.table] = hidden.isEmpty ? nil : hidden
        case .character("a"): hiddenColumns[pick.table] = nil
        case .enter, .escape, .character("w"), .character("q"):
            dialog = nil
            return
        default: return
        }
        dialog?.message = nil
        dialog?.kind = .columns(pick)
    }
}
