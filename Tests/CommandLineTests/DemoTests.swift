import Broker
import KafkaClient
import Model
import Testing

@testable import weir

@Suite struct DemoTests {
    @Test func `tides rise and fall around the average`() {
        let topic = DemoScript.Topic(name: "t", partitions: 1, perSecond: 100, swing: 0.5, periodSeconds: 60, keys: 1, bytes: 1)
        #expect(topic.rate(atSecond: 0) == 100)
        #expect(topic.rate(atSecond: 15) == 150)
        #expect(topic.rate(atSecond: 30) == 100)
        #expect(topic.rate(atSecond: 45) == 50)
        #expect(topic.rate(atSecond: 75) == 150)
    }

    @Test func `a stall is at the end of its period`() {
        #expect(!DemoWorkload.isStalled(59, every: 100, pause: 40))
        #expect(DemoWorkload.isStalled(60, every: 100, pause: 40))
        #expect(DemoWorkload.isStalled(199, every: 100, pause: 40))
        #expect(!DemoWorkload.isStalled(200, every: 100, pause: 40))
    }

    @Test func `every group reads a topic that is there`() {
        let script = DemoScript.standard
        let topics = Set(script.topics.map(\.name) + script.shop.queues.map(\.name))
        #expect(script.groups.allSatisfy { topics.contains($0.topic) && !$0.members.isEmpty })
        #expect(Set(script.groups.map(\.name)).count == script.groups.count)
    }

    @Test func `records are the same for the same seed, have keys, and about the size asked for`() {
        let topic = DemoScript.standard.topics[0]
        var one = DemoRecords(seed: 1)
        var two = DemoRecords(seed: 1)
        let records = one.make(200, for: topic)
        let again = two.make(200, for: topic)
        #expect(records.map(\.value) == again.map(\.value))
        #expect(records.allSatisfy { $0.key != nil })
        #expect(records.allSatisfy { abs(($0.value?.readableBytes ?? 0) - topic.bytes) < 60 })
        #expect(records.filter { !$0.headers.isEmpty }.count == 25)
    }

    @Test func `the gateway is down for thirty seconds of every two minutes`() {
        let shop = ShopScript()
        #expect(!shop.isOutage(atSecond: 9))
        #expect(shop.isOutage(atSecond: 10))
        #expect(!shop.isOutage(atSecond: 40))
        #expect(shop.isOutage(atSecond: 159))
        #expect(shop.payment(order: 1, atSecond: 15, draw: 0.4) == .release)
        #expect(shop.payment(order: 1, atSecond: 5, draw: 0.4) == .accept)
        #expect(shop.payment(order: 1, atSecond: 5, draw: 0.01) == .release)
        #expect(shop.payment(order: 253, atSecond: 5, draw: 0.9) == .reject)
        #expect(shop.isPaid(order: 253))
    }

    @Test func `a herd leaves at second 5, 125 and so on, once`() {
        let shop = ShopScript()
        #expect(shop.sendsHerd(from: -1, to: 5.1))
        #expect(!shop.sendsHerd(from: -1, to: 4.9))
        #expect(!shop.sendsHerd(from: 5.1, to: 124))
        #expect(shop.sendsHerd(from: 124, to: 126))
        #expect(shop.sendsHerd(from: 5, to: 6))
        #expect(!shop.sendsHerd(from: 6, to: 6))
    }

    @Test func `the shop's settings are a queue's`() throws {
        for queue in ShopScript().queues {
            #expect(queue.workers > 0 && queue.perSecond > 0)
            #expect(Topic.problem(withName: queue.name, limits: Limits()) == nil)
            #expect(throws: Never.self) { try TopicConfig.parse(ShopScript.keep.merging(queue.settings) { $1 }) }
        }
        #expect(ShopScript.order(key: "o123") == 123)
        #expect(ShopScript.order(key: "c9") == nil)
    }
}
