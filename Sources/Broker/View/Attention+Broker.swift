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
            let text = "closed: \(shard.error)  \(shard.partitions) partitions out: \(shard.what)  see the log, mend the disk, restart"
            add(11, .crit, "broker", "shard \(shard.shard)", text, screen: "log")
        }
        if let hold = broker.publishHold { add(10, .crit, hold.cause, "publishers", hold.text, screen: "overview") }
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
}
