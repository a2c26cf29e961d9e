/// A mark on a resource as an operator gives it: `none`, a size (`512MiB`) or a share of the whole (`2%`).
public enum Watermark: Equatable, Sendable {
    case none
    case bytes(Int64)
    /// 0 to 1.
    case share(Double)

    /// Throws ``MisreadText`` for anything else than `none`, a size, and `0%` to `100%`.
    public static func parse(_ text: String) throws(MisreadText) -> Watermark {
        if text == "none" { return .none }
        guard text.hasSuffix("%") else { return .bytes(try ByteSize.parse(text)) }
        guard let percent = Double(text.dropLast()), (0...100).contains(percent) else {
            throw MisreadText("'\(text)' is no share: write 0% to 100%")
        }
        return .share(percent / 100)
    }

    /// A mark below which publishers are held. The hold ends a tenth above it, which has to be possible: no disk is wholly free.
    public static func parse(diskFree text: String) throws(MisreadText) -> Watermark {
        let mark = try parse(text)
        guard case .share(let share) = mark, share > 0.9 else { return mark }
        throw MisreadText(
            "'\(text)' of the disk is hardly ever free, so that publishers would be held for good: write 0% to 90%, a size, none")
    }

    /// A mark above which publishers are held: more than a broker uses that does nothing, and less than all there is.
    public static func parse(memory text: String) throws(MisreadText) -> Watermark {
        let mark = try parse(text)
        switch mark {
        case .none: return mark
        case .share(let share) where (0.01...0.95).contains(share): return mark
        case .bytes(let bytes) where bytes >= leastMemoryBytes: return mark
        case .share, .bytes:
            throw MisreadText("'\(text)' is no mark that memory can reach and get below: write 1% to 95%, a size from 64MiB, none")
        }
    }

    private static let leastMemoryBytes: Int64 = 64 << 20

    /// As ``parse(_:)`` takes it.
    public var text: String {
        switch self {
        case .none: "none"
        case .bytes(let bytes): String(bytes)
        case .share(let share): "\((share * 1e6).rounded() / 1e4)%"
        }
    }

    /// The mark in bytes; nil where there is none, or the whole is not known.
    public func bytes(of whole: Int64?) -> Int64? {
        switch self {
        case .none: nil
        case .bytes(let bytes): bytes
        case .share(let share): whole.map { Int64(Double($0) * share) }
        }
    }
}
