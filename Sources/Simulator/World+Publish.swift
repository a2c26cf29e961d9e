import Broker
import Model
import NIOCore

/// The publishers: to a plain topic, to the queue, some messages of a batch with a delay, and to the queue where messages expire.
extension World {
    func publish(_ broker: Broker) {
        let name = random.below(3) == 0 ? Topics.plain : temper.expires && random.below(3) == 0 ? "brief" : "queue"
        guard let topic = broker.catalog.current[name] else { return }
        let id = PartitionID(topic: topic.id, index: Int32(random.below(Int(topic.partitions))))
        var builder = RecordBatchBuilder()
        var messages: [Int] = []
        let now = broker.clock.now
        for _ in 0...random.below(4) {
            let delayMs = name == "queue" && temper.delays && random.below(3) == 0 ? delay() : nil
            let message = oracle.newMessage(in: id, of: name, due: delayMs.map { now + $0 }, at: now)
            messages.append(message)
            let headers = delayMs.map { [Record.Header(name: "x-delay", value: ByteBuffer(string: "\($0)"))] } ?? []
            let text = Payload.text(message, isLong: random.below(3) == 0)
            builder.append(timestamp: now, value: ByteBuffer(string: text), headers: headers)
        }
        let batch = builder.finish()
        let header: RecordBatchHeader
        do { header = try RecordBatchHeader.parse(batch) } catch { return fail("a batch of the simulator's own does not parse: \(error)") }
        let wants: Acknowledge = random.below(2) == 0 ? .durable : .written
        let shard = broker.shard(of: id)
        let oracle = oracle
        let published = messages
        shard.produce([ProduceItem(slot: 0, partition: id, header: header, batch: batch)], wants: wants, replyLoop: shard.loop) { results in
            guard results[0].error == nil else { return }
            oracle.confirmed(published, at: results[0].baseOffset, isDurable: wants == .durable)
        }
    }

    /// Mostly seconds; now and then longer than the world works, into another band of the delay store.
    private func delay() -> Int64 { Int64(1 + random.below(random.below(8) == 0 ? 40_000 : 5_000)) }
}
