import Control
import Model

extension SnapshotBuilder {
    /// What is wrong with the broker as a whole: before everything else, as nothing else can be mended before.
    func brokerAttention(_ broker: BrokerInfo) -> [Found] {
        var found: [Found] = []
        func add(_ rank: Int, _ severity: Attention.Severity, _ kind: String, _ subject: String, _ text: String, screen: String) {
            found.append(
                Found(rank: rank, size: 0, subject: subject) {
                    Attention(severity: severity, kind: kind, subject: subject, text: text, screen: screen, select: "")
                })
        }
        for shard in broker.brokenShards {
            let text = "\(shard.partitions) partitions out: \(shard.what)  \(shard.error)  see the log, mend the disk, restart"
            add(11, .crit, "broker", "shard \(shard.shard)", text, screen: "log")
        }
        if let hold = broker.publishHold { add(10, .crit, hold.cause, "publishers", Self.line(hold, broker), screen: "overview") }
        if let free = broker.diskFreeBytes, let total = broker.diskTotalBytes, total > 0, broker.publishHold?.cause != "disk" {
            // Near the mark, or where there is none, near full.
            let low = broker.diskLowBytes ?? 0
            let isCritical = free * 20 < total
            if isCritical || free * 10 < total || free < 2 * low {
                var text = "\(ShortText.count(Double(free)))B free of \(ShortText.count(Double(total)))B"
                if low > 0 { text += ", publishers are held below \(ShortText.count(Double(low)))B" }
                add(isCritical ? 9 : 1, isCritical ? .crit : .warn, "disk", "data", text, screen: "overview")
            }
        }
        if let resident = broker.residentBytes, let high = broker.memoryHighBytes, broker.publishHold?.cause != "memory",
            Double(resident) > 0.8 * Double(high)
        {
            let text = "\(ShortText.count(Double(resident)))B in use, publishers are held above \(ShortText.count(Double(high)))B"
            add(1, .warn, "memory", "broker", text, screen: "overview")
        }
        return found
    }

    /// Short enough for a line, what to do included; the whole text is in the log.
    private static func line(_ hold: PublishHold, _ broker: BrokerInfo) -> String {
        func size(_ bytes: Int64) -> String { ShortText.count(Double(bytes)) + "B" }
        let refused = broker.heldPublishes > 0 ? "  \(ShortText.count(Double(broker.heldPublishes))) refused" : ""
        if hold.cause == "memory", let resident = broker.residentBytes, let high = broker.memoryHighBytes {
            return "held: \(size(resident)) in use, mark \(size(high))\(refused)  lower the load, or raise --memory-high"
        }
        if let free = broker.diskFreeBytes, let low = broker.diskLowBytes, free < low + low / 10 {
            return "held: \(size(free)) free, mark \(size(low))\(refused)  purge or delete, or make room"
        }
        return "held: a write found the disk full\(refused)  make room, or raise the quota"
    }
}
