/// What happened in a world, in numbers: a world in which nothing happens proves nothing.
struct Tally {
    private(set) var counts: [String: Int] = [:]

    subscript(_ name: String) -> Int {
        get { counts[name] ?? 0 }
        set { counts[name] = newValue }
    }

    /// `checks=12 messages=247`.
    var text: String { counts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ") }

    /// Adds what ``text`` says.
    mutating func add(_ text: Substring) {
        for word in text.split(separator: " ") {
            let parts = word.split(separator: "=")
            if parts.count == 2, let count = Int(parts[1]) { self[String(parts[0])] += count }
        }
    }
}
