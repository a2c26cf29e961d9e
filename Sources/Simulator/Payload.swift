import NIOCore

/// A message's value: its number, and a letter repeated, both known from the number and the length; so a flipped bit shows.
///
/// ```
/// number 27, short → "27 bbbbbbbbbbbbbbbbbbbb"
/// ```
enum Payload {
    private static let lengths = [20, 2_000]

    static func text(_ number: Int, isLong: Bool) -> String {
        "\(number) \(String(repeating: letter(number), count: lengths[isLong ? 1 : 0]))"
    }

    /// nil when it is no value that was ever published.
    static func number(_ value: ByteBuffer?) -> Int? {
        guard let value else { return nil }
        let text = String(buffer: value)
        guard let number = Int(text.prefix { $0 != " " }), number >= 0 else { return nil }
        return lengths.indices.contains { Payload.text(number, isLong: $0 == 1) == text } ? number : nil
    }

    private static func letter(_ number: Int) -> Character { Character(UnicodeScalar(UInt8(97 + number % 26))) }
}
