/// Changes settings of a topic, queue or share group: those that are named, by Kafka's names and in its units.
public struct SettingsChange: Codable, Equatable, Sendable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case topic, queue
        /// A share group, on whatever topics it reads.
        case group
    }
    public var kind: Kind
    public var name: String
    public var set: [String: String]
    /// Settings that go back to the broker's defaults.
    public var unset: [String]

    public init(_ kind: Kind, _ name: String, set: [String: String] = [:], unset: [String] = []) {
        self.kind = kind
        self.name = name
        self.set = set
        self.unset = unset.sorted()
    }

    public var commandLine: String {
        var line = "weir \(kind.rawValue) alter \(ShellWords.quoted(name))"
        for (key, value) in set.sorted(by: { $0.key < $1.key }) { line += " --config \(ShellWords.quoted("\(key)=\(value)"))" }
        for key in unset { line += " --unset \(ShellWords.quoted(key))" }
        return line
    }
}
