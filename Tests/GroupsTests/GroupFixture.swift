import Model
import NIOCore
import Wire

@testable import Groups

/// A group with a manual clock, for scenario tests: records what each ticket was answered.
struct GroupFixture {
    var table = GroupTable()
    var limits = Limits()
    var ms: Int64 = 0
    var facts: [GroupFact] = []
    var joins: [Int: JoinAnswer] = [:]
    var syncs: [Int: SyncAnswer] = [:]
    private var nextTicket = 0
    private var nextID = 0
    let name: String

    init(_ name: String = "g") {
        self.name = name
        table.make(name, now: now)
    }

    var now: Moment { Moment(wall: Timestamp(ms: 1_000_000 + ms), monotonic: Monotonic(ns: UInt64(ms) * 1_000_000)) }
    var group: Group { table[name] ?? Group(id: name, now: now.wall) }

    mutating func perform(_ step: GroupStep) {
        for fact in step.facts {
            facts.append(fact)
            table.applyLive(fact)
        }
        for effect in step.effects {
            switch effect {
            case .join(let ticket, let answer):
                precondition(joins[ticket] == nil, "ticket \(ticket) answered twice")
                joins[ticket] = answer
            case .sync(let ticket, let answer):
                precondition(syncs[ticket] == nil, "ticket \(ticket) answered twice")
                syncs[ticket] = answer
            }
        }
    }

    @discardableResult
    mutating func join(
        _ id: String = "", instance: String? = nil, client: String = "c", protocols: [String] = ["range"], topics: [String] = ["t"],
        type: String = "consumer", sessionMs: Int32 = 10_000, rebalanceMs: Int32 = 60_000, version: Int = 9
    ) -> Int {
        nextTicket += 1
        nextID += 1
        let ticket = nextTicket
        let freshID = "\(instance ?? client)-\(nextID)"
        let request = JoinRequest(
            memberID: id, instanceID: instance, clientID: client, clientHost: "/127.0.0.1", sessionTimeoutMs: sessionMs,
            rebalanceTimeoutMs: rebalanceMs, protocolType: type,
            protocols: protocols.map { GroupProtocol(name: $0, metadata: Self.subscription(topics)) },
            requiresMemberID: version >= 4, supportsSkippingAssignment: version >= 9)
        let limits = limits
        let now = now
        perform(table.with(name) { $0.join(request, ticket: ticket, freshID: freshID, limits: limits, now: now) } ?? GroupStep())
        return ticket
    }

    /// Joins with no id, then with the id given; the second join's ticket.
    mutating func enter(client: String = "c", protocols: [String] = ["range"], sessionMs: Int32 = 10_000) -> (id: String, ticket: Int) {
        let first = join(client: client, protocols: protocols, sessionMs: sessionMs)
        let id = joins[first]?.memberID ?? ""
        return (id, join(id, client: client, protocols: protocols, sessionMs: sessionMs))
    }

    @discardableResult
    mutating func sync(
        _ id: String, instance: String? = nil, generation: Int32? = nil, type: String? = nil, protocolName: String? = nil,
        assign: [String: String] = [:]
    ) -> Int {
        nextTicket += 1
        let ticket = nextTicket
        let request = SyncRequest(
            memberID: id, instanceID: instance, generation: generation ?? group.generation, protocolType: type,
            protocolName: protocolName, assignments: assign.sorted { $0.key < $1.key }.map { ($0.key, ByteBuffer(string: $0.value)) })
        let now = now
        perform(table.with(name) { $0.sync(request, ticket: ticket, now: now) } ?? GroupStep())
        return ticket
    }

    mutating func heartbeat(_ id: String, instance: String? = nil, generation: Int32? = nil) -> GroupError? {
        let now = now
        let generation = generation ?? group.generation
        return table.with(name) { $0.heartbeat(member: id, instance: instance, generation: generation, now: now) } ?? .unknownMemberID
    }

    mutating func leave(_ members: [LeavingMember]) -> [GroupError?] {
        let now = now
        guard let (results, step) = table.with(name, { $0.leave(members, now: now) }) else { return [] }
        perform(step)
        return results
    }

    /// Lets time pass, ticking at every deadline as an owner does.
    mutating func wait(_ duration: Int64) {
        let until = ms + duration
        while let next = table.nextDeadline, Int64(next.ns / 1_000_000) <= until {
            ms = max(ms, Int64((next.ns + 999_999) / 1_000_000))
            for (_, step) in table.tick(limits: limits, now: now) { perform(step) }
        }
        ms = until
    }

    /// A stable group with a generation of these members, the first leading; their ids.
    static func stable(_ clients: [String], sessionMs: Int32 = 10_000) -> (GroupFixture, [String]) {
        var fixture = GroupFixture()
        var ids: [String] = []
        for client in clients { ids.append(fixture.enter(client: client, sessionMs: sessionMs).id) }
        fixture.wait(fixture.limits.initialRebalanceDelayMs * 3)
        let assignments = Dictionary(uniqueKeysWithValues: ids.map { ($0, "for \($0)") })
        for id in ids.reversed() { fixture.sync(id, assign: id == fixture.group.leader ? assignments : [:]) }
        precondition(fixture.group.state == .stable)
        return (fixture, ids)
    }

    static func subscription(_ topics: [String]) -> ByteBuffer {
        var writer = WireWriter()
        writer.int16(0)
        writer.count(topics.count, compact: false)
        for topic in topics { writer.string(topic, compact: false) }
        writer.nullableBytes(nil, compact: false)
        return writer.buffer
    }
}

extension GroupFixture {
    /// Commits one offset as a member (or as nobody) and applies it; the error of the whole request or of the item.
    mutating func commit(
        _ member: String, generation: Int32? = nil, instance: String? = nil, topic: String = "t", partition: Int32 = 0, _ offset: Int64,
        metadata: String? = nil
    ) -> GroupError? {
        let now = now
        let limits = limits
        let generation = generation ?? group.generation
        let refusal = table.with(name) { $0.checkCommit(member: member, instance: instance, generation: generation, now: now) }
        if let error = refusal ?? nil { return error }
        let item = OffsetCommitItem(topic: topic, partition: partition, offset: Offset(offset), metadata: metadata)
        let (logged, results) = group.commit([item], limits: limits, now: now)
        log(logged)
        return results[0]
    }

    /// Takes facts as logged.
    mutating func log(_ logged: [GroupFact]) {
        facts += logged
        for fact in logged { table.applyLive(fact) }
    }

    /// A table made from bytes alone, as after a restart.
    static func replay(_ facts: [GroupFact]) throws -> GroupTable {
        var table = GroupTable()
        for fact in facts {
            let (key, value) = fact.encoded()
            table.apply(try GroupFact.decode(key: key, value: value))
        }
        return table
    }
}
