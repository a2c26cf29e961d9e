import Control
import Model

extension Broker {
    /// Fills in what a snapshot asks of dead letters, messages, jobs and the audit log. What names something that is not there stays nil.
    func addOperatorViews(_ query: SnapshotQuery, to snapshot: inout Snapshot) async throws(ControlError) {
        if let list = query.deadQueues { snapshot.deadQueues = try await deadQueuePage(list) }
        if let dead = query.dead {
            do throws(ControlError) { snapshot.dead = try await deadDetail(dead) } catch {
                if error.code != .notFound { throw error }
            }
        }
        if let messages = query.messages, messages.state == .delayed {
            do {
                snapshot.messages = try await delayedMessages(
                    queue: messages.queue, fromMs: messages.fromMs, toMs: messages.toMs, start: messages.start, limit: messages.count)
            } catch {
                throw ControlError(.failed, "the delayed messages of \(messages.queue) can't be read: \(error)")
            }
        } else if let messages = query.messages {
            do throws(ControlError) { snapshot.messages = try await messagePage(messages) } catch {
                if error.code != .notFound { throw error }
            }
        }
        if let name = query.message, name.id.hasPrefix("d") {
            let message = await delayedMessage(name.id)
            if name.queue == message?.topic { snapshot.message = message }
        } else if let name = query.message {
            do throws(ControlError) { snapshot.message = try await messageDetail(name) } catch {
                if error.code != .notFound { throw error }
            }
        }
        if let name = query.queue { snapshot.queue?.undos = undoRows(of: name) }
        if let list = query.jobs { snapshot.jobs = try jobPage(list) }
        if let wanted = query.job { snapshot.job = jobDetail(wanted) }
        if let list = query.audit {
            let now = clock.now.ms
            snapshot.audit = audit.page(list) { [undos] in undos.find($0, nowMs: now) != nil }
        }
    }

    /// Jobs, the newest first unless sorted otherwise, by the fields of a ``JobRow``; among equals the newest first. The filter looks at
    /// number, kind, source, target and state.
    func jobPage(_ query: ListQuery) throws(ControlError) -> Page<JobRow> {
        let matcher = try NameMatcher(query.filter)
        let all = jobs.rows
        let matching = all.filter { matcher.matches("\($0.id) \($0.kind) \($0.source) \($0.target ?? "") \($0.state.rawValue)") }
        func order<Value: Comparable>(_ value: (JobRow) -> Value) -> [JobRow] {
            matching.sorted { left, right in
                let (first, second) = (value(left), value(right))
                guard first != second else { return left.id > right.id }
                return query.descending ? first > second : first < second
            }
        }
        let sorted =
            switch query.sort {
            case "id": order(\.id)
            case "source": order(\.source)
            case "kind": order(\.kind)
            case "state": order(\.state.rawValue)
            case "sent": order(\.sent)
            case "total": order(\.total)
            case "startedMs": order(\.startedMs)
            default: matching.sorted { $0.id > $1.id }
            }
        let start = max(0, min(query.start, sorted.count))
        return Page(
            rows: Array(sorted[start...].prefix(max(0, min(query.count, limits.listRows)))), start: start, matched: sorted.count,
            total: all.count)
    }

    /// What can be undone of a queue, newest first.
    func undoRows(of queue: String) -> [UndoRow] { undos.rows(of: queue, nowMs: clock.now.ms) }
}
