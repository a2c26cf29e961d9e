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
