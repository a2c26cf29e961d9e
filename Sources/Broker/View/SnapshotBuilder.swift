import Control
import Groups
import Model

/// Turns one instant of the statistics into what a query asks for. A pure value; nothing here waits or changes.
struct SnapshotBuilder {
    let state: Statistics.State
    let topics: Catalog.View
    let now: Timestamp
    let monotonic: Monotonic
    /// Why messages of dead-letter queues died, as far as it is known.
    let causes: [TopicID: DeadCause]

    /// Consumer groups by topic name.
    private let readers: [String: [String]]

    init(state: Statistics.State, topics: Catalog.View, now: Timestamp, monotonic: Monotonic, causes: [TopicID: DeadCause] = [:]) {
        self.causes = causes
        self.state = state
        self.topics = topics
        self.now = now
        self.monotonic = monotonic
        var readers: [String: [String]] = [:]
        for (name, track) in state.groups.tracks {
            for topic in Set(track.partitions.keys.map(\.topic)) { readers[topic, default: []].append(name) }
        }
        self.readers = readers
    }

    func history(points: Int) -> History {
        let count = min(max(0, points), 900)
        var history = History(
            stepMs: 1000, endMs: state.endMs, inRate: state.inHistory.suffix(count), outRate: state.outHistory.suffix(count),
            backlog: state.backlogHistory.suffix(count))
        let queues = state.queueHistory.suffix(count)
        history.ready = queues.map { Double($0.ready) }
        history.unacked = queues.map { Double($0.unacked) }
        history.delayed = queues.map { Double($0.delayed + $0.retrying) }
        history.dead = queues.map { Double($0.dead) }
        return history
    }

    // MARK: Topics

    func topicPage(_ list: ListQuery) throws(ControlError) -> Page<TopicRow> {
        let filter = try NameFilter(list.filter)
        let all = topics.byName.values
        let key = topicKey(list.sort)
        let found = all.filter { filter.matches($0.name) }.map { (key: key?($0) ?? 0, topic: $0) }
        let window = Selection.window(of: found, start: list.start, count: list.count) { left, right in
            if left.key != right.key { return (left.key < right.key) != list.descending }
            return list.descending && key == nil ? left.topic.name > right.topic.name : left.topic.name < right.topic.name
        }
        return Page(
            rows: window.map { row($0.topic) }, start: min(max(0, list.start), found.count), matched: found.count, total: all.count)
    }

    private func trend(_ topic: Topic) -> [Double?] { state.topics.series[topic.id]?.trend(at: state.topics.lastTick) ?? [] }

    func row(_ topic: Topic) -> TopicRow {
        let series = state.topics.series[topic.id]
        return TopicRow(
            name: topic.name, partitions: Int(topic.partitions), records: series?.records ?? 0, bytes: series?.bytes ?? 0,
            inRate: series?.inRate ?? 0, inBytesRate: series?.inBytesRate ?? 0, outRate: series?.outRate ?? 0,
            groups: readers[topic.name]?.count ?? 0, lag: lag(on: topic), trend: trend(topic))
    }

    /// The largest lag of a group on the topic.
    private func lag(on topic: Topic) -> Int64? {
        var lag: Int64?
        for group in readers[topic.name] ?? [] {
            let groupLag = state.groups.tracks[group]?.lag(on: topic.name)
            if let groupLag { lag = max(lag ?? 0, groupLag) }
        }
        return lag
    }

    func topicDetail(_ name: String) -> TopicDetail? {
        guard let topic = topics[name] else { return nil }
        let partitions = topic.partitionIDs.map { id in
            let sample = state.topics.partitions[id]
            return PartitionRow(
                topic: name, partition: id.index, start: sample?.start.value ?? 0, end: sample?.end.value ?? 0,
                bytes: sample?.bytes ?? 0, inRate: state.topics.series[topic.id]?.partitionRates[id.index] ?? 0)
        }
        let configs = ConfigDefinition.topicList.map { definition in
            ConfigRow(
                name: definition.name, value: topic.config.overrides[definition.name] ?? definition.defaultValue,
                isDefault: topic.config.overrides[definition.name] == nil)
        }
        return TopicDetail(
            row: row(topic), id: topic.id.description, partitions: partitions,
            groups: (readers[name] ?? []).sorted().compactMap { state.groups.tracks[$0].map(row) }, configs: configs,
            history: History(stepMs: 1000, endMs: state.endMs, inRate: trend(topic)))
    }

    /// What a list of topics is sorted by; nil: by name.
    private func topicKey(_ field: String) -> ((Topic) -> Double)? {
        func series(_ value: @escaping (TopicSeries) -> Double) -> (Topic) -> Double {
            { topic in state.topics.series[topic.id].map(value) ?? 0 }
        }
        return switch field {
        case "partitions": { Double($0.partitions) }
        case "records": series { Double($0.records) }
        case "bytes": series { Double($0.bytes) }
        case "inRate": series(\.inRate)
        case "inBytesRate": series(\.inBytesRate)
        case "outRate": series(\.outRate)
        case "groups": { Double(readers[$0.name]?.count ?? 0) }
        case "lag": { Double(lag(on: $0) ?? -1) }
        default: nil
        }
    }

    // MARK: Lists

    static func order<Value: Comparable>(_ left: Value, _ right: Value) -> Bool? { left == right ? nil : left < right }

    /// Sorts by `ascending` (nil: equal), then by name, and cuts the window out.
    func page<Row: NamedRow>(
        _ rows: [Row], total: Int, _ list: ListQuery, by ascending: (Row, Row) -> Bool?
    ) -> Page<Row> {
        let sorted = rows.sorted { left, right in
            if let before = ascending(left, right) { return before != list.descending }
            return list.descending && list.sort == Row.nameField ? left.rowName > right.rowName : left.rowName < right.rowName
        }
        let start = min(max(0, list.start), sorted.count)
        let window = sorted[start..<min(sorted.count, start + max(0, list.count))]
        return Page(rows: Array(window), start: start, matched: sorted.count, total: total)
    }
}

/// A row that a list can sort by name.
protocol NamedRow: Codable, Equatable, Sendable {
    static var nameField: String { get }
    var rowName: String { get }
}

extension TopicRow: NamedRow {
    static var nameField: String { "name" }
    var rowName: String { name }
}

extension GroupRow: NamedRow {
    static var nameField: String { "group" }
    var rowName: String { group }
}

/// What `/` filters by: a part of the name, or with `~` a regular expression; without regard to case.
struct NameFilter {
    private let part: String
    private let pattern: TextPattern?

    init(_ text: String) throws(ControlError) {
        guard text.hasPrefix("~") else {
            part = text.lowercased()
            pattern = nil
            return
        }
        part = ""
        do throws(TextPattern.Problem) { pattern = try TextPattern(String(text.dropFirst()), ignoresCase: true) } catch {
            throw ControlError(.invalid, "'\(text.dropFirst())' is no regular expression: \(error)")
        }
    }

    func matches(_ name: String) -> Bool {
        if let pattern { return pattern.matches(name) }
        return part.isEmpty || name.lowercased().contains(part)
    }

    /// - Parameter folded: the name in lower case.
    func matches(_ name: String, folded: String) -> Bool {
        if let pattern { return pattern.matches(name) }
        return part.isEmpty || folded.contains(part)
    }
}
