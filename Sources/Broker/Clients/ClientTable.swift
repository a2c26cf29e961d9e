import Control
import Model
import Synchronization

/// The connections of all doors, with their rates of the last second. Bounded by the doors' own limits. Any thread.
public final class ClientTable: Sendable {
    fileprivate struct Entry {
        var connection: ClientConnection
        var last = Counts()
        var rates = Rates()
    }
    fileprivate struct Counts {
        var bytesIn: Int64 = 0
        var bytesOut: Int64 = 0
        var requests: Int64 = 0
    }
    fileprivate struct Rates {
        var inBytes = 0.0
        var outBytes = 0.0
        var requests = 0.0
    }
    private struct State {
        var entries: [Int64: Entry] = [:]
        var nextID: Int64 = 1
        var tickedAt: Monotonic?
    }
    private let state = Mutex(State())
    private let limits: Limits

    init(limits: Limits = Limits()) { self.limits = limits }

    /// A door has accepted a connection.
    /// - Parameters:
    ///   - door: `kafka`
    ///   - close: closes it, from any thread.
    public func open(door: String, address: String, at now: Timestamp, close: @escaping @Sendable () -> Void) -> ClientConnection {
        state.withLock { state in
            let connection = ClientConnection(id: state.nextID, door: door, address: address, since: now, limits: limits, close: close)
            state.nextID += 1
            state.entries[connection.id] = Entry(connection: connection)
            return connection
        }
    }

    public func closed(_ connection: ClientConnection) { state.withLock { state in state.entries[connection.id] = nil } }

    /// A second has passed.
    func tick(at now: Monotonic) {
        state.withLock { state in
            let seconds = state.tickedAt.map { Double(now.ns - $0.ns) / 1e9 } ?? 1
            guard seconds > 0.05 else { return }
            state.tickedAt = now
            for id in state.entries.keys { state.entries[id]?.tick(seconds: seconds) }
        }
    }

    /// Closes a connection. False when there is none of this number.
    func kill(_ id: Int64) -> ClientConnection? {
        let connection = state.withLock { $0.entries[id]?.connection }
        connection?.kill()
        return connection
    }

    /// Closes the connections that carry a member of a group; how many.
    func kill(member: String, of group: String) -> Int {
        let carrying = state.withLock { $0.entries.values.map(\.connection) }.filter { $0.told.members[group] == member }
        for connection in carrying { connection.kill() }
        return carrying.count
    }

    // MARK: View

    /// One window of the list. The filter looks at client id, software, address and groups.
    func page(_ list: ListQuery, limit: Int) throws(ControlError) -> Page<ClientRow> {
        let filter = try NameFilter(list.filter)
        let all = state.withLock { state in state.entries.values.map(Self.row) }
        let found = all.filter { row in
            filter.matches(([row.client, row.software ?? "", row.address] + row.groups).joined(separator: " "))
        }
        let key = Self.key(list.sort)
        let rows = Selection.window(of: found, start: list.start, count: min(list.count, limit)) { left, right in
            if let key, key(left) != key(right) { return (key(left) < key(right)) != list.descending }
            let isDown = list.descending && key == nil
            if left.client != right.client { return (left.client < right.client) != isDown }
            return (left.id < right.id) != isDown
        }
        return Page(rows: rows, start: min(max(0, list.start), found.count), matched: found.count, total: all.count)
    }

    private static func row(_ entry: Entry) -> ClientRow {
        let told = entry.connection.told
        var row = ClientRow()
        row.id = entry.connection.id
        row.door = entry.connection.door
        row.client = told.clientID
        row.software = told.software
        row.address = entry.connection.address
        row.sinceMs = entry.connection.since.ms
        row.inBytesRate = entry.rates.inBytes
        row.outBytesRate = entry.rates.outBytes
        row.requestRate = entry.rates.requests
        row.inFlight = entry.connection.inFlight.load(ordering: .relaxed)
        row.groups = told.members.keys.sorted()
        return row
    }

    /// What the list is sorted by; nil: by client id.
    private static func key(_ field: String) -> ((ClientRow) -> Double)? {
        switch field {
        case "id": { Double($0.id) }
        case "sinceMs": { Double($0.sinceMs) }
        case "inBytesRate": { $0.inBytesRate }
        case "outBytesRate": { $0.outBytesRate }
        case "requestRate": { $0.requestRate }
        case "inFlight": { Double($0.inFlight) }
        default: nil
        }
    }
}

extension ClientTable.Entry {
    fileprivate mutating func tick(seconds: Double) {
        let now = ClientTable.Counts(
            bytesIn: connection.bytesIn.load(ordering: .relaxed), bytesOut: connection.bytesOut.load(ordering: .relaxed),
            requests: connection.requests.load(ordering: .relaxed))
        rates.inBytes = Double(now.bytesIn - last.bytesIn) / seconds
        rates.outBytes = Double(now.bytesOut - last.bytesOut) / seconds
        rates.requests = Double(now.requests - last.requests) / seconds
        last = now
    }
}
