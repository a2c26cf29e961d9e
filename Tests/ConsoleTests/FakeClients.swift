import Control

/// Who is connected in the story: a worker that is stuck, a producer, a client that says little of itself.
extension FakeControl {
    static let clients: [ClientRow] = {
        func client(_ id: Int64, _ name: String, _ software: String?, _ address: String, minutes: Int64) -> ClientRow {
            var row = ClientRow()
            (row.id, row.client, row.software, row.address, row.door) = (id, name, software, address, "kafka")
            row.sinceMs = startMs - minutes * 60_000
            return row
        }
        var worker = client(3, "worker-5", "librdkafka 2.16.0", "10.0.4.15:53211", minutes: 84)
        (worker.outBytesRate, worker.requestRate, worker.inFlight, worker.groups) = (0, 0.2, 1, ["shop.orders"])
        var till = client(7, "till", "apache-kafka-java 4.1.0", "10.0.4.20:40112", minutes: 1_500)
        (till.inBytesRate, till.outBytesRate, till.requestRate) = (820_000, 4_100, 410)
        return [worker, till, client(12, "", nil, "10.0.9.2:33000", minutes: 2)]
    }()
}
