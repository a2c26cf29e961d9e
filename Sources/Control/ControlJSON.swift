import FoundationEssentials

/// How Control values travel: JSON with the properties' own names as keys, sorted, so that equal values are equal bytes.
///
/// A number that is not finite travels as the text `NaN`, `Infinity` or `-Infinity`: one bad rate must not take the whole picture away.
public enum ControlJSON {
    public static func encode(_ value: some Encodable, pretty: Bool = false) throws(ControlError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty ? [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        do {
            return [UInt8](try encoder.encode(value))
        } catch {
            throw ControlError(.failed, "cannot write \(type(of: value)) as JSON: \(error)")
        }
    }

    /// Throws ``ControlError/Code/invalid`` naming the field that is missing or of the wrong kind.
    public static func decode<Value: Decodable>(_ type: Value.Type, from bytes: some Sequence<UInt8>) throws(ControlError) -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        do {
            return try decoder.decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw ControlError(.invalid, "not a \(type): \(describe(error))")
        } catch {
            throw ControlError(.invalid, "not a \(type): \(error)")
        }
    }

    private static func describe(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): return "field '\(path(context, key))' is missing"
        case .typeMismatch(_, let context) where context.codingPath.isEmpty: return context.debugDescription
        case .typeMismatch(_, let context), .valueNotFound(_, let context): return "field '\(path(context, nil))' is of the wrong kind"
        case .dataCorrupted(let context) where context.codingPath.isEmpty: return "the text is not JSON"
        case .dataCorrupted(let context): return "field '\(path(context, nil))' cannot be read: \(context.debugDescription)"
        @unknown default: return "\(error)"
        }
    }

    private static func path(_ context: DecodingError.Context, _ key: (any CodingKey)?) -> String {
        (context.codingPath.map(\.stringValue) + (key.map { [$0.stringValue] } ?? [])).joined(separator: ".")
    }
}

/// Headers of Control over HTTP besides HTTP's own.
public enum ControlHeader {
    /// Who the client says it is, for the audit log: `USER@HOST/PID`. Nobody checks it.
    public static let client = "X-Weir-Client"
}

/// Where a broker serves Control over HTTP.
public enum ControlPath {
    public static let snapshot = "/weir/v1/snapshot"
    public static let command = "/weir/v1/command"
    public static let topics = "/weir/v1/topics"
    public static let groups = "/weir/v1/groups"
    public static let queues = "/weir/v1/queues"
    public static let dead = "/weir/v1/dead"
    public static let delay = "/weir/v1/delay"
    public static let jobs = "/weir/v1/jobs"
    public static let audit = "/weir/v1/audit"
    public static let clients = "/weir/v1/clients"
    public static let health = "/weir/v1/health"
    public static let metrics = "/metrics"
}
