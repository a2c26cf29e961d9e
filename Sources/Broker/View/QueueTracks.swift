import Collections
import Model
import Queues

/// A share group on a topic; a queue's own group has the topic's name.
struct QueueKey: Hashable, Sendable {
    var group: String
    var topic: TopicID
}

/// What is known of every queue. Only queues that changed are touched; those that had something to do within the last seconds are taken on
/// once a second until nothing is left of their rates.
///
/// ```
/// absorb(orders: 7 ready)      counts and totals are as of now
/// tick()                       rates, graphs; orders goes on for 11 seconds more, then it costs nothing
/// ```
struct QueueTracks: Sendable {
    private(set) var tracks: [QueueTrack] = []
    /// At the same places.
    private(set) var figures: [QueueFigures] = []
    /// Places by name.
    private(set) var order: [Int] = []
    private(set) var totals = QueueTotals()
    /// Who names a queue as the target of what dies: share groups by target, in order. A target is a dead-letter queue when one of them
    /// gives messages up for more than their age, or when it is declared as one: then it stays one when its sources are gone. That is the
    /// one rule for ``QueueFigures/isDeadLetter``.
    private(set) var deadLetterSources: [String: [String]] = [:]
    var herd: DelayHerd?
    private(set) var ticks = 0

    private var places: [QueueKey: Int] = [:]
    private var names: [String: Int] = [:]
    private var groups: [TopicID: [String]] = [:]
    private var consumers: [QueueKey: Int] = [:]
    private var delayed: [TopicID: Int64] = [:]
    /// Changed since the last second, and those whose rates fade.
    private var changed: Set<Int> = []
    private var hot: Set<Int> = []
    /// Places to look up ages for, first come first served; each is listed once.
    private var ageless = Deque<Int>()
    /// Tracks of share groups on topics that are no queue of theirs.
    fileprivate var foreign = 0
    private var isUnordered = false
    private var hasNewPolicies = false

    /// The graph a queue keeps by the second is given to other queues this often.
    private static let busiestSeconds = 30

    func place(of name: String) -> Int? { names[name] }
    func place(of key: QueueKey) -> Int? { places[key] }
    func groups(on topic: TopicID) -> [String] { groups[topic] ?? [] }
    subscript(name: String) -> QueueTrack? { names[name].map { tracks[$0] } }

    // MARK: Changes

    /// Takes over a queue's counts, as of now. Call ``settle()`` after the last.
    /// - Parameter policy: nil when its settings are what they were.
    mutating func absorb(_ sample: QueueSample, policy: QueuePolicy?) {
        let key = QueueKey(group: sample.group, topic: sample.topic)
        if let place = places[key], tracks[place].sample.name != sample.name { remove([key]) }
        if let other = names[sample.name], tracks[other].key != key { remove([tracks[other].key]) }
        let place: Int
        if let known = places[key] {
            place = known
            totals.add(figures[place], times: -1)
            let gaveUp = tracks[place].givesUp
            tracks[place].take(sample, policy)
            hasNewPolicies = hasNewPolicies || tracks[place].givesUp != gaveUp
        } else {
            place = tracks.count
            tracks.append(QueueTrack(sample, policy ?? QueuePolicy()))
            figures.append(QueueFigures())
            figures[place].consumers = consumers[key] ?? 0
            places[key] = place
            names[sample.name] = place
            groups[key.topic, default: []].append(key.group)
            isUnordered = true
            if !sample.isQueue { foreign += 1 }
        }
        hasNewPolicies = hasNewPolicies || policy != nil
        figures[place].take(sample, tracks[place].policy)
        figures[place].delayed = sample.isQueue ? delayed[key.topic] ?? 0 : 0
        figures[place].oldestAt = tracks[place].oldestAt
        totals.add(figures[place])
        changed.insert(place)
        listIfAgeless(place)
    }

    private mutating func listIfAgeless(_ place: Int) {
        guard !tracks[place].isAgeless, tracks[place].wantsAges else { return }
        tracks[place].isAgeless = true
        ageless.append(place)
    }

    /// Forgets queues. Rare: all places move.
    mutating func remove(_ keys: Set<QueueKey>) {
        guard keys.contains(where: { places[$0] != nil }) else { return }
        let kept = tracks.indices.filter { !keys.contains(tracks[$0].key) }
        var moved = Array(repeating: -1, count: tracks.count)
        for (new, old) in kept.enumerated() { moved[old] = new }
        for (old, new) in moved.enumerated() where new < 0 { totals.add(figures[old], times: -1) }
        func follow(_ set: Set<Int>) -> Set<Int> { Set(set.lazy.map { moved[$0] }.filter { $0 >= 0 }) }
        (changed, hot) = (follow(changed), follow(hot))
        ageless = Deque(ageless.lazy.map { moved[$0] }.filter { $0 >= 0 })
        figures = kept.map { figures[$0] }
        tracks = kept.map { tracks[$0] }
        places = Dictionary(uniqueKeysWithValues: tracks.enumerated().map { ($1.key, $0) })
        names = Dictionary(uniqueKeysWithValues: tracks.enumerated().map { ($1.sample.name, $0) })
        groups = Dictionary(grouping: tracks.map(\.key), by: \.topic).mapValues { $0.map(\.group) }
        foreign = tracks.count { !$0.sample.isQueue }
        isUnordered = true
        hasNewPolicies = true
    }

