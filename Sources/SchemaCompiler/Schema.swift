/// One schema file: an API's request and response, or data that clients exchange.
public struct Schema: Equatable, Sendable {
    /// The lines at the top of the file, without their `#`.
    public var doc: [String]
    /// Nil for a file of `data` messages.
    public var api: API?
    public var messages: [Message]

    /// The line `api NAME key N versions A-B flexible C+ [advertised A-B] [client]`.
    public struct API: Equatable, Sendable {
        public var name: String
        public var key: Int
        /// What is decoded and answered.
        public var versions: VersionRange
        /// What ApiVersions announces; wider than `versions` where old clients judge by it.
        public var advertised: VersionRange
        /// First version with compact lengths and tagged fields (KIP-482); nil for none.
        public var firstFlexible: Int?
        /// Whether the client's directions (request written, response read) are generated too.
        public var client: Bool
    }
}

/// One message: what a Swift struct is generated for.
public struct Message: Equatable, Sendable {
    public enum Role: Sendable { case request, response, data }

    public var name: String
    public var role: Role
    public var versions: VersionRange
    public var firstFlexible: Int?
    public var reads: Bool
    public var writes: Bool
    public var fields: [Field]
}

/// One field line: `name type versions [null V] [tag N [V]] [default X] [# doc]`.
public struct Field: Equatable, Sendable {
    public var name: String
    public var type: FieldType
    public var versions: VersionRange
    /// Versions in which null is a value; nil for none.
    public var nullable: VersionRange?
    public var tag: Tag?
    public var defaultText: String?
    public var doc: String?
    /// The fields of a structure that is spelled out beneath this line.
    public var fields: [Field]

    public struct Tag: Equatable, Sendable {
        public var number: Int
        public var versions: VersionRange
    }
}

public indirect enum FieldType: Equatable, Sendable {
    case bool, int8, int16, uint16, int32, uint32, int64, float64
    case string, uuid, bytes, error
    case structure(String)
    case array(FieldType)

    /// The structure at the bottom of this type.
    var structureName: String? {
        switch self {
        case .structure(let name): name
        case .array(let element): element.structureName
        default: nil
        }
    }
}

/// Versions as the text writes them: `3+`, `0-12` or `4`.
public struct VersionRange: Equatable, Sendable {
    public var lower: Int
    /// Nil for "and everything after".
    public var upper: Int?

    public init(_ lower: Int, _ upper: Int?) {
        self.lower = lower
        self.upper = upper
    }

    init?(text: Substring) {
        if text.hasSuffix("+") {
            guard let lower = Int(text.dropLast()) else { return nil }
            self.init(lower, nil)
        } else {
            let ends = text.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count <= 2, let lower = Int(ends[0]), let upper = Int(ends[ends.count - 1]), lower <= upper else { return nil }
            self.init(lower, upper)
        }
    }

    func contains(_ version: Int) -> Bool { version >= lower && version <= upper ?? Int.max }

    func intersection(_ other: VersionRange) -> VersionRange {
        let upper: Int? =
            switch (upper, other.upper) {
            case (let one?, let two?): min(one, two)
            case (let one, let two): one ?? two
            }
        return VersionRange(max(lower, other.lower), upper)
    }
}
