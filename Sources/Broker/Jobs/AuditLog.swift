import Control
import FoundationEssentials
import Logging
import Model
import NIOCore
import Storage
import Synchronization

/// Who did what, when, and what came of it: facts of the first shard, one JSON record a line, of which the newest
/// ``Model/Limits/auditRows`` are kept. Any thread.
public final class AuditLog: Sendable {
    private let shard: Shard
    private let limit: Int
    private let rows = Mutex<[AuditRow]>([])

    init(shard: Shard) {
        self.shard = shard
        limit = shard.options.limits.auditRows
    }

    /// Reads back what is kept. Call once, before the doors open.
    func load(extent: StreamExtent) async throws {
        let reader = StreamReader(log: shard.log)
        var next = max(extent.start, extent.end + -Int64(limit))
        var loaded: [AuditRow] = []
        while next < extent.end {
            let chunk = try await reader.read(.facts(shard.id, .audit), from: next, to: extent.end)
            for record in chunk.records {
                guard let value = record.value else { continue }
                do { loaded.append(try JSONDecoder().decode(AuditRow.self, from: Data(value.readableBytesView))) } catch {
                    shard.logger.warning("audit entry \(record.offset) can't be read: \(error)")
                }
            }
            next = chunk.next
        }
        let result = loaded
        rows.withLock { $0 = result }
    }

    /// Writes a row down; returns when it is logged. Its number is the one after the last.
    func add(_ row: AuditRow) async {
        let numbered = rows.withLock { rows in
            var row = row
            row.id = (rows.last?.id ?? 0) + 1
            rows.append(row)
            if rows.count > limit { rows.removeFirst(rows.count - limit * 9 / 10) }
            return row
        }
        let bytes: ByteBuffer
        do { bytes = ByteBuffer(bytes: try JSONEncoder().encode(numbered)) } catch {
            preconditionFailure("an audit row always encodes: \(error)")
        }
        let error: LogError? = await withCheckedContinuation { continuation in
            shard.run {
                var builder = RecordBatchBuilder(baseOffset: .zero)
                builder.append(timestamp: Timestamp(ms: numbered.atMs), value: bytes)
                self.shard.appendFacts(.audit, &builder) { continuation.resume(returning: $0) }
                self.trim()
            }
        }
        if let error { shard.logger.error("the audit log could not be written: \(error); '\(numbered.command)' by \(numbered.actor)") }
    }

    private func trim() {
        let end = shard.factEnds[.audit] ?? .zero
        guard end.value > Int64(limit), end.value.isMultiple(of: 100) else { return }
        shard.log.trim(.facts(shard.id, .audit), before: end + -Int64(limit)) { _ in }
    }

    /// A window, newest first; the filter looks at command, actor and outcome.
    func page(_ query: ListQuery, isLive: (String) -> Bool) -> Page<AuditRow> {
        let all = rows.withLock { $0 }
        let wanted = query.filter.lowercased()
        let matching =
            wanted.isEmpty
            ? all
            : all.filter {
                $0.command.lowercased().contains(wanted) || $0.actor.lowercased().contains(wanted)
                    || $0.outcome.lowercased().contains(wanted)
            }
        let newest = query.sort == "id" && !query.descending ? matching : matching.reversed()
        let start = max(0, min(query.start, newest.count))
        var window = Array(newest[start...].prefix(max(0, query.count)))
        for index in window.indices where window[index].undo.map({ !isLive($0) }) ?? false { window[index].undo = nil }
        return Page(rows: window, start: start, matched: matching.count, total: all.count)
    }
}
