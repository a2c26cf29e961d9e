import Control
import Testing

@testable import Console

/// What columns say of numbers that are not known, or only in part.
@Suite struct ColumnTextTests {
    private func texts<Row>(_ columns: [Column<Row>], _ row: Row) -> [String: String] {
        Dictionary(uniqueKeysWithValues: columns.map { ($0.title, $0.cell(row, 20).0) })
    }

    @Test func `of reasons that are being read a part is said as such, and ages are not known`() {
        var row = DeadQueueRow()
        (row.name, row.messages, row.topReason, row.topShare) = ("pay.dlq", 100, "timeout", 0.715)
        (row.oldestMs, row.newestMs) = (60_000, 1_000)
        var shown = texts(DeadColumns.queues, row)
        #expect(shown["MOST"] == "72%" && shown["REASON"] == "timeout" && shown["OLDEST"] == "1m00s" && shown["NEWEST"] == "1s")
        (row.unread, row.oldestMs, row.newestMs) = (20, nil, nil)
        shown = texts(DeadColumns.queues, row)
        #expect(shown["MOST"] == "71%+" && shown["REASON"] == "timeout" && shown["OLDEST"] == "n/a" && shown["NEWEST"] == "n/a")
        (row.unread, row.topReason, row.topShare) = (80, nil, nil)
        shown = texts(DeadColumns.queues, row)
        #expect(shown["MOST"] == "n/a" && shown["REASON"] == "counting…" && shown["OLDEST"] == "n/a")
        shown = texts(DeadColumns.queues, DeadQueueRow())
        #expect(shown["MOST"] == "-" && shown["REASON"] == "-" && shown["OLDEST"] == "-" && shown["NEWEST"] == "-")
    }

    @Test func `times to an answer are short ones, or not there`() {
        var row = ConsumerRow()
        #expect(texts(ConsumerColumns.all, row)["P50"] == "-" && texts(ConsumerColumns.all, row)["P99"] == "-")
        (row.ackP50Ms, row.ackP99Ms) = (0, 6)
        #expect(texts(ConsumerColumns.all, row)["P50"] == "<1ms" && texts(ConsumerColumns.all, row)["P99"] == "6ms")
        (row.ackP50Ms, row.ackP99Ms) = (999, 1_200)
        #expect(texts(ConsumerColumns.all, row)["P50"] == "999ms" && texts(ConsumerColumns.all, row)["P99"] == "1.2s")
    }

    @Test func `who has just got its first message is not stuck`() {
        var row = ConsumerRow()
        #expect(!ConsumerColumns.isStuck(row) && texts(ConsumerColumns.all, row)["LAST ACK"] == "n/a")
        (row.unacked, row.silentMs) = (5, 2_000)
        #expect(!ConsumerColumns.isStuck(row) && texts(ConsumerColumns.all, row)["LAST ACK"] == "never")
        row.silentMs = 30_000
        #expect(ConsumerColumns.isStuck(row))
        // It answered long ago, when it had something to answer.
        (row.lastAckMs, row.silentMs) = (3_600_000, 500)
        #expect(!ConsumerColumns.isStuck(row) && texts(ConsumerColumns.all, row)["LAST ACK"] == "1h00m")
        (row.lastAckMs, row.silentMs, row.ackRate) = (40_000, 40_000, 0)
        #expect(ConsumerColumns.isStuck(row))
        row.unacked = 0
        #expect(!ConsumerColumns.isStuck(row))
    }
}
