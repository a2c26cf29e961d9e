import Model
import Queues

/// What is known of every queue: fed once a second, in the order of names, so that a list by name needs no sorting.
struct QueueTracks: Sendable {
    private(set) var tracks: [QueueTrack] = []
    private var places: [String: Int] = [:]
    private(set) var ages: [ShareKey: QueueAge] = [:]
    private(set) var totals = QueueTotals()
    private(set) var herd: DelayHerd?
    private(set) var ticks = 0

    subscript(name: String) -> QueueTrack? { places[name].map { tracks[$0] } }

    mutating func take(_ intake: QueueIntake, seconds: Double) {
        ages = intake.ages
        herd = intake.herd
        let isSame = place(intake.samples)
        for index in tracks.indices { tracks[index].take(intake.samples[index], seconds: seconds) }
        if ticks % 30 == 0 || !isSame { chooseBusiest(intake.busiest) }
        ticks += 1
        totals = QueueTotals(tracks)
    }

    /// Takes over counts between two seconds, and queues that came and went; rates and graphs stay as they are.
    mutating func refresh(_ samples: [QueueSample]) {
        _ = place(samples)
        for index in tracks.indices { tracks[index].refresh(samples[index]) }
        totals = QueueTotals(tracks)
    }

    /// Brings tracks in step with the samples and takes over settings that changed. Whether the queues are the same as before.
    private mutating func place(_ samples: [QueueSample]) -> Bool {
        let isSame = samples.count == tracks.count && zip(samples, tracks).allSatisfy { $0.name == $1.sample.name }
        if !isSame { adopt(samples) }
        var hasChangedPolicy = !isSame
        for index in tracks.indices where tracks[index].settings != samples[index].settings {
            tracks[index].settings = samples[index].settings
            tracks[index].policy = samples[index].policy
            hasChangedPolicy = true
        }
        if hasChangedPolicy { markDeadLetters() }
        return isSame
    }

    private mutating func adopt(_ samples: [QueueSample]) {
        let old = tracks
        let oldPlaces = places
        tracks = samples.map { sample in oldPlaces[sample.name].map { old[$0] } ?? QueueTrack(sample) }
        places = Dictionary(uniqueKeysWithValues: samples.enumerated().map { ($1.name, $0) })
    }

    private mutating func markDeadLetters() {
        var targets: Set<String> = []
        for track in tracks {
            if let target = track.deadLetterTarget { targets.insert(target) }
        }
        for index in tracks.indices { tracks[index].isDeadLetter = targets.contains(tracks[index].sample.name) }
    }

    private mutating func chooseBusiest(_ count: Int) {
        var order = Array(tracks.indices)
        if order.count > count {
            order.sort { tracks[$0].inRate + tracks[$0].outRate > tracks[$1].inRate + tracks[$1].outRate }
            for index in order[count...] { tracks[index].fine = nil }
        }
        for index in order.prefix(count) where tracks[index].fine == nil { tracks[index].fine = Ring(capacity: 300) }
    }
}

/// One second's samples of all queues.
struct QueueIntake: Sendable {
    /// By name.
    var samples: [QueueSample] = []
    var ages: [ShareKey: QueueAge] = [:]
    var herd: DelayHerd?
    /// Commands carried out before the samples were taken.
    var commands = 0
    /// How many queues keep a point a second.
    var busiest = 0
}

extension QueueTrack {
    /// The queue that gets this one's dead letters.
    var deadLetterTarget: String? {
        switch policy.deadLetter {
        case .none: nil
        case .auto: "\(sample.isQueue ? sample.name : sample.group).dlq"
        case .topic(let name): name
        }
    }
}

/// All queues added up. What lies in dead-letter queues counts as dead, not as ready.
struct QueueTotals: Sendable {
    var queues = 0
    var ready: Int64 = 0
    var unacked: Int64 = 0
    var delayed: Int64 = 0
    var retrying: Int64 = 0
    var dead: Int64 = 0

    init() {}

    init(_ tracks: [QueueTrack]) {
        queues = tracks.count
        for track in tracks {
            if track.isDeadLetter {
                dead += track.open
            } else {
                ready += track.sums.ready
                unacked += track.sums.unacked
                retrying += track.sums.retrying
            }
            delayed += track.sample.delayed
        }
    }
}
