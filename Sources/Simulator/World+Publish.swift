import Broker
import Model
import NIOCore

/// The publishers: to a plain topic and to the queue, some messages of a batch with a delay.
extension World {
    func publish(_ broker: Broker) {
        let isInQueue = random.below(3) > 0
        guard let topic = broker.catalog.current[isInQueue ? "queue" : "plain"] else { return }
        let id = PartitionID(topic: topic.id, index: Int32(random.below(Int(topic.partitions))))
        var builder = RecordBatchBuilder()
        var messages: [Int] = []
        for _ in 0...random.below(4) {
            let delayMs = isInQueue && random.below(3) == 0 ? Int64(1 + random.below(5_000)) : nil
            let message = oracle.newMessage(in: id, isInQueue: isInQueue, due: delayMs.map { broker.clock.now + $0 })
            messages.append(message)
            let padding = String(repeating: "x", count: random.below(3) == 0 ? 2_000 : 20)
            let headers = delayMs.map { [Record.Header(name: "x-delay", value: ByteBuffer(string: "\($0)"))] } ?? []
            builder.append(timestamp: broker.clock.now, value: ByteBuffer(string: "\(message) \(padding)"), headers: headers)
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
}
