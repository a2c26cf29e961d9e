import Terminal

/// The fields and buttons of a dialog. The first button is Cancel, and it has the keys when the dialog opens.
public struct Form: Equatable, Sendable {
    public struct Field: Equatable, Sendable {
        public enum Kind: Equatable, Sendable {
            case text(LineEditor, hint: String)
            case choice([String], selected: Int)
            case check(Bool)
        }
        /// Characters that a text takes; others are hotkeys there.
        public enum Accepts: Equatable, Sendable {
            case anything
            /// `50`, `0.5`, `5k`, `2M`.
            case number
            /// `250ms`, `10s`, `1h30m`.
            case span

            func takes(_ character: Character) -> Bool {
                switch self {
                case .anything: true
                case .number: "0123456789.kM".contains(character)
                case .span: "0123456789.smh".contains(character)
                }
            }
        }
        /// A text that counts with some options of a choice only: typing into it chooses one of them, so that what is seen is what is done.
        public enum Chooses: Equatable, Sendable {
            case option(Int, of: String)
            /// `offset` for digits, else `time`.
            case place(of: String)
        }
        public var id: String
        public var label: String
        public var kind: Kind
        /// Stands on the line of the field before it.
        public var joins = false
        /// Columns of a text; nil: what fits.
        public var width: Int?
        /// Words before the field and behind it.
        public var before = ""
        public var after = ""
        public var accepts = Accepts.anything
        public var chooses: Chooses?

        static func text(_ id: String, _ label: String, value: String = "", hint: String = "", accepts: Accepts = .anything) -> Field {
            var field = Field(id: id, label: label, kind: .text(LineEditor(value), hint: hint))
            field.accepts = accepts
            return field
        }
        static func choice(_ id: String, _ label: String, _ options: [String], selected: Int = 0) -> Field {
            Field(id: id, label: label, kind: .choice(options, selected: selected))
        }
        static func check(_ id: String, _ label: String, _ isOn: Bool, after: String = "", joins: Bool = false) -> Field {
            Field(id: id, label: label, kind: .check(isOn), joins: joins, after: after)
        }
        /// A short text on a line with others: `ramp from [5   ]/s`.
        static func short(
            _ id: String, _ value: String, label: String = "", width: Int, before: String = "", after: String = "",
            accepts: Accepts = .number
        ) -> Field {
            Field(
                id: id, label: label, kind: .text(LineEditor(value), hint: ""), joins: label.isEmpty, width: width, before: before,
                after: after,
                accepts: accepts)
        }
        var isText: Bool {
            if case .text = kind { return true }
            return false
        }
    }

    public struct Button: Equatable, Sendable {
        public var label: String
        /// Works wherever no text is typed.
        public var hotkey: Character
    }

    /// What a key did to the form.
    public enum Event: Equatable, Sendable {
        case none
        case cancel
        /// A value changed.
        case changed
        /// Button number n, counted with Cancel as 0, was pressed.
        case pressed(Int)
        /// A key the form has no use for.
        case unused(Key)
    }

    public var fields: [Field]
    public var buttons: [Button]
    /// Which element has the keys: a field, or `fields.count` + a button.
    public var focus: Int

    public init(fields: [Field], buttons: [Button]) {
        self.fields = fields
        self.buttons = [Button(label: "Cancel", hotkey: "c")] + buttons
        focus = fields.count
    }

    /// Whether typing begins in the first field, so that letters are no hotkeys.
    var isTyped: Bool { fields.first?.isText == true }

    public var focusedButton: Int? { focus >= fields.count ? focus - fields.count : nil }

    public func text(_ id: String) -> String {
        guard let field = fields.first(where: { $0.id == id }), case .text(let editor, _) = field.kind else { return "" }
        return editor.text
    }

    public func choice(_ id: String) -> Int {
        guard let field = fields.first(where: { $0.id == id }), case .choice(_, let selected) = field.kind else { return 0 }
        return selected
    }

    public func isOn(_ id: String) -> Bool { fields.contains { $0.id == id && $0.kind == .check(true) } }

    /// Numbers of the fields, line by line.
    var lines: [[Int]] {
        var lines: [[Int]] = []
        for index in fields.indices {
            if fields[index].joins, !lines.isEmpty { lines[lines.count - 1].append(index) } else { lines.append([index]) }
        }
        return lines
    }

