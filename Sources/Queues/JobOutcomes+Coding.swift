import Model

/// As the store keeps them, beside their job: words once, runs as rows of seven numbers.
///
/// ```
/// {"targets":["<topic id>-0"],"reasons":["","rejected"],"runs":[0,10,3,0,500,1,0, 0,13,1,0,503,2,1],"unlisted":[1,900]}
///                                                        partition, first, count, target (−1 none), its first, outcome, reason
/// ```
extension JobOutcomes: Codable {
    private enum Field: String, CodingKey { case targets, reasons, runs, unlisted }
    private static let columns = 7

    public func encode(to encoder: any Encoder) throws {
        var targets = Table<PartitionID>()
        var reasons = Table<String>()
        var rows: [Int64] = []
        rows.reserveCapacity(runs.count * Self.columns)
        for run in runs {
            rows += [
                Int64(run.partition), run.first, run.count, run.target.map { targets.number($0) } ?? -1, run.targetFirst, run.end.rawValue,
                reasons.number(run.reason),
            ]
        }
        var container = encoder.container(keyedBy: Field.self)
        try container.encode(targets.items.map(\.description), forKey: .targets)
        try container.encode(reasons.items, forKey: .reasons)
        try container.encode(rows, forKey: .runs)
        try container.encode(
            unlisted.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap { [$0.key.rawValue, $0.value] }, forKey: .unlisted)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Field.self)
        let targets = try container.decode([String].self, forKey: .targets).map { Self.partition($0) }
        let reasons = try container.decode([String].self, forKey: .reasons)
        let rows = try container.decode([Int64].self, forKey: .runs)
        let counts = try container.decode([Int64].self, forKey: .unlisted)
        var runs: [Run] = []
        for at in stride(from: 0, to: rows.count, by: Self.columns) {
            guard at + Self.columns <= rows.count, let partition = Int32(exactly: rows[at]), let end = End(rawValue: rows[at + 5]),
                rows[at + 2] > 0, rows[at + 3] < targets.count, reasons.indices.contains(Int(clamping: rows[at + 6]))
            else { throw DecodingError.dataCorruptedError(forKey: .runs, in: container, debugDescription: "damaged at number \(at)") }
            runs.append(
                Run(
                    partition: partition, first: rows[at + 1], count: rows[at + 2],
                    target: rows[at + 3] < 0 ? nil : targets[Int(rows[at + 3])], targetFirst: rows[at + 4], end: end,
                    reason: reasons[Int(rows[at + 6])]))
        }
        var unlisted: [End: Int64] = [:]
        for at in stride(from: 0, to: counts.count - 1, by: 2) {
            if let end = End(rawValue: counts[at]) { unlisted[end] = counts[at + 1] }
        }
        self.init(runs: runs, unlisted: unlisted)
    }

    /// `<topic id>-<index>`; nil for anything else, whose place is not known then.
    private static func partition(_ text: String) -> PartitionID? {
        let parts = text.split(separator: "-")
        guard parts.count == 2, let topic = TopicID(hex: parts[0]), let index = Int32(parts[1]) else { return nil }
        return PartitionID(topic: topic, index: index)
    }

    private struct Table<Item: Hashable> {
        private(set) var items: [Item] = []
        private var numbers: [Item: Int64] = [:]

        mutating func number(_ item: Item) -> Int64 {
            if let number = numbers[item] { return number }
            items.append(item)
            numbers[item] = Int64(items.count - 1)
            return Int64(items.count - 1)
        }
    }
}
