import Control
import Model
import NIOHTTP1

/// Turns requests into calls of a ``Control`` and its answers into JSON.
struct Router: Sendable {
    let control: any Control
    /// The same, acting for a client that says who it is.
    var claimed: (@Sendable (String) -> any Control)?
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
            return try await read(request, Self.metricsQuery(limits)) { .metrics(Metrics.text($0)) }
        }
        guard path.count >= 3, path[0] == "weir", path[1] == "v1" else { return notFound(request) }
        switch (path[2], path.count) {
        case ("snapshot", 3): return try await snapshot(request)
        case ("command", 3): return try await command(request)
        case (let name, 3): return try await list(name, request)
        case (let name, 4): return try await one(name, path[3], request)
        default: return notFound(request)
        }
    }

    /// `/weir/v1/NAME`: one window of a list.
    private func list(_ name: String, _ request: Request) async throws(ControlError) -> Answer {
        var query = SnapshotQuery(historyPoints: 0)
        let window = try listQuery(request)
        switch name {
        case "health": return try await read(request, query) { Health.answer($0.broker) }
        case "topics":
            query.topics = window
            return try await read(request, query) { .json($0.topics) }
        case "groups":
            query.groups = window
            return try await read(request, query) { .json($0.groups) }
        case "queues":
            query.queues = window
            return try await read(request, query) { .json($0.queues) }
        case "dead":
            query.deadQueues = window
            return try await read(request, query) { .json($0.deadQueues) }
        case "jobs":
            query.jobs = window
            return try await read(request, query) { .json($0.jobs) }
        case "audit":
            query.audit = window
            return try await read(request, query) { .json($0.audit) }
        case "clients":
            query.clients = window
            return try await read(request, query) { .json($0.clients) }
        case "delay":
            query.delay = DelayQuery(queue: request.query["queue"])
            return try await read(request, query) { snapshot throws(ControlError) in
                try Self.found(snapshot.delay, "the release schedule", in: ControlPath.delay)
            }
        default: return notFound(request)
        }
    }

    /// `/weir/v1/NAME/OBJECT`: one thing whole.
    private func one(_ name: String, _ object: String, _ request: Request) async throws(ControlError) -> Answer {
        var query = SnapshotQuery(historyPoints: 0)
        switch name {
        case "topics":
            query.topic = object
            return try await read(request, query) { snapshot throws(ControlError) in
                try Self.found(snapshot.topic, "topic '\(object)'", in: ControlPath.topics)
            }
        case "groups":
            query.group = object
            return try await read(request, query) { snapshot throws(ControlError) in
                try Self.found(snapshot.group, "group '\(object)'", in: ControlPath.groups)
            }
        case "queues":
            query.queue = object
            return try await read(request, query) { snapshot throws(ControlError) in
                try Self.found(snapshot.queue, "queue '\(object)'", in: ControlPath.queues)
            }
        case "dead":
            query.dead = try messageQuery(object, request)
            return try await read(request, query) { snapshot throws(ControlError) in
                try Self.found(snapshot.dead, "dead-letter queue '\(object)'", in: ControlPath.dead)
            }
        case "jobs":
            guard let id = Int64(object) else { throw ControlError(.invalid, "a job has a number, not '\(object.prefix(40))'") }
            var wanted = JobQuery(id: id)
            wanted.start = try number(request, "start") ?? 0
            wanted.count = try number(request, "count") ?? 100
            query.job = wanted
            return try await read(request, query) { snapshot throws(ControlError) in
                try Self.found(snapshot.job, "job \(id)", in: ControlPath.jobs)
            }
        default: return notFound(request)
        }
    }

    private static func found(_ value: (some Encodable)?, _ what: String, in list: String) throws(ControlError) -> Answer {
        guard let value else { throw ControlError(.notFound, "there is no \(what); \(list) lists them") }
        return .json(value)
    }

    // MARK: Resources

    private func snapshot(_ request: Request) async throws(ControlError) -> Answer {
        switch request.method {
        case .POST: return .json(try await ask(try ControlJSON.decode(SnapshotQuery.self, from: request.body)))
        case .GET, .HEAD:
            var query = SnapshotQuery.everything(
                try listQuery(request), historyPoints: try number(request, "history") ?? 300)
            query.topic = request.query["topic"]
            query.group = request.query["group"]
            query.queue = request.query["queue"]
            return .json(try await ask(query))
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
            return .json(try await performer(request).perform(command))
        case .OPTIONS: return .options("POST, OPTIONS")
        default: return wrongMethod(request, allow: "POST, OPTIONS")
        }
    }

    /// For whom a command is carried out: cut, without what would spoil a line.
    private func performer(_ request: Request) -> any Control {
        guard let claimed, let who = request.headers.first(name: ControlHeader.client) else { return control }
        let shown = who.unicodeScalars.lazy.filter { (0x20..<0x7F).contains($0.value) }.prefix(limits.auditActorCharacters / 2)
        return shown.isEmpty ? control : claimed(String(String.UnicodeScalarView(shown)))
    }

    /// The largest of everything that has series of its own.
    private static func metricsQuery(_ limits: Limits) -> SnapshotQuery {
        var query = SnapshotQuery(
            topics: ListQuery(sort: "bytes", descending: true, count: limits.listRows),
            groups: ListQuery(sort: "lag", descending: true, count: limits.listRows), historyPoints: 0)
        query.queues = ListQuery(sort: "ready", descending: true, count: limits.listRows)
        return query
    }

    /// Makes an answer of a snapshot for GET and HEAD (the connection leaves out a HEAD's body) and refuses the rest.
    private func read(
        _ request: Request, _ query: SnapshotQuery, _ answer: (Snapshot) throws(ControlError) -> Answer
    ) async throws(ControlError) -> Answer {
        switch request.method {
        case .GET, .HEAD: try answer(try await ask(query))
        case .OPTIONS: .options(Self.reading)
        default: wrongMethod(request, allow: Self.reading)
        }
    }

    private func ask(_ query: SnapshotQuery) async throws(ControlError) -> Snapshot {
        let lists = [query.topics, query.groups, query.queues, query.deadQueues, query.jobs, query.audit, query.clients]
            .compactMap { $0 }
        let windows =
            lists.map { ($0.start, $0.count) } + [query.messages, query.dead].compactMap { $0 }.map { ($0.start, $0.count) }
            + [query.job].compactMap { $0 }.map { ($0.start, $0.count) }
        for (start, count) in windows {
            guard start >= 0, (0...limits.listRows).contains(count) else {
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

    /// `?reason=rejected&match=…&start=0&count=50`
    private func messageQuery(_ queue: String, _ request: Request) throws(ControlError) -> MessageQuery {
        var query = MessageQuery(queue: queue)
        query.filter.reason = request.query["reason"]
        query.filter.match = request.query["match"]
        query.start = try number(request, "start") ?? 0
        query.count = try number(request, "count") ?? 100
        return query
    }

    private func number(_ request: Request, _ name: String) throws(ControlError) -> Int? {
        guard let text = request.query[name] else { return nil }
        guard let number = Int(text) else { throw ControlError(.invalid, "\(name) must be a whole number, not '\(text.prefix(40))'") }
        return number
    }

    // MARK: Refusals

    private func notFound(_ request: Request) -> Answer {
        if request.path == ["*"], request.method == .OPTIONS { return .options("GET, HEAD, POST, OPTIONS") }
        let lists = [
            ControlPath.topics, ControlPath.groups, ControlPath.queues, ControlPath.dead, ControlPath.delay, ControlPath.jobs,
            ControlPath.audit, ControlPath.clients, ControlPath.health,
        ]
        let message = "nothing here: try \(ControlPath.snapshot), \(lists.joined(separator: ", ")) or \(ControlPath.metrics)"
        return .refusal(.notFound, message, status: .notFound)
    }

    private func wrongMethod(_ request: Request, allow: String) -> Answer {
        .refusal(.invalid, "\(request.method.rawValue) does not work here: use \(allow)", status: .methodNotAllowed, allow: allow)
    }
}

/// What `/weir/v1/health` says when the broker answers at all: 200, and 503 once a part of it takes nothing any more.
struct Health: Codable, Equatable, Sendable {
    /// `ok`; `held`: publishers are held because disk or memory are short, all else goes on; `broken`: a shard is closed.
    var status: String
    /// What is wrong and what to do; nil while all is well.
    var problems: [String]?
    var name: String
    var version: String
    var uptimeMs: Int64

    init(_ broker: BrokerInfo) {
        name = broker.name
        version = broker.version
        uptimeMs = broker.uptimeMs
        status = broker.brokenShards.isEmpty ? broker.publishHold == nil ? "ok" : "held" : "broken"
        problems = broker.problems.isEmpty ? nil : broker.problems
    }

    static func answer(_ broker: BrokerInfo) -> Answer {
        var answer = Answer.json(Health(broker))
        if !broker.brokenShards.isEmpty { answer.status = .serviceUnavailable }
        return answer
    }
}
