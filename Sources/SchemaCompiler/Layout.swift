/// What a structure's emitter has to know about versions: which ones reach it, and which of them are flexible.
struct Layout {
    var versions: VersionRange
    var firstFlexible: Int?

    enum Flexibility { case always, never, sometimes }

    var flexibility: Flexibility {
        guard let first = firstFlexible, first <= versions.upper ?? Int.max else { return .never }
        return first <= versions.lower ? .always : .sometimes
    }

    /// The Swift expression for "lengths are compact".
    var compact: String {
        switch flexibility {
        case .always: "true"
        case .never: "false"
        case .sometimes: "flexible"
        }
    }

    /// The test that a version lies in `range`; nil where every version of this layout does.
    func condition(_ range: VersionRange) -> String? {
        let low = range.lower > versions.lower
        let high = range.upper.map { $0 < versions.upper ?? Int.max } ?? false
        switch (low, high) {
        case (false, false): return nil
        case (true, false): return "version >= \(range.lower)"
        case (false, true): return "version <= \(range.upper ?? 0)"
        case (true, true):
            let upper = range.upper ?? 0
            return range.lower == upper ? "version == \(upper)" : "version >= \(range.lower) && version <= \(upper)"
        }
    }

    func narrowed(to range: VersionRange) -> Layout {
        Layout(versions: versions.intersection(range), firstFlexible: firstFlexible)
    }

    /// The fewest bytes that one value of these fields takes on the wire, over all versions.
    func minimumBytes(_ fields: [Field]) -> Int {
        let last = versions.upper ?? versions.lower
        return (versions.lower...max(versions.lower, last)).map { minimumBytes(fields, version: $0) }.min() ?? 0
    }

    private func minimumBytes(_ fields: [Field], version: Int) -> Int {
        let flexible = firstFlexible.map { version >= $0 } ?? false
        var bytes = flexible ? 1 : 0
        for field in fields where field.versions.contains(version) && field.tag == nil {
            switch field.type {
            case .bool, .int8: bytes += 1
            case .int16, .uint16, .error: bytes += 2
            case .int32, .uint32: bytes += 4
            case .int64, .float64: bytes += 8
            case .uuid: bytes += 16
            case .string: bytes += flexible ? 1 : 2
            case .bytes, .array: bytes += flexible ? 1 : 4
            case .structure: bytes += field.nullable == nil ? minimumBytes(field.fields, version: version) : 1
            }
        }
        return bytes
    }

    /// The fewest bytes of one element of an array of `type`, whose fields, if it has any, are `fields`.
    func minimumBytes(element type: FieldType, fields: [Field]) -> Int {
        switch type {
        case .structure: max(1, minimumBytes(fields))
        case .bool, .int8: 1
        case .int16, .uint16, .error: 2
        case .int32, .uint32: 4
        case .int64, .float64: 8
        case .uuid: 16
        case .string: flexibility == .never ? 2 : 1
        case .bytes, .array: flexibility == .never ? 4 : 1
        }
    }
}
