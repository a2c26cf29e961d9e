import Control
import Model
import NIOHTTP1

/// Turns requests into calls of a ``Control`` and its answers into JSON.
struct Router: Sendable {
    let control: any Control
    /// Answers every command with 403, whatever the broker behind would say.
    let readOnly: Bool
    let limits: Limits

    private static let reading = "GET, HEAD, OPTIONS"

    func answer(_ request: Request) async -> Answer {
        do throws(ControlError) {
            return try await route(request)
        } catch {
            return .refusal(error)
        }
    }

    private func route(_ request: Request) async throws(ControlError) -> Answer {
        let path = request.path
        if path == ["metrics"] {
            return try await read(request) { () throws(ControlError) in .metrics(try await metrics()) }
        }
        guard path.count >= 3, path[0] == "weir", path[1] == "v1" else { return notFound(request) }
        switch (path[2], path.count) {
        case ("snapshot", 3): return try await snapshot(request)
        case ("command", 3): return try await command(request)
        case ("health", 3):
            return try await read(request) { () throws(ControlError) in .json(Health(try await ask(SnapshotQuery(historyPoints: 0)).broker))
            }
        case ("topics", 3):
            let list = try listQuery(request)
            return try await read(request) { () throws(ControlError) in
                .json(try await ask(SnapshotQuery(topics: list, historyPoints: 0)).topics)
            }
        case ("groups", 3):
            let list = try listQuery(request)
            return try await read(request) { () throws(ControlError) in
                .json(try await ask(SnapshotQuery(groups: list, historyPoints: 0)).groups)
            }
        case ("topics", 4):
            return try await read(request) { () throws(ControlError) in
                guard let topic = try await ask(SnapshotQuery(topic: path[3], historyPoints: 0)).topic else {
                    throw ControlError(.notFound, "there is no topic '\(path[3])'; \(ControlPath.topics) lists them")
                }
                return .json(topic)
            }
        case ("groups", 4):
            return try await read(request) { () throws(ControlError) in
                guard let group = try await ask(SnapshotQuery(group: path[3], historyPoints: 0)).group else {
                    throw ControlError(.notFound, "there is no group '\(path[3])'; \(ControlPath.groups) lists them")
                }
                return .json(group)
            }
        default: return notFound(request)
        }
    }

    // MARK: Resources

    private func snapshot(_ request: Request) async throws(ControlError) -> Answer {
        switch request.method {
        case .POST: return .json(try await ask(try ControlJSON.decode(SnapshotQuery.self, from: request.body)))
        case .GET, .HEAD:
            let lists = try listQuery(request)
            return .json(
                try await ask(
                    SnapshotQuery(
                        topics: lists, groups: lists, topic: request.query["topic"], group: request.query["group"],
                        historyPoints: try number(request, "history") ?? 300)))
        case .OPTIONS: return .options("GET, HEAD, POST, OPTIONS")
        default: return wrongMethod(request, allow: "GET, HEAD, POST, OPTIONS")
        }
    }

    private func command(_ request: Request) async throws(ControlError) -> Answer {
        switch request.method {
        case .POST:
            let command = try ControlJSON.decode(Command.self, from: request.body)
            if readOnly, !command.onlyPreviews {
                throw ControlError(
                    .readOnly, "this broker was started with --read-only: start it without to allow '\(command.commandLine)'")
            }
            return .json(try await control.perform(command))
        case .OPTIONS: return .options("POST, OPTIONS")
        default: return wrongMethod(request, allow: "POST, OPTIONS")
        }
    }

    private func metrics() async throws(ControlError) -> String {
        let topics = ListQuery(sort: "bytes", descending: true, count: limits.listRows)
        let groups = ListQuery(sort: "lag", descending: true, count: limits.listRows)
        return Metrics.text(try await ask(SnapshotQuery(topics: topics, groups: groups, historyPoints: 0)))
    }

    /// Runs `answer` for GET and HEAD (the connection leaves out a HEAD's body) and refuses the rest.
    private func read(
        _ request: Request, _ answer: () async throws(ControlError) -> Answer
    ) async throws(ControlError) -> Answer {
        switch request.method {
        case .GET, .HEAD: try await answer()
        case .OPTIONS: .options(Self.reading)
        default: wrongMethod(request, allow: Self.reading)
        }
    }

    private func ask(_ query: SnapshotQuery) async throws(ControlError) -> Snapshot {
        for list in [query.topics, query.groups] {
            guard let list else { continue }
            guard list.start >= 0, (0...limits.listRows).contains(list.count) else {
                throw ControlError(.invalid, "ask for at most \(limits.listRows) rows from row 0 on; page with start and count")
            }
        }
        guard (0...900).contains(query.historyPoints) else { throw ControlError(.invalid, "history has 0 to 900 points") }
        return try await control.snapshot(query)
    }

    // MARK: Query parameters

    /// `?filter=~^ord&sort=lag&descending=true&start=0&count=50`
    private func listQuery(_ request: Request) throws(ControlError) -> ListQuery {
        let descending = request.query["descending"] ?? "false"
        guard ["true", "false", ""].contains(descending) else { throw ControlError(.invalid, "descending is true or false") }
        return ListQuery(
            filter: request.query["filter"] ?? "", sort: request.query["sort"] ?? "name", descending: descending != "false",
            start: try number(request, "start") ?? 0, count: try number(request, "count") ?? 100)
    }

    private func number(_ request: Request, _ name: String) throws(ControlError) -> Int? {
        guard let text = request.query[name] else { return nil }
        guard let number = Int(text) else { throw ControlError(.invalid, "\(name) must be a whole number, not '\(text.prefix(40))'") }
        return number
    }

    // MARK: Refusals

    private func notFound(_ request: Request) -> Answer {
        if request.path == ["*"], request.method == .OPTIONS { return .options("GET, HEAD, POST, OPTIONS") }
        let message = "nothing here: try \(ControlPath.snapshot), \(ControlPath.topics), \(ControlPath.groups) or \(ControlPath.metrics)"
        return .refusal(.notFound, message, status: .notFound)
    }

    private func wrongMethod(_ request: Request, allow: String) -> Answer {
        .refusal(.invalid, "\(request.method.rawValue) does not work here: use \(allow)", status: .methodNotAllowed, allow: allow)
    }
}

/// What `/weir/v1/health` says when the broker answers at all.
struct Health: Codable, Equatable, Sendable {
    var status = "ok"
    var name: String
    var version: String
    var uptimeMs: Int64

    init(_ broker: BrokerInfo) {
        name = broker.name
        version = broker.version
        uptimeMs = broker.uptimeMs
    }
}
