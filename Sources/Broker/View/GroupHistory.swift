import Groups
import Model

/// What is known of every group's progress: fed once a second with the groups' commits and their partitions' ends.
struct GroupHistory: Sendable {
    struct PartitionTrack: Sendable {
        var rules = LagRules()
        var committedAt = Timestamp.none
        var committed: Offset
        var position: GroupPosition?
        /// When the committed offset last moved.
        var movedAt: Timestamp?
    }

    struct Track: Sendable {
        var view: GroupView
        var partitions: [TopicPartition: PartitionTrack] = [:]
        /// Total lag, a point every 5 seconds.
        var trend = Ring<Float>(capacity: 60)
        var ticks = 0
        var lag: Int64?
    }

    private(set) var tracks: [String: Track] = [:]
    private(set) var totalLag: Int64 = 0

    var count: Int { tracks.count }

    mutating func take(_ samples: [GroupSample], now: Timestamp, monotonic: Monotonic) {
        var next: [String: Track] = [:]
        next.reserveCapacity(samples.count)
        totalLag = 0
        for sample in samples {
            var track = tracks.removeValue(forKey: sample.view.name) ?? Track(view: sample.view)
            track.take(sample, now: now, monotonic: monotonic)
            totalLag += track.lag ?? 0
            next[sample.view.name] = track
        }
        tracks = next
    }

    /// The time of the next unread record, if it was looked up for this committed offset already.
    func nextUnread(group: String, _ partition: TopicPartition, at committed: Offset) -> Timestamp? {
        guard let track = tracks[group]?.partitions[partition], track.committed == committed else { return nil }
        return track.position?.nextUnread
    }
}

extension GroupHistory.Track {
    fileprivate mutating func take(_ sample: GroupSample, now: Timestamp, monotonic: Monotonic) {
        view = sample.view
        var current: [TopicPartition: GroupHistory.PartitionTrack] = [:]
        var total: Int64 = 0
        for committed in sample.view.committed {
            let isNew = partitions[committed.partition] == nil
            var track = partitions[committed.partition] ?? .init(committed: committed.offset)
            track.position = sample.partitions[committed.partition]
            if let end = track.position?.end {
                if committed.at != track.committedAt {
                    track.rules.committed(.init(at: monotonic, committed: committed.offset, end: end))
                }
                total += max(0, end - committed.offset)
            }
            if isNew || committed.offset != track.committed { track.movedAt = committed.at }
            track.committed = committed.offset
            track.committedAt = committed.at
            current[committed.partition] = track
        }
        partitions = current
        lag = sample.view.committed.isEmpty ? nil : total
        if ticks % 5 == 0 { trend.append(Float(total)) }
        ticks += 1
    }
}
