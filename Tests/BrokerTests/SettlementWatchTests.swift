import Model
import Queues
import Testing

@testable import Broker

@Suite struct SettlementWatchTests {
    let target = PartitionID(topic: TopicID(high: 1, low: 2), index: 0)
    var key: ShareKey { ShareKey(group: "work", partition: target) }
    func range(_ first: Int64, _ end: Int64) -> Range<Offset> { Offset(first)..<Offset(end) }

    @Test func settlementsAreCountedForTheJobWhoseCopiesTheyAre() {
        let watch = SettlementWatch()
        watch.add(job: 1, group: "work", target, range(10, 20))
        watch.add(job: 2, group: "work", target, range(20, 30))
        watch.settled(key, range(0, 12), as: .accepted)
        watch.settled(key, range(18, 23), as: .dead)
        watch.settled(ShareKey(group: "other", partition: target), range(12, 18), as: .accepted)
        watch.settled(key, range(29, 40), as: .moved)
        let taken = watch.take()
        #expect(taken[1]?.counts == .init(acked: 2, died: 2))
        #expect(taken[2]?.counts == .init(acked: 0, died: 3, other: 1))
        #expect(taken[1]?.settled.map(\.range) == [range(10, 12), range(18, 20)])
        #expect(taken[2]?.settled.map(\.end) == [.died, .moved])
        #expect(watch.take().isEmpty)
    }

    @Test func itIsIdleAgainWhenAllIsSettled() {
        let watch = SettlementWatch()
        watch.add(job: 1, group: nil, target, range(0, 4))
        watch.add(job: 1, group: nil, target, range(4, 6))
        #expect(!watch.isIdle)
        watch.settled(key, range(0, 6), as: .accepted)
        #expect(watch.isIdle && watch.take()[1]?.counts == .init(acked: 6))
        watch.add(job: 3, group: nil, target, range(6, 9))
        watch.forget(job: 3)
        #expect(watch.isIdle)
    }

    /// A queue that is deleted takes its copies along: a job must not wait for them.
    @Test func whatIsGoneWithItsPartitionIsCounted() {
        let watch = SettlementWatch()
        watch.add(job: 1, group: "work", target, range(0, 9))
        watch.settled(key, range(0, 4), as: .accepted)
        watch.gone(target)
        #expect(watch.isIdle && watch.take()[1]?.counts == .init(acked: 4, other: 5))
    }

    @Test func aConsumerMayBeFasterThanTheJob() {
        let watch = SettlementWatch()
        watch.expect(target, true)
        watch.settled(key, range(0, 8), as: .accepted)
        watch.add(job: 1, group: "work", target, range(5, 10))
        watch.expect(target, false)
        #expect(watch.take()[1]?.counts == .init(acked: 3))
        watch.settled(key, range(8, 10), as: .dropped)
        #expect(watch.take()[1]?.counts == .init(died: 2) && watch.isIdle)
    }

    @Test func whatDiedIsToldWithItsReason() {
        let watch = SettlementWatch()
        watch.add(job: 1, group: "work", target, range(10, 20))
        watch.died(key, range(12, 14), .rejected)
        watch.died(key, range(14, 15), .deliveryLimit)
        watch.settled(key, range(12, 15), as: .dead)
        watch.settled(key, range(15, 16), as: .expired)
        watch.settled(key, range(16, 17), as: .accepted)
        #expect(
            watch.take()[1]?.settled == [
                .init(target: target, range: range(12, 14), end: .died, reason: "rejected"),
                .init(target: target, range: range(14, 15), end: .died, reason: "delivery_limit"),
                .init(target: target, range: range(15, 16), end: .died, reason: "expired"),
                .init(target: target, range: range(16, 17), end: .acked),
            ])
    }
}
