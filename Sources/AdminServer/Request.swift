import Control
import NIOHTTP1

/// A whole request, its target split and decoded.
struct Request: Sendable {
    var method: HTTPMethod
    var headers: HTTPHeaders
    /// `/weir/v1/topics/a%2Fb` → `["weir", "v1", "topics", "a/b"]`.
    var path: [String]
    /// The last of several equal names wins.
    var query: [String: String]
    var body: [UInt8]

    /// Throws ``ControlError/Code/invalid`` for a target that is not a path or whose percent-encoding is broken.
    init(head: HTTPRequestHead, body: [UInt8]) throws(ControlError) {
        method = head.method
        headers = head.headers
        self.body = body
        let target = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = target.first, first.hasPrefix("/") || first == "*" else {
            throw ControlError(.invalid, "the request target '\(head.uri.prefix(200))' is not a path")
        }
        path = []
        for segment in first.split(separator: "/") { path.append(try Self.decoded(segment, plusIsSpace: false)) }
        query = [:]
        guard target.count == 2 else { return }
        for pair in target[1].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[try Self.decoded(parts[0], plusIsSpace: true)] = parts.count == 2 ? try Self.decoded(parts[1], plusIsSpace: true) : ""
        }
    }

    /// RFC 3986 percent-decoding; the result must be UTF-8 without control characters.
    private static func decoded(_ text: Substring, plusIsSpace: Bool) throws(ControlError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
                    throw ControlError(.invalid, "'%' in '\(text.prefix(200))' must be followed by two hexadecimal digits")
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        guard let result = String(validating: bytes, as: UTF8.self), bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw ControlError(.invalid, "the request target holds bytes that are not printable UTF-8")
        }
        return result
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
