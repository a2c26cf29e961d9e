import Control
import Logging
import Model
import Queues
import Storage

extension Broker {
    /// One job with a window of what became of its messages; nil when there is no such job (any more).
    func jobDetail(_ query: JobQuery) -> JobDetail? {
        guard let job = jobs.record(query.id) else { return nil }
        let topics = catalog.current
        let wanted = query.outcome.map { JobOutcomes.End($0) }
        let all = job.results?.runs ?? []
        let matching = wanted.map { end in all.filter { $0.end == end } } ?? all
        let start = max(0, min(query.start, matching.count))
        let rows = matching[start...].prefix(max(0, min(query.count, limits.listRows))).map { JobOutcomeRow($0, topics) }
        var detail = JobDetail(row: job.row)
        detail.outcomes = Page(rows: rows, start: start, matched: matching.count, total: all.count)
        for (end, count) in job.results?.unlisted ?? [:] { detail.unlisted[JobOutcomeRow.Outcome(end).rawValue] = count }
        return detail
    }

    /// Messages that a job sent shortly before a crash and did not note: which they were is read from their copies.
    func found(
        _ progress: MoveProgress, for job: JobRecord
    ) async -> [(partition: Int32, range: Range<Offset>, target: PartitionID, base: Offset)] {
        var found: [(partition: Int32, range: Range<Offset>, target: PartitionID, base: Offset)] = []
        // What was cut off before can't be told from what was never noted.
        let results = job.results ?? JobOutcomes()
        guard !results.isCut else { return [] }
        var left = Int64(limits.jobOutcomes)
        for landing in results.unknown(progress.landed) where left > 0 {
            let range = landing.base..<(landing.base + min(left, landing.count))
            left -= landing.count
            do throws(LogError) {
                _ = try await StreamReader(log: log).read(.partition(landing.target), ranges: [range]) { record in
                    guard let (partition, offset) = MoveIdentity.source(of: record) else { return }
                    found.append((partition, offset..<(offset + 1), landing.target, record.offset))
                }
            } catch {
                jobs.logger.warning("job \(job.row.id): which messages it sent last can't be read: \(error)")
            }
        }
        return found
    }
}

extension JobOutcomeRow {
    fileprivate init(_ run: JobOutcomes.Run, _ topics: Catalog.View) {
        self.init()
        outcome = Outcome(run.end)
        count = run.count
        if run.partition >= 0 { from = "\(run.partition)/\(run.first)" }
        if let target = run.target {
            queue = topics[target.topic]?.name
            to = "\(target.index)/\(run.targetFirst)"
        }
        reason = run.reason
    }
}

extension JobOutcomeRow.Outcome {
    fileprivate init(_ end: JobOutcomes.End) {
        self =
            switch end {
            case .sent: .sent
            case .acked: .acked
            case .died: .diedAgain
            case .moved: .moved
            case .removed: .removed
            case .skipped: .skipped
            }
    }
}

extension JobOutcomes.End {
    fileprivate init(_ outcome: JobOutcomeRow.Outcome) {
        self =
            switch outcome {
            case .sent: .sent
            case .acked: .acked
            case .diedAgain: .died
            case .moved: .moved
            case .removed: .removed
            case .skipped: .skipped
            }
    }
}
