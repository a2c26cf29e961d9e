import Model
import NIOCore
import Testing

@testable import Groups

/// Random clients against a group, with what they were told as the oracle.
struct RandomGroupTests {
    struct Client {
        var instance: String?
        var id = ""
        var generation: Int32 = -1
        var isLeader = false
        var others: [String] = []
        var joinTicket: Int?
        var syncTicket: Int?
        /// Has its assignment.
        var isStable = false
        var isCrashed = false
    }

    struct World {
        var fixture = GroupFixture()
        var clients: [Client]
        var random: SplitMix64
        var offsets: [Int32: Int64] = [:]
        var highestGeneration: Int32 = 0
        var leaders: [Int32: String] = [:]
        var tickets: Set<Int> = []

        init(seed: UInt64) {
            random = SplitMix64(seed: seed)
            clients = (0..<6).map { Client(instance: $0 % 3 == 2 ? "i\($0)" : nil) }
            fixture.limits.membersPerGroup = 5
        }

        mutating func act() {
            let who = Int.random(in: 0..<clients.count, using: &random)
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<30: join(who)
            case 30..<50: sync(who)
            case 50..<65: heartbeat(who)
            case 65..<80: commit(who)
            case 80..<84: leave(who)
            case 84..<88: crash(who)
            case 88..<96: fixture.wait(Int64.random(in: 1...3_000, using: &random))
            case 96..<99: fixture.wait(Int64.random(in: 3_000...20_000, using: &random))
            default: fixture.wait(120_000)
            }
            readAnswers()
        }

        private mutating func join(_ who: Int) {
            guard clients[who].joinTicket == nil, clients[who].syncTicket == nil, !clients[who].isCrashed else { return }
            let protocols = Bool.random(using: &random) ? ["range", "sticky"] : ["sticky", "range"]
            let ticket = fixture.join(
                clients[who].id, instance: clients[who].instance, client: "c\(who)", protocols: protocols,
                topics: Bool.random(using: &random) ? ["t"] : ["t", "u"], rebalanceMs: 10_000, version: Bool.random(using: &random) ? 9 : 5)
            tickets.insert(ticket)
            clients[who].joinTicket = ticket
            clients[who].isStable = false
        }

        private mutating func sync(_ who: Int) {
            let client = clients[who]
            guard client.generation >= 0, client.joinTicket == nil, client.syncTicket == nil, !client.isCrashed else { return }
            let assign = client.isLeader ? Dictionary(uniqueKeysWithValues: client.others.map { ($0, "\(client.generation)/\($0)") }) : [:]
            let ticket = fixture.sync(client.id, instance: client.instance, generation: client.generation, assign: assign)
            tickets.insert(ticket)
            clients[who].syncTicket = ticket
        }

        private mutating func heartbeat(_ who: Int) {
            guard clients[who].isStable, !clients[who].isCrashed else { return }
            switch fixture.heartbeat(clients[who].id, instance: clients[who].instance, generation: clients[who].generation) {
            case nil: #expect(fixture.group.state != .preparingRebalance)
            case .rebalanceInProgress: #expect(fixture.group.state == .preparingRebalance)
            case .illegalGeneration: #expect(fixture.group.generation != clients[who].generation)
            case .unknownMemberID, .fencedInstanceID: forget(who)
            default: Issue.record("unexpected heartbeat error")
            }
        }

        private mutating func commit(_ who: Int) {
            let client = clients[who]
            guard client.isStable, !client.isCrashed else { return }
            let partition = Int32.random(in: 0..<4, using: &random)
            let offset = Int64.random(in: 0..<1_000, using: &random)
            let error = fixture.commit(client.id, generation: client.generation, instance: client.instance, partition: partition, offset)
            let isMember = fixture.group.members[client.id] != nil && fixture.group.generation == client.generation
            #expect((error == nil) == (isMember && fixture.group.state != .completingRebalance))
            if error == nil { offsets[partition] = offset }
        }

        private mutating func leave(_ who: Int) {
            guard !clients[who].id.isEmpty, !clients[who].isCrashed else { return }
            _ = fixture.leave([LeavingMember(memberID: clients[who].id, instanceID: clients[who].instance)])
            #expect(fixture.group.members[clients[who].id] == nil)
            readAnswers()
            forget(who)
        }

        /// A crashed client comes back later as a new process: its answers go nowhere.
        private mutating func crash(_ who: Int) {
            let wasCrashed = clients[who].isCrashed
            clients[who] = Client(instance: clients[who].instance)
            clients[who].isCrashed = !wasCrashed
        }

        private mutating func forget(_ who: Int) {
            let instance = clients[who].instance
            clients[who] = Client(instance: instance)
        }

        private mutating func readAnswers() {
            for who in clients.indices {
                if let ticket = clients[who].joinTicket, let answer = fixture.joins[ticket] {
                    clients[who].joinTicket = nil
                    joined(who, answer)
                }
                if let ticket = clients[who].syncTicket, let answer = fixture.syncs[ticket] {
                    clients[who].syncTicket = nil
                    synced(who, answer)
                }
            }
        }

