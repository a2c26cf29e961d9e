import Control
import FoundationEssentials
import Terminal

/// The inspector's lines.
enum InspectorText {
    typealias Line = [(String, ThemeKey)]

    /// Most lines of a value that are laid out.
    static let maxLines = 20_000

    static func lines(_ message: MessageDetail, tab: Inspector.Tab, width: Int, model: ConsoleModel) -> [Line] {
        switch tab {
        case .text: text(message, width: width)
        case .hex: hex(bytes(message.value) ?? [])
        case .headers: headers(message)
        case .death: death(message, model)
        case .timeline: timeline(message, model)
        }
    }

    static func bytes(_ base64: String?) -> [UInt8]? {
        guard let base64, let data = Data(base64Encoded: base64) else { return nil }
        return [UInt8](data)
    }

    /// The value as text: JSON laid out, other text in lines of `width`, bytes that are no text in hex.
    private static func text(_ message: MessageDetail, width: Int) -> [Line] {
        guard let bytes = bytes(message.value) else { return [[("null", .dim)]] }
        if bytes.isEmpty { return [[("empty", .dim)]] }
        guard let text = String(validating: bytes, as: UTF8.self) else { return hex(bytes) }
        let laid = JSONLayout.lines(text)
        var lines: [Line] = []
        for line in laid ?? text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            guard lines.count < maxLines else { break }
            lines += wrapped(line, width: max(10, width)).map { [($0, ThemeKey.text)] }
        }
        let cut = Int64(message.row.bytes) - Int64(bytes.count)
        if bytes.count >= 65_536, cut > 0 { lines.append([("… \(Short.exact(cut)) bytes more", .dim)]) }
        return lines
    }

    private static func wrapped(_ line: String, width: Int) -> [String] {
        guard CharacterWidth.of(line) > width else { return [line] }
        var parts: [String] = []
        var part = ""
        var used = 0
        for character in line {
            let wide = CharacterWidth.of(String(character))
            if used + wide > width {
                parts.append(part)
                (part, used) = ("", 0)
            }
            part.append(character)
            used += wide
        }
        return parts + [part]
    }

    /// `00000010  7b 22 69 64 …  |{"id"…|`, sixteen bytes a line.
    static func hex(_ bytes: [UInt8]) -> [Line] {
        func pair(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
        return stride(from: 0, to: min(bytes.count, maxLines * 16), by: 16).map { start in
            let row = bytes[start..<min(start + 16, bytes.count)]
            let address = String(start, radix: 16)
            var digits = row.prefix(8).map(pair).joined(separator: " ") + "  " + row.dropFirst(8).map(pair).joined(separator: " ")
            digits += String(repeating: " ", count: max(0, 49 - digits.count))
            let text = String(decoding: row.map { (32..<127).contains($0) ? $0 : 46 }, as: UTF8.self)
            return [
                (String(repeating: "0", count: max(0, 8 - address.count)) + address + "  ", .dim), (digits + "  ", .text), (text, .title),
            ]
        }
    }

    private static func headers(_ message: MessageDetail) -> [Line] {
        if message.headers.isEmpty { return [[("No headers.", .dim)]] }
        let wide = min(40, message.headers.map { CharacterWidth.of($0.name) }.max() ?? 0) + 2
        return message.headers.map { header in
            let name = header.name + String(repeating: " ", count: max(1, wide - CharacterWidth.of(header.name)))
            return [(name, .dim), (header.value ?? "null", header.value == nil ? .dim : .text)]
        }
    }

    /// The stamps of both doors, and what the broker makes of them.
    private static func death(_ message: MessageDetail, _ model: ConsoleModel) -> [Line] {
        let row = message.row
        var lines: [Line] = []
        if let reason = row.reason {
            lines.append([
                ("reason    ", .dim), (reason, .dead), (row.error.map { ": \($0)" } ?? "  error n/a", row.error == nil ? .dim : .dead),
            ])
        }
        if let origin = row.origin { lines.append([("origin    ", .dim), (origin, .text)]) }
        if let died = row.diedMs { lines.append([("died      ", .dim), (CivilTime.text(ms: died, offset: model.utcOffset), .text)]) }
        if row.reason != nil { lines.append([("redriven  ", .dim), (row.redriven == 1 ? "once" : "\(row.redriven) times", .text)]) }
        let stamps = message.headers.filter { header in
            ["x-death", "x-first-death", "x-last-death", "__dlq.errors."].contains { header.name.hasPrefix($0) }
        }
        if !stamps.isEmpty, !lines.isEmpty { lines.append([]) }
        lines += stamps.map { [($0.name + "  ", .dim), ($0.value ?? "null", .text)] }
        return lines.isEmpty ? [[("It never died.", .dim)]] : lines
    }

    private static func timeline(_ message: MessageDetail, _ model: ConsoleModel) -> [Line] {
        if message.timeline.isEmpty { return [[("Nothing is known of its past.", .dim)]] }
        var before: Int64?
        return message.timeline.map { row in
            let time = row.atMs.map { CivilTime.text(ms: $0, offset: model.utcOffset) } ?? "                   "
            let gap = row.atMs.flatMap { at in before.map { at > $0 ? "  +\(Short.duration(ms: at - $0))" : "" } } ?? ""
            before = row.atMs ?? before
            return [(time + "  ", .dim), (row.text, .text), (gap, .dim)]
        }
    }
}

/// JSON text in lines, two spaces a level, everything else as it was written: numbers keep their digits, objects their order.
enum JSONLayout {
    /// nil when the text is no object and no array. A text that breaks off is laid out as far as it goes.
    static func lines(_ text: String) -> [String]? {
        guard let first = text.utf8.first(where: { !isSpace($0) }), first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else {
            return nil
        }
        var layout = Layout()
        for byte in text.utf8 { layout.take(byte) }
        return layout.finished
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

    private struct Layout {
        var done: [String] = []
        var line: [UInt8] = []
        var depth = 0
        var inString = false
        var isEscaped = false
        /// An opening bracket was the last thing: a closing one joins it.
        var isOpen = false

        var finished: [String] { line.isEmpty ? done : done + [String(decoding: line, as: UTF8.self)] }

        mutating func take(_ byte: UInt8) {
            if inString {
                line.append(byte)
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                return
            }
            if JSONLayout.isSpace(byte) { return }
            switch byte {
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth = max(0, depth - 1)
                if !isOpen { breakLine() }
                line.append(byte)
                isOpen = false
                return
            default:
                if isOpen { breakLine() }
                isOpen = false
            }
            line.append(byte)
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth = min(depth + 1, 100)
                isOpen = true
            case UInt8(ascii: ","): breakLine()
            case UInt8(ascii: ":"): line.append(32)
            case UInt8(ascii: "\""): inString = true
            default: break
            }
        }

        private mutating func breakLine() {
            if !line.allSatisfy({ $0 == 32 }) { done.append(String(decoding: line, as: UTF8.self)) }
            line = Array(repeating: 32, count: depth * 2)
        }
    }
}
