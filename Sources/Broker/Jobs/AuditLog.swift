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
    private let limits: Limits
    private var limit: Int { limits.auditRows }
    private let rows = Mutex<[AuditRow]>([])

    init(shard: Shard) {
        self.shard = shard
        limits = shard.options.limits
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

    /// Writes rows down, their texts cut; returns when they are logged. Their numbers are those after the last.
    func add(_ new: [AuditRow]) async {
        guard !new.isEmpty else { return }
        let numbered = rows.withLock { rows in
            var last = rows.last?.id ?? 0
            let numbered = new.map { row in
                last += 1
                return cut(row, id: last)
            }
            rows += numbered
            if rows.count > limit { rows.removeFirst(rows.count - limit * 9 / 10) }
            return numbered
        }
        let lines = numbered.map { row in
            do { return (row.atMs, ByteBuffer(bytes: try JSONEncoder().encode(row))) } catch {
                preconditionFailure("an audit row always encodes: \(error)")
            }
        }
        let error: LogError? = await withCheckedContinuation { continuation in
            shard.run {
                var builder = RecordBatchBuilder(baseOffset: .zero)
                for (ms, bytes) in lines { builder.append(timestamp: Timestamp(ms: ms), value: bytes) }
                self.shard.appendFacts(.audit, &builder) { continuation.resume(returning: $0) }
                self.trim(added: Int64(lines.count))
            }
        }
        guard let error else { return }
        shard.logger.error(
            "the audit log could not be written: \(error); '\(numbered[0].command)' by \(numbered[0].actor) and \(numbered.count - 1) more")
    }

    private func cut(_ row: AuditRow, id: Int64) -> AuditRow {
        func cut(_ text: String, _ limit: Int) -> String {
            text.unicodeScalars.count > limit ? String(text.unicodeScalars.prefix(limit - 1)) + "…" : text
        }
        var row = row
        row.id = id
        row.actor = cut(row.actor, limits.auditActorCharacters)
        row.command = cut(row.command, limits.auditTextCharacters)
        row.outcome = cut(row.outcome, limits.auditTextCharacters)
        return row
    }

    /// Gives back what is no longer kept, a hundred rows at a time.
    private func trim(added: Int64) {
        let end = shard.factEnds[.audit] ?? .zero
        guard end.value > Int64(limit), end.value / 100 != (end.value - added) / 100 else { return }
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
