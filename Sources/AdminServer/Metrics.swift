import Control

/// A snapshot as Prometheus text (exposition format 0.0.4): base units, `_total` on counters, names prefixed `weir_`.
///
/// Series that carry a name are bounded by the rows of the snapshot; how many were left out is a series of its own.
enum Metrics {
    static func text(_ snapshot: Snapshot) -> String {
        var page = MetricsPage()
        broker(snapshot.broker, into: &page)
        totals(snapshot.totals, into: &page)
        topics(snapshot.topics, into: &page)
        groups(snapshot.groups, into: &page)
        queues(snapshot.queues, into: &page)
        return page.text
    }

    private static func broker(_ broker: BrokerInfo, into page: inout MetricsPage) {
        page.family("weir_build_info", .gauge, "The broker's name and version; always 1.")
        page.sample([("name", broker.name), ("version", broker.version)], 1)
        page.single("weir_uptime_seconds", .gauge, "Time since the broker started.", Double(broker.uptimeMs) / 1000)
        page.single("weir_read_only", .gauge, "1 when the broker refuses commands.", broker.readOnly ? 1 : 0)
        if let bytes = broker.residentBytes {
            page.single("weir_resident_memory_bytes", .gauge, "Memory of the process that is in RAM.", Double(bytes))
        }
        if let bytes = broker.diskFreeBytes {
            page.single("weir_disk_free_bytes", .gauge, "Space left where the data directory lies.", Double(bytes))
        }
        if let bytes = broker.diskTotalBytes {
            page.single("weir_disk_size_bytes", .gauge, "Size of the file system where the data directory lies.", Double(bytes))
        }
        health(broker, into: &page)
    }

    private static func health(_ broker: BrokerInfo, into page: inout MetricsPage) {
        if let bytes = broker.diskLowBytes {
            page.single("weir_disk_free_low_bytes", .gauge, "Publishers are held while less than this is free.", Double(bytes))
        }
        if let bytes = broker.memoryHighBytes {
            page.single("weir_memory_high_bytes", .gauge, "Publishers are held while the process uses more than this.", Double(bytes))
        }
        page.family("weir_publishers_held", .gauge, "1 while the publishers of the whole broker are held, by what is short.")
        for cause in ["disk", "memory"] { page.sample([("cause", cause)], broker.publishHold?.cause == cause ? 1 : 0) }
        page.single(
            "weir_held_records_total", .counter, "Records refused while publishers were held, since the start.",
            Double(broker.heldPublishes))
        page.single(
            "weir_broken_shards", .gauge, "Shards that take nothing any more because their log failed: a restart is needed.",
            Double(broker.brokenShards.count))
        page.single(
            "weir_broken_partitions", .gauge, "Partitions on these shards.",
            Double(broker.brokenShards.reduce(0) { $0 + $1.partitions }))
    }

    private static func totals(_ totals: Totals, into page: inout MetricsPage) {
        page.single("weir_received_records_total", .counter, "Records taken in since the start.", Double(totals.recordsIn))
        page.single("weir_received_bytes_total", .counter, "Bytes of record batches taken in since the start.", Double(totals.bytesIn))
        page.single("weir_sent_records_total", .counter, "Records given to consumers since the start.", Double(totals.recordsOut))
        page.single(
            "weir_sent_bytes_total", .counter, "Bytes of record batches given to consumers since the start.", Double(totals.bytesOut))
        page.single("weir_request_errors_total", .counter, "Requests answered with an error since the start.", Double(totals.errors))
        page.single("weir_malformed_frames_total", .counter, "Connections closed for a malformed frame.", Double(totals.malformed))
        page.single("weir_topics", .gauge, "Topics there are.", Double(totals.topics))
        page.single("weir_partitions", .gauge, "Partitions there are.", Double(totals.partitions))
        page.single("weir_groups", .gauge, "Consumer groups there are.", Double(totals.groups))
        page.single("weir_connections", .gauge, "Clients connected to the Kafka door.", Double(totals.connections))
        page.single("weir_log_records", .gauge, "Records that can be read.", Double(totals.records))
        page.single("weir_log_bytes", .gauge, "Bytes of all segments.", Double(totals.bytes))
        page.single("weir_queues", .gauge, "Queues and share groups there are.", Double(totals.queues))
        page.single("weir_ready_messages", .gauge, "Messages of all queues that can be delivered now.", Double(totals.ready))
        page.single(
            "weir_unacked_messages", .gauge, "Messages delivered and not yet answered, or on the way to a dead-letter queue.",
            Double(totals.unacked))
        page.single("weir_delayed_messages", .gauge, "Messages that wait for their time.", Double(totals.delayed))
        page.single("weir_retrying_messages", .gauge, "Failed messages that wait for their next attempt.", Double(totals.retrying))
        page.single("weir_dead_messages", .gauge, "Messages in dead-letter queues.", Double(totals.dead))
        page.single("weir_running_jobs", .gauge, "Jobs that are not over.", Double(totals.jobs))
        page.single("weir_lag_records", .gauge, "Records not yet committed by some group, summed over groups.", Double(totals.lag))
    }