    /// After changes: the order by name, and who is whose dead-letter target.
    mutating func settle() {
        if isUnordered { order = tracks.indices.sorted { tracks[$0].sample.name < tracks[$1].sample.name } }
        isUnordered = false
        if hasNewPolicies { markDeadLetters() }
        hasNewPolicies = false
    }

    private mutating func markDeadLetters() {
        var targets: Set<Int> = []
        var sources: [String: Set<String>] = [:]
        for (place, track) in tracks.enumerated() {
            if track.sample.isQueue, track.sample.settings.isDeadLetterQueue { targets.insert(place) }
            guard let target = track.deadLetterTarget, target != track.sample.topicName else { continue }
            sources[target, default: []].insert(track.sample.group)
            if track.givesUp, let place = names[target] { targets.insert(place) }
        }
        deadLetterSources = sources.mapValues { $0.sorted() }
        for place in figures.indices where figures[place].isDeadLetter != targets.contains(place) {
            totals.add(figures[place], times: -1)
            figures[place].isDeadLetter.toggle()
            totals.add(figures[place])
        }
    }

    /// Members by group and topic.
    mutating func setConsumers(_ next: [QueueKey: Int]) {
        guard next != consumers else { return }
        for key in consumers.keys where next[key] == nil { if let place = places[key] { figures[place].consumers = 0 } }
        for (key, count) in next { if let place = places[key] { figures[place].consumers = count } }
        consumers = next
    }

    /// Messages in the delay store by topic: they belong to its queue, or to none.
    mutating func setDelayed(_ next: [TopicID: Int64]) {
        guard next != delayed else { return }
        for topic in Set(delayed.keys).union(next.keys) where delayed[topic] != next[topic] {
            for group in groups[topic] ?? [] {
                guard let place = places[QueueKey(group: group, topic: topic)], tracks[place].sample.isQueue else { continue }
                totals.add(figures[place], times: -1)
                figures[place].delayed = next[topic] ?? 0
                totals.add(figures[place])
            }
        }
        delayed = next
    }

    // MARK: Seconds

    /// - Parameter busiest: how many queues keep a point a second.
    mutating func tick(seconds: Double, busiest: Int) {
        for place in changed.union(hot) {
            tracks[place].tick(&figures[place], at: ticks, seconds: seconds, hasChanged: changed.contains(place))
            if tracks[place].idleSeconds > QueueTrack.netSeconds { hot.remove(place) } else { hot.insert(place) }
        }
        changed.removeAll(keepingCapacity: true)
        if ticks % Self.busiestSeconds == 0 || tracks.count <= busiest { chooseBusiest(busiest) }
        ticks += 1
    }

    /// The last second that graphs know.
    var lastTick: Int { max(0, ticks - 1) }

    private mutating func chooseBusiest(_ count: Int) {
        var places = Array(tracks.indices)
        if places.count > count {
            func rate(_ place: Int) -> Double { figures[place].inRate + figures[place].outRate }
            places = Selection.window(of: places, start: 0, count: count) { (-rate($0), $0) < (-rate($1), $1) }
            let chosen = Set(places)
            for place in tracks.indices where !chosen.contains(place) { tracks[place].setFine(false, at: ticks) }
        }
        for place in places { tracks[place].setFine(true, at: ticks) }
    }

    // MARK: Ages

    /// Places in the log whose times are wanted, of at most `limit` cursors.
    mutating func takeAgeless(_ limit: Int) -> [(QueueKey, PartitionID, Offset)] {
        var wanted: [(QueueKey, PartitionID, Offset)] = []
        for _ in ageless.indices {
            guard wanted.count < limit, let place = ageless.popFirst() else { break }
            tracks[place].isAgeless = false
            let room = limit - wanted.count
            let next = tracks[place].nextAges(room)
            for (partition, offset) in next { wanted.append((tracks[place].key, partition, offset)) }
            // There may be more of them than there is room for.
            if next.count == room { listIfAgeless(place) }
        }
        return wanted
    }

    /// - Parameter time: when the message at `offset` was appended; nil when that could not be found out: it is asked for again.
    mutating func learn(_ time: Timestamp?, at offset: Offset, of key: QueueKey, _ partition: PartitionID) {
        guard let place = places[key] else { return }
        tracks[place].learn(time, at: offset, of: partition)
        figures[place].oldestAt = tracks[place].oldestAt
        if time == nil { listIfAgeless(place) }
    }
}

extension QueueTracks {
    /// Cursors of share groups on topics that are no queue of theirs: what the Groups screen shows as their positions.
    var foreignCursors: [CursorCounts] {
        guard foreign > 0 else { return [] }
        var found: [CursorCounts] = []
        for track in tracks where !track.sample.isQueue { found += track.sample.cursors }
        return found
    }

    /// What became of deliveries of all queues by attempt number within the last hour.
    var attempts: [AttemptCount] {
        var sum: [AttemptCount] = []
        for (place, figures) in figures.enumerated() where figures.delivered > 0 {
            QueueTrack.add(tracks[place].attempts(at: lastTick), to: &sum)
        }
        return sum
    }
}