        private mutating func joined(_ who: Int, _ answer: JoinAnswer) {
            switch answer.error {
            case nil:
                clients[who].id = answer.memberID
                clients[who].generation = answer.generation
                clients[who].isLeader = answer.leader == answer.memberID && !answer.skipAssignment
                clients[who].others = answer.members.map(\.id)
                if clients[who].isLeader { #expect(answer.members.contains { $0.id == answer.memberID }) }
            case .memberIDRequired: clients[who].id = answer.memberID
            case .unknownMemberID, .fencedInstanceID, .groupMaxSizeReached: forget(who)
            case .rebalanceInProgress: break
            default: Issue.record("unexpected join error \(String(describing: answer.error))")
            }
        }

        private mutating func synced(_ who: Int, _ answer: SyncAnswer) {
            switch answer.error {
            case nil:
                clients[who].isStable = true
                let expected = ByteBuffer(string: "\(clients[who].generation)/\(clients[who].id)")
                // A static member that came back has its former id's assignment.
                if clients[who].instance == nil { #expect(answer.assignment == expected) }
            case .unknownMemberID, .fencedInstanceID: forget(who)
            case .rebalanceInProgress, .illegalGeneration: break
            default: Issue.record("unexpected sync error \(String(describing: answer.error))")
            }
        }

        mutating func check() {
            let group = fixture.group
            #expect(group.generation >= highestGeneration)
            highestGeneration = group.generation
            #expect(group.joinsWaiting == group.members.values.count { $0.joinTicket != nil })
            #expect(group.members.values.allSatisfy { $0.joinTicket == nil || $0.syncTicket == nil })
            #expect(group.pendingJoins.keys.allSatisfy { group.members[$0] == nil })
            #expect(group.members.count + group.pendingJoins.count <= 2 * fixture.limits.membersPerGroup)
            #expect(group.members.isEmpty || group.leader.map { group.members[$0] != nil } == true)
            let statics = group.members.values.compactMap { member in member.instanceID.map { ($0, member.id) } }
            #expect(Dictionary(uniqueKeysWithValues: statics) == group.staticMembers)
            var support: [String: Int] = [:]
            for offered in group.members.values.flatMap(\.protocols) { support[offered.name, default: 0] += 1 }
            #expect(support == group.protocolSupport)
            let held = group.members.values.reduce(512 * group.pendingJoins.count) { $0 + $1.metadataBytes }
            #expect(group.metadataBytes == held)
            #expect(fixture.table.offsetBytes == group.offsets.all.reduce(0) { $0 + 96 + $1.committed.metadata.utf8.count })
            switch group.state {
            case .empty: #expect(group.members.isEmpty)
            case .preparingRebalance:
                #expect(group.joinPhase.deadline != nil)
                #expect(group.members.values.allSatisfy { $0.syncTicket == nil })
            case .completingRebalance:
                #expect(group.joinsWaiting == 0)
                #expect(group.syncDeadline != nil)
            case .stable: #expect(group.members.values.allSatisfy { $0.joinTicket == nil && $0.syncTicket == nil })
            case .dead: Issue.record("dead")
            }
            let deadlines =
                group.members.values.compactMap(\.expiresAt) + group.pendingJoins.values
                + [group.joinPhase.deadline, group.syncDeadline].compactMap { $0 }
            if let earliest = deadlines.min() { #expect(group.nextDeadline.map { $0 <= earliest } == true) }
            for partition in 0..<Int32(4) { #expect(group.offsets["t", partition]?.offset.value == offsets[partition]) }
        }

        func checkReplay() throws {
            let replayed = try GroupFixture.replay(fixture.facts)
            #expect(replayed["g"]?.offsets == fixture.group.offsets || fixture.facts.isEmpty)
            #expect(replayed["g"]?.logged == fixture.group.logged)
            let fromSnapshot = try GroupFixture.replay(fixture.table.snapshot())
            #expect(fromSnapshot["g"]?.offsets.all.map(\.committed) == replayed["g"]?.offsets.all.map(\.committed))
            #expect(fromSnapshot["g"]?.logged == replayed["g"]?.logged)
        }
    }

    @Test(arguments: 1...40)
    func invariantsHold(seed: Int) throws {
        var world = World(seed: UInt64(seed))
        for _ in 0..<1_500 {
            world.act()
            world.check()
        }
        try world.checkReplay()
        // Nobody says anything any more: everyone waiting is answered and the group empties.
        world.fixture.wait(2_000_000)
        world.check()
        let answered = Set(world.fixture.joins.keys).union(world.fixture.syncs.keys)
        #expect(world.tickets.subtracting(answered) == [])
        #expect(world.fixture.group.state == .empty)
        #expect(world.highestGeneration > 20)
    }
}

/// A small seeded generator (Steele, Lea, Flood 2014).
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
