import Console
import Control

/// Queues as lines and as JSON.
enum QueueText {
    static func table(_ rows: [QueueRow]) -> Table {
        var table = Table([
            .text("QUEUE"), .text("STATE"), .number("READY"), .number("UNACKED"), .number("DELAYED"), .number("RETRYING"), .number("DIED"),
            .number("IN/s"), .number("OUT/s"), .number("CONSUMERS"), .number("OLDEST"), .number("ETA"),
        ])
        for row in rows {
            table.add([
                row.name, state(row), "\(row.ready)", "\(row.unacked)", "\(row.delayed)", "\(row.retrying)",
                row.isDeadLetter ? "-" : "\(row.dead)", Short.number(row.inRate), Short.number(row.outRate), "\(row.consumers)",
                row.ready == 0 ? "-" : Short.duration(ms: row.oldestMs), Short.eta(ms: row.etaMs, drains: row.drains, lag: row.ready),
            ])
        }
        return table
    }

    /// `run`, `dlq`, `held`, `blocked`, `held,blocked`.
    static func state(_ row: QueueRow) -> String {
        let gates = [row.held ? "held" : nil, row.blocked ? "blocked" : nil].compactMap { $0 }
        return gates.isEmpty ? (row.isDeadLetter ? "dlq" : "run") : gates.joined(separator: ",")
    }

    static func json(_ row: QueueRow) -> JSONRow { JSONRow(fields(row)) }

    private static func fields(_ row: QueueRow) -> [(String, any Encodable)] {
        [
            ("name", row.name), ("ready", row.ready), ("unacked", row.unacked), ("delayed", row.delayed), ("retrying", row.retrying),
            ("dead", row.dead), ("dropped", row.dropped), ("inRate", row.inRate), ("outRate", row.outRate), ("ackRate", row.ackRate),
            ("netRate", row.netRate), ("consumers", row.consumers), ("oldestMs", row.oldestMs), ("etaMs", row.etaMs),
            ("drains", row.drains), ("held", row.held), ("blocked", row.blocked), ("isDeadLetter", row.isDeadLetter),
            ("bytes", row.bytes), ("limitShare", row.limitShare), ("refused", row.refused),
        ]
    }

    static func detailJSON(_ queue: QueueDetail) -> JSONRow {
        JSONRow(
            fields(queue.row) + [
                ("policy", queue.policy), ("deadLetter", queue.deadLetter), ("limits", queue.limits), ("partitions", queue.partitions),
                ("priorities", queue.priorities),
                ("consumerList", queue.consumers), ("attempts", queue.attempts), ("undos", queue.undos),
                ("configs", Dictionary(queue.configs.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })),
            ])
    }

    static func describe(_ queue: QueueDetail) {
        table([queue.row]).print()
        print()
        if !queue.policy.isEmpty { print("retry        \(queue.policy)") }
        print("dead letter  \(queue.deadLetter ?? "none: dead messages are dropped and counted")")
        if !queue.limits.isEmpty { print("limits       \(queue.limits)") }
        if let priorities = queue.priorities { print("priorities   \(priorities): the highest first, strictly") }
        if queue.row.dropped > 0 { print("dropped      \(queue.row.dropped) dead or expired messages had nowhere to go") }
        if queue.row.refused > 0 { print("refused      \(queue.row.refused) publishes since the start") }
        partitions(queue)
        people(queue)
        if !queue.configs.isEmpty {
            var configs = Table([.text("SETTING"), .text("VALUE"), .text("SOURCE")])
            for row in queue.configs { configs.add([row.name, row.value, row.isDefault ? "default" : "queue"]) }
            print()
            configs.print()
        }
        for undo in queue.undos { print("\n\(undo.text): weir undo \(undo.id)") }
    }

    private static func partitions(_ queue: QueueDetail) {
        guard !queue.partitions.isEmpty else { return }
        var table = Table([
            .text("TOPIC"), .number(queue.priorities == nil ? "PARTITION" : "PRIORITY"), .number("START"), .number("END"),
            .number("FIRST OPEN"), .number("READY"),
            .number("UNACKED"), .number("RETRYING"), .number("NET/s"), .number("ETA"),
        ])
        for row in queue.partitions {
            table.add([
                row.topic, "\(row.partition)", "\(row.start)", "\(row.end)", "\(row.firstOpen)", "\(row.ready)", "\(row.unacked)",
                "\(row.retrying)", Short.net(row.netRate),
                row.netRate == nil ? Short.unknown : Short.eta(ms: row.etaMs, drains: row.etaMs != nil, lag: row.ready),
            ])
        }
        print()
        table.print()
    }

    private static func people(_ queue: QueueDetail) {
        if !queue.consumers.isEmpty {
            var table = Table([
                .text("CONSUMER"), .text("CLIENT"), .text("HOST"), .number("UNACKED"), .number("ACK/s"), .number("P50"), .number("P99"),
                .number("LAST ACK"),
            ])
            for row in queue.consumers {
                table.add([
                    row.id, row.client, row.host, "\(row.unacked)", Short.number(row.ackRate), Short.fine(ms: row.ackP50Ms),
                    Short.fine(ms: row.ackP99Ms), Short.duration(ms: row.lastAckMs),
                ])
            }
            print()
            table.print()
        }
        if !queue.attempts.isEmpty {
            print()
            DelayText.table(queue.attempts).print()
        }
    }
}
