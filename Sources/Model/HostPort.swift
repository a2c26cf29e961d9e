/// A host and a port as people write them: `127.0.0.1:9092`, `localhost:0`, `[::1]:9092`.
///
/// Port 0 means "pick a free one" where a door is opened. The host is kept as text; nothing is resolved here.
public struct HostPort: Hashable, Sendable, CustomStringConvertible {
    public var host: String
    public var port: UInt16

    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Throws ``MisreadText`` when the text is not `HOST:PORT`; an IPv6 host needs its brackets.
    public init(_ text: String) throws(MisreadText) {
        guard let colon = text.lastIndex(of: ":") else {
            throw MisreadText("'\(text)' has no port: write HOST:PORT, such as 127.0.0.1:9092")
        }
        let portText = text[text.index(after: colon)...]
        guard let port = UInt16(portText), portText.allSatisfy(\.isASCIIDigit) else {
            throw MisreadText("'\(portText)' in '\(text)' is not a port: use a number from 0 to 65535")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw MisreadText("'\(text)' looks like IPv6: put the address in brackets, such as [::1]:9092")
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "@") }) else {
            throw MisreadText("'\(text)' has no usable host: write HOST:PORT, such as 127.0.0.1:9092")
        }
        self.init(host: String(host), port: port)
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether the host can only be this machine: `localhost`, 127.0.0.0/8 or `::1` (RFC 6890). A name other than localhost is not.
    public var isLoopback: Bool {
        if host == "::1" || host.lowercased() == "localhost" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil && $0.allSatisfy(\.isASCIIDigit) }
    }
}

/// Text from a person that could not be read: what was wrong and how to write it.
public struct MisreadText: Error, Hashable, Sendable, CustomStringConvertible {
    public var message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}

extension Character {
    /// Exactly 0…9; `isNumber` also admits other scripts' digits.
    var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
