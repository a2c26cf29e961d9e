import Model

/// A segment's identity in its stream: the first offset it may hold, and how often it has been rewritten. Only one of a base is there, but
/// for the moment between a rewritten one's coming and the old one's going.
struct SegmentName: Hashable, Sendable {
    var base: Offset
    var version: UInt32 = 0

    init(_ base: Offset, version: UInt32 = 0) {
        self.base = base
        self.version = version
    }

    init(_ position: Position) { self.init(Offset(position.segment), version: position.version) }

    func position(_ byte: Int64) -> Position { Position(segment: base.value, byte: byte, version: version) }
}

/// The three files of a segment, named by its base offset and, where it was rewritten, its version.
enum SegmentFileKind: String, CaseIterable {
    case log, index, time

    /// `00000000000000000120.log`, `00000000000000000120-2.log`
    func name(_ segment: SegmentName) -> String {
        let digits = String(segment.base.value)
        let version = segment.version == 0 ? "" : "-\(segment.version)"
        return String(repeating: "0", count: max(0, 20 - digits.count)) + digits + version + "." + rawValue
    }

    /// The segment of a file of this kind; nil for other names.
    func segment(_ name: String) -> SegmentName? {
        guard name.utf8.count >= 20 + 1 + rawValue.utf8.count, name.hasSuffix("." + rawValue), let base = Int64(name.prefix(20)), base >= 0
        else { return nil }
        let rest = name.dropFirst(20).dropLast(1 + rawValue.utf8.count)
        if rest.isEmpty { return SegmentName(Offset(base)) }
        guard rest.first == "-", let version = UInt32(rest.dropFirst()), version > 0 else { return nil }
        return SegmentName(Offset(base), version: version)
    }
}
