import Model
import Testing

@testable import KafkaServer

@Suite struct ShareSessionTests {
    private func id(_ index: Int32) -> PartitionID { PartitionID(topic: TopicID(high: 1, low: 2), index: index) }

    @Test func `every fetch begins at another partition`() {
        var session = ShareSession()
        for index: Int32 in [0, 1, 2, 1] { session.add(id(index)) }
        #expect(session.rotated().map(\.index) == [1, 2, 0])
        #expect(session.rotated().map(\.index) == [2, 0, 1])
        #expect(session.rotated().map(\.index) == [0, 1, 2])
    }

    @Test func `a dropped partition is still touched`() {
        var session = ShareSession()
        session.add(id(0))
        session.add(id(1))
        session.forget([id(0), id(9)])
        #expect(session.partitions == [id(1)])
        #expect(session.touched == [id(0), id(1)])
        session.add(id(0))
        #expect(session.partitions == [id(1), id(0)])
    }

    @Test func `epochs count up from 1 and go round`() {
        var session = ShareSession()
        #expect(session.epoch == 1)
        session.advance()
        #expect(session.epoch == 2)
    }

    @Test func `a session belongs to the connection that opened it last`() {
        let sessions = ShareSessions(limit: 2)
        let key = ShareSessionKey(group: "g", member: "m")
        #expect(sessions.begin(key, connection: 1))
        #expect(sessions.begin(key, connection: 2))
        #expect(!sessions.owns(key, connection: 1))
        #expect(!sessions.end(key, connection: 1))
        #expect(sessions.owns(key, connection: 2))
        #expect(sessions.begin(ShareSessionKey(group: "g", member: "n"), connection: 2))
        #expect(!sessions.begin(ShareSessionKey(group: "g", member: "o"), connection: 2))
        #expect(sessions.end(key, connection: 2))
        #expect(sessions.begin(ShareSessionKey(group: "g", member: "o"), connection: 2))
    }
}
