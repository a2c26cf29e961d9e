import CTerm

extension Key {
    /// The key of a shim event; nil when there was none.
    init?(_ event: cterm_event) {
        switch event.kind {
        case 1: self = Key(scalar: UInt32(bitPattern: event.code))
        case 2: self = Key(special: event.code)
        case 3: self = .mouse(Mouse(Key.action(event), x: Int(event.x), y: Int(event.y)))
        default: return nil
        }
    }

    private init(scalar value: UInt32) {
        switch value {
        case 9: self = .tab
        case 10, 13: self = .enter
        case 27: self = .escape
        case 8, 127: self = .backspace
        case 1...26: self = .control(Character(Unicode.Scalar(UInt8(value) + 96)))
        case 0..<32: self = .unknown
        default: self = Unicode.Scalar(value).map { .character(Character($0)) } ?? .unknown
        }
    }

    private init(special code: Int32) {
        switch code {
        case 1: self = .up
        case 2: self = .down
        case 3: self = .left
        case 4: self = .right
        case 5: self = .home
        case 6: self = .end
        case 7: self = .pageUp
        case 8: self = .pageDown
        case 9: self = .backspace
        case 10: self = .delete
        case 11: self = .insert
        case 12: self = .backTab
        case 13: self = .enter
        case 101...112: self = .function(Int(code) - 100)
        default: self = .unknown
        }
    }

    /// SGR button bits: 64 wheel, 32 motion, the low two which button.
    private static func action(_ event: cterm_event) -> Mouse.Action {
        if event.code & 64 != 0 { return event.code & 1 == 0 ? .wheelUp : .wheelDown }
        if event.released != 0 { return .release }
        return event.code & 32 != 0 ? .drag : .press
    }
}
