/// Why bytes from outside could not be read. Every case is the sender's fault; none traps.
public enum WireError: Error, Equatable, Sendable {
    /// A field needs `needed` more bytes than remain.
    case truncated(needed: Int, remaining: Int)
    /// A length or count is negative where null is not allowed.
    case negativeLength(Int)
    /// A count promises more elements than the remaining bytes could hold.
    case countTooLarge(count: Int, remaining: Int)
    /// The message's arrays have more elements in all than one message may have.
    case tooManyElements(limit: Int)
    /// A variable-length integer runs past its width.
    case varintTooLong
    /// A string is not UTF-8.
    case invalidUTF8
    /// Null where the field is not nullable in this version.
    case unexpectedNull
    /// The message ended before its frame did.
    case trailingBytes(Int)
    /// A message has no layout at this version.
    case unsupportedVersion(api: Int16, version: Int16)
}
