import CTerm

/// Why a terminal can't be drawn on.
public enum ScreenError: Error, Equatable, Sendable {
    /// Standard input or output is no terminal.
    case notATerminal
    /// terminfo does not know `TERM`.
    case unknownTerminal(String)
    /// The terminal cannot move its cursor (`TERM=dumb`).
    case incapable(String)
    case busy
    case failed(errno: Int32)

    public var message: String {
        switch self {
        case .notATerminal: "no terminal here; run without the console (--no-console)"
        case .unknownTerminal(let name): "terminfo does not know TERM=\(name); set TERM to a known one, as xterm-256color"
        case .incapable(let name): "a TERM=\(name) terminal can't show a console; run with --no-console, or set TERM"
        case .busy: "the console is up already"
        case .failed(let number): "can't take the terminal (errno \(number))"
        }
    }
}

/// The terminal in full-screen mode. Not Sendable: made, used and closed on one thread.
///
/// ``present(_:)`` sends only cells that differ from the last canvas; a frame that equals it writes nothing at all.
public final class Screen {
    /// How a screen is opened.
    public struct Options: Sendable {
        public var inputDescriptor: Int32 = 0
        public var outputDescriptor: Int32 = 1
        public var term: String
        public var wanted: ColourDepth
        public var hasMouse = true

        public init(term: String, wanted: ColourDepth) {
            self.term = term
            self.wanted = wanted
        }
    }