    /// Gives a choice other words; the chosen place stays.
    public mutating func setOptions(_ id: String, _ options: [String]) {
        guard let index = fields.firstIndex(where: { $0.id == id }), case .choice(_, let selected) = fields[index].kind else { return }
        fields[index].kind = .choice(options, selected: min(selected, max(0, options.count - 1)))
    }

    public mutating func setAfter(_ id: String, _ words: String) {
        guard let index = fields.firstIndex(where: { $0.id == id }) else { return }
        fields[index].after = words
    }

    public mutating func setText(_ id: String, _ value: String) {
        guard let index = fields.firstIndex(where: { $0.id == id }), case .text(_, let hint) = fields[index].kind else { return }
        fields[index].kind = .text(LineEditor(value), hint: hint)
    }

    public mutating func handle(_ key: Key) -> Event {
        switch key {
        case .escape, .control("c"), .control("g"): return .cancel
        case .tab, .down: return moveFocus(1)
        case .backTab, .up: return moveFocus(-1)
        case .enter: return enter()
        default: break
        }
        if let button = focusedButton { return buttonKey(key, button) }
        switch fields[focus].kind {
        case .text(var editor, let hint):
            if case .character(let character) = key, !fields[focus].accepts.takes(character) { return hotkey(key) }
            guard editor.handle(key) else { return .unused(key) }
            let isTyped = fields[focus].kind != .text(editor, hint: hint)
            fields[focus].kind = .text(editor, hint: hint)
            if isTyped, !editor.text.isEmpty { choose(for: fields[focus], editor.text) }
            return .changed
        case .choice(let options, let selected):
            guard let step = Self.step(key) else { return hotkey(key) }
            fields[focus].kind = .choice(options, selected: (selected + step + options.count) % options.count)
            return .changed
        case .check(let isOn):
            guard Self.step(key) != nil else { return hotkey(key) }
            fields[focus].kind = .check(!isOn)
            return .changed
        }
    }

    private mutating func choose(for field: Field, _ text: String) {
        switch field.chooses {
        case nil: return
        case .option(let option, let id): select(id) { _ in option }
        case .place(let id): select(id) { $0.firstIndex(of: text.allSatisfy(\.isNumber) ? "offset" : "time") }
        }
    }

    private mutating func select(_ id: String, _ pick: ([String]) -> Int?) {
        guard let index = fields.firstIndex(where: { $0.id == id }), case .choice(let options, _) = fields[index].kind,
            let selected = pick(options), options.indices.contains(selected)
        else { return }
        fields[index].kind = .choice(options, selected: selected)
    }

    private static func step(_ key: Key) -> Int? {
        switch key {
        case .left, .character("h"): -1
        case .right, .character("l"), .character(" "): 1
        default: nil
        }
    }

    private mutating func buttonKey(_ key: Key, _ button: Int) -> Event {
        switch key {
        case .left: return moveButton(button, -1)
        case .right: return moveButton(button, 1)
        case .character(let character):
            // A form that begins with a text: typing begins there, so that Cancel can have the focus without being in the way.
            if isTyped, character != " " {
                focus = 0
                return handle(key)
            }
            return hotkey(key)
        default: return .unused(key)
        }
    }

    private mutating func moveButton(_ button: Int, _ step: Int) -> Event {
        focus = fields.count + (button + step + buttons.count) % buttons.count
        return .none
    }

    private func hotkey(_ key: Key) -> Event {
        guard case .character(let character) = key, let index = buttons.firstIndex(where: { $0.hotkey == character }) else {
            return .unused(key)
        }
        return index == 0 ? .cancel : .pressed(index)
    }

    private mutating func moveFocus(_ step: Int) -> Event {
        let count = fields.count + buttons.count
        focus = (focus + step + count) % count
        return .none
    }

    private mutating func enter() -> Event {
        if let button = focusedButton { return button == 0 ? .cancel : .pressed(button) }
        // On the last text field Enter means the first thing the dialog does; it checks what was typed.
        if fields[focus].isText, !fields[(focus + 1)...].contains(where: \.isText) { return .pressed(buttons.count > 1 ? 1 : 0) }
        return moveFocus(1)
    }
}
