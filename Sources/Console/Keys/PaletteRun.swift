import Control
import Terminal

/// Running a `:` line: the command line's words, as its dialogs show them and with or without `weir` before them. What changes much opens
/// its dialog, filled in.
extension Palette {
    static func run(_ line: String, on model: inout ConsoleModel) -> [Effect] {
        do throws(FormProblem) {
            return try start(line, on: &model)
        } catch {
            model.say("\(error.message); nothing was done", .warn)
            return []
        }
    }

    private static func start(_ line: String, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        var words: ArraySlice<String>
        do throws(ShellWords.Unfinished) { words = try ShellWords.split(line)[...] } catch {
            throw FormProblem(error.sign == "\\" ? "`\\` at the end" : "`\(error.sign)` is not closed")
        }
        if words.first == "$" { words = words.dropFirst() }
        let isWhole = words.first == "weir"
        if isWhole { words = words.dropFirst() }
        guard let first = words.first else { return [] }
        let rest = words.dropFirst()
        if rest.isEmpty || rest.first == "ls", let screen = screens(first, isList: !rest.isEmpty) {
            if rest.count == 2, first == "delay" { return showDelay(String(rest[rest.startIndex + 1]), on: &model) }
            guard rest.count <= 1 else { throw FormProblem("`\(rest[rest.startIndex + 1])`: / filters a list, s < > sort it") }
            model.open(screen)
            return []
        }
        switch first {
        case "help": model.helpTop = 0
        case "q", "quit": return model.quit()
        case "freeze": return model.handle(.character("z"), nowMs: model.nowMs)
        case "export": return model.handle(.character("e"), nowMs: model.nowMs)
        case "theme": useTheme(rest.first, on: &model)
        case "refresh": setRefresh(rest.first, on: &model)
        default: return try verb(words, isWhole: isWhole, on: &model)
        }
        return []
    }

    /// `queues`, and `queue ls`.
    private static func screens(_ word: String, isList: Bool) -> ScreenID? {
        if isList, let named = ScreenID(rawValue: word + "s") { return named }
        return ScreenID(rawValue: word)
    }

    private static func verb(_ words: ArraySlice<String>, isWhole: Bool, on model: inout ConsoleModel) throws(FormProblem) -> [Effect] {
        let first = words[words.startIndex]
        let two = words.prefix(2).joined(separator: " ")
        let found = entries.first { $0.words == two } ?? entries.first { $0.words == first && $0.argument != .none }
        guard let entry = found else {
            let verbs = entries.filter { $0.words.hasPrefix(first + " ") }.map { $0.words.dropFirst(first.count + 1) }
            guard !verbs.isEmpty else {
                model.say("no such command: \(first); Tab shows what there is", .warn)
                return []
            }
            throw FormProblem("\(first) \(verbs.joined(separator: "|"))")
        }
        let taken = entry.words.split(separator: " ").count
        let arguments = try PaletteArguments(words.dropFirst(taken), of: entry, isWhole: isWhole)
        guard !entry.isMutation || model.mayMutate() else { return [] }
        switch first {
        case "topic": return try topic(String(entry.words.dropFirst(6)), arguments, on: &model)
        case "group": return try group(String(entry.words.dropFirst(6)), arguments, on: &model)
        case "client": return try kill(arguments, on: &model)
        case "queue": return try queue(String(entry.words.dropFirst(6)), arguments, on: &model)
        case "delay": return try delay(String(entry.words.dropFirst(6)), arguments, on: &model)
        case "dead": return try dead(String(entry.words.dropFirst(5)), arguments, on: &model)
        case "job": return try job(String(entry.words.dropFirst(4)), arguments, on: &model)
        case "publish": return try publish(arguments, on: &model)
        case "redrive": return try redrive(arguments, on: &model)
        case "replay": return try replay(arguments, on: &model)
        case "undo":
            guard let id = arguments.names.first else { return model.undo() }
            return [model.perform(.queue(.undo(id: id)))]
        default: throw FormProblem("\(first): not built")
        }
    }

    private static func useTheme(_ name: String?, on model: inout ConsoleModel) {
        guard let name, model.themes.contains(where: { $0.name == name }) else {
            model.say("themes: \(model.themes.map(\.name).joined(separator: ", "))", .warn)
            return
        }
        model.themeName = name
        model.say("theme \(name)", .ok)
    }

    private static func setRefresh(_ text: String?, on model: inout ConsoleModel) {
        guard let ms = text.flatMap(Int.init), (250...10_000).contains(ms) else {
            model.say("refresh MS: 250 to 10000", .warn)
            return
        }
        model.refreshMs = ms
        model.say("refresh every \(ms) ms", .dim)
    }
}