    /// What ``wait(timeoutMs:)`` woke up for.
    public struct Wake: OptionSet, Sendable {
        public var rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }
        public static let key = Wake(rawValue: 1)
        public static let signal = Wake(rawValue: 2)
        public static let resized = Wake(rawValue: 4)
        public static let lost = Wake(rawValue: 8)
    }

    public let depth: ColourDepth
    public private(set) var size: Size
    private var shown: Canvas?
    private var pairs: [PairKey: Int32] = [:]
    private let maxPairs: Int32
    private var run: [cterm_cell] = []

    private struct PairKey: Hashable {
        let foreground: Colour
        let background: Colour
    }

    public init(_ options: Options) throws(ScreenError) {
        var info = cterm_info()
        var result: Int32 = -1
        var error = Int32(2)
        for name in Self.terminfoNames(options) {
            let isSynchronized = !(name.hasPrefix("linux") || name.hasPrefix("vt") || name == "dumb")
            result = cterm_open(
                name, options.inputDescriptor, options.outputDescriptor, options.hasMouse ? 1 : 0, isSynchronized ? 1 : 0, &info)
            if result == 0 { break }
            error = cterm_errno()
            if error != 2 { break }
        }
        guard result == 0 else {
            switch error {
            case 25: throw .notATerminal
            case 2: throw .unknownTerminal(options.term)
            case 16: throw .busy
            case 95: throw .incapable(options.term)
            default: throw .failed(errno: error)
            }
        }
        depth = ColourDepth.reached(wanted: options.wanted, colours: Int(info.colours), isDirect: info.direct != 0)
        size = Size(columns: Int(info.columns), rows: Int(info.rows))
        maxPairs = min(info.pairs, 4096)
    }

    /// The names to try: for 24-bit colour the entry that says so, then the terminal's own.
    ///
    /// For `xterm-256color`, which nearly every terminal claims to be, `vte-direct` comes before `xterm-direct`: it writes
    /// `38;2;r;g;b`, which all that set COLORTERM understand, where the other has colons that some do not.
    static func terminfoNames(_ options: Options) -> [String] {
        guard options.wanted == .direct else { return [options.term] }
        if options.term == "xterm-256color" { return ["vte-direct", "xterm-direct", options.term] }
        let base = options.term.hasSuffix("-256color") ? String(options.term.dropLast(9)) : options.term
        return [base + "-direct", options.term]
    }

    /// Gives the terminal back as it was found.
    public func close() { cterm_close() }

    /// Waits for a key, ``wake()``, a new size, the terminal's end, or the time.
    public func wait(timeoutMs: Int) -> Wake { Wake(rawValue: cterm_wait(Int32(clamping: timeoutMs))) }

    /// Makes a ``wait(timeoutMs:)`` return, from any thread.
    public static func wake() { cterm_wake() }

    /// Takes over the terminal's new size; the next frame is drawn whole.
    public func resize() {
        var rows: Int32 = 0
        var columns: Int32 = 0
        cterm_resize(&rows, &columns)
        size = Size(columns: Int(columns), rows: Int(rows))
        redraw()
    }

    /// Forgets what is on the screen.
    public func redraw() {
        shown = nil
        cterm_redraw()
    }

    /// Steps out of full-screen mode and stops, as ^Z does; returns when continued.
    public func suspend() {
        cterm_suspend()
        shown = nil
    }

    /// Puts a text on the user's clipboard by OSC 52, which works over SSH too. False when it is too long or the terminal is gone.
    public func copy(_ text: String) -> Bool {
        guard text.utf8.count <= 64 << 10 else { return false }
        let bytes = Array("\u{1B}]52;c;\(Base64.encode(Array(text.utf8)))\u{07}".utf8)
        return bytes.withUnsafeBytes { raw in
            cterm_write(raw.baseAddress!.assumingMemoryBound(to: CChar.self), raw.count) == 0
        }
    }

    /// The next key without waiting.
    public func nextKey() -> Key? {
        var event = cterm_event()
        cterm_key(&event)
        return Key(event)
    }

    /// Sends what changed since the last frame. False when the terminal is gone.
    public func present(_ canvas: Canvas) -> Bool {
        var isChanged = false
        let previous = shown?.size == canvas.size ? shown : nil
        for y in 0..<min(canvas.size.rows, size.rows) {
            isChanged = presentRow(y, canvas, previous) || isChanged
        }
        shown = canvas
        return isChanged ? cterm_flush() == 0 : true
    }

    private func presentRow(_ y: Int, _ canvas: Canvas, _ previous: Canvas?) -> Bool {
        let width = min(canvas.size.columns, size.columns)
        let base = y * canvas.size.columns
        var first = 0
        var last = width - 1
        if let previous {
            while first < width, canvas.cells[base + first] == previous.cells[base + first] { first += 1 }
            if first == width { return false }
            while last > first, canvas.cells[base + last] == previous.cells[base + last] { last -= 1 }
            // Never begin on the second half of a wide character, in this frame or the last.
            while first > 0, canvas.cells[base + first].isFiller || previous.cells[base + first].isFiller { first -= 1 }
        }
        var x = first
        while x <= last {
            run.removeAll(keepingCapacity: true)
            let start = x
            while x <= last, run.count < 1000 {
                let cell = canvas.cells[base + x]
                x += 1
                if cell.isFiller { continue }
                let pair = pair(for: cell.style)
                run.append(
                    cterm_cell(
                        scalar: cell.scalar, mark: cell.mark, pair: pair.number,
                        attributes: Int32(cell.style.attributes.rawValue) | pair.extra))
            }
            run.withUnsafeBufferPointer { cterm_put(Int32(y), Int32(start), $0.baseAddress, $0.count) }
        }
        return true
    }

    private func pair(for style: Style) -> (number: Int32, extra: Int32) {
        if depth == .mono || (style.foreground == .own && style.background == .own) { return (0, 0) }
        let key = PairKey(foreground: style.foreground, background: style.background)
        if let number = pairs[key] { return (number, 0) }
        let number = Int32(pairs.count + 1)
        // A terminal out of pairs still tells a ground of its own from the rest.
        let fallback: (Int32, Int32) = (0, style.background == .own ? 0 : 16)
        guard number < maxPairs, cterm_pair(number, style.foreground.value, style.background.value) == 0 else { return fallback }
        pairs[key] = number
        return (number, 0)
    }
}