    private static func queues(_ page: Page<QueueRow>, into text: inout MetricsPage) {
        func gauge(_ name: String, _ help: String, _ value: (QueueRow) -> Double?) {
            text.family(name, .gauge, help)
            for row in page.rows { if let value = value(row) { text.sample([("queue", row.name)], value) } }
        }
        gauge("weir_queue_ready", "Messages that can be delivered now.") { Double($0.ready) }
        gauge("weir_queue_unacked", "Messages delivered and not yet answered, or on the way to a dead-letter queue.") { Double($0.unacked) }
        gauge("weir_queue_delayed", "Messages that wait for their time.") { Double($0.delayed) }
        gauge("weir_queue_retrying", "Failed messages that wait for their next attempt.") { Double($0.retrying) }
        gauge("weir_queue_consumers", "Consumers of the queue.") { Double($0.consumers) }
        gauge("weir_queue_oldest_seconds", "Age of the oldest message where any is ready.") { $0.oldestMs.map { Double($0) / 1000 } }
        gauge("weir_queue_held", "1 while delivery is held.") { $0.held ? 1 : 0 }
        gauge("weir_queue_limit_share", "How full the nearest limit is, 0 to 1.") { $0.limitShare }
        text.family("weir_queue_dead_total", .counter, "Messages that died in the queue since it was made.")
        for row in page.rows { text.sample([("queue", row.name)], Double(row.dead)) }
        text.family("weir_queue_refused_total", .counter, "Publishes refused by a threshold since the start.")
        for row in page.rows { text.sample([("queue", row.name)], Double(row.refused)) }
        text.single(
            "weir_queues_unlisted", .gauge, "Queues without series of their own here: only those with the most ready messages have them.",
            Double(max(0, page.total - page.rows.count)))
    }

    private static func topics(_ page: Page<TopicRow>, into text: inout MetricsPage) {
        text.family("weir_topic_partitions", .gauge, "Partitions of the topic.")
        for row in page.rows { text.sample([("topic", row.name)], Double(row.partitions)) }
        text.family("weir_topic_records", .gauge, "Records of the topic that can be read.")
        for row in page.rows { text.sample([("topic", row.name)], Double(row.records)) }
        text.family("weir_topic_bytes", .gauge, "Bytes of the topic's segments.")
        for row in page.rows { text.sample([("topic", row.name)], Double(row.bytes)) }
        text.single(
            "weir_topics_unlisted", .gauge, "Topics without series of their own here: only the largest have them.",
            Double(max(0, page.total - page.rows.count)))
    }

    private static func groups(_ page: Page<GroupRow>, into text: inout MetricsPage) {
        text.family("weir_group_members", .gauge, "Members of the group.")
        for row in page.rows { text.sample([("group", row.group), ("state", row.state)], Double(row.members)) }
        text.family("weir_group_lag_records", .gauge, "Records the group has not committed.")
        for row in page.rows { if let lag = row.lag { text.sample([("group", row.group)], Double(lag)) } }
        text.family("weir_group_behind_seconds", .gauge, "Age of the group's next unread record.")
        for row in page.rows { if let ms = row.behindMs { text.sample([("group", row.group)], Double(ms) / 1000) } }
        text.single(
            "weir_groups_unlisted", .gauge, "Groups without series of their own here: only those with the largest lag have them.",
            Double(max(0, page.total - page.rows.count)))
    }
}

/// Writes families and samples; a family's lines stay together as the format demands.
struct MetricsPage {
    enum Kind: String { case counter, gauge }
    private(set) var text = ""
    private var name = ""

    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ labels: [(String, String)], _ value: Double) {
        let inner = labels.map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }.joined(separator: ",")
        text += labels.isEmpty ? "\(name) \(Self.number(value))\n" : "\(name){\(inner)} \(Self.number(value))\n"
    }

    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help)
        sample([], value)
    }

    /// A backslash, a line feed and (in labels) a double quote are escaped; everything else is UTF-8 as it is.
    static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return String(value)
    }
}
