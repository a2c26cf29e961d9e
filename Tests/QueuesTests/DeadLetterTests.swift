import Model
import NIOCore
import Testing

@testable import Queues

@Suite struct DeadLetterTests {
    let letter = DeadLetter(topic: "payments", partition: 2, group: "payments")
    let now = Timestamp(ms: 1_700_000_000_999)

    func record(_ headers: [(String, String?)] = [], offset: Int64 = 17) -> Record {
        Record(
            offset: Offset(offset), timestamp: Timestamp(ms: 5), key: nil, value: ByteBuffer(string: "v"),
            headers: headers.map { .init(name: $0.0, value: $0.1.map { ByteBuffer(string: $0) }) })
    }

    func stamped(_ record: Record, _ reason: DeadReason = .deliveryLimit, attempts: Int = 5, to target: String = "payments.dlq") -> [String:
        String]?
    {
        letter.headers(of: record, dying: DeadMessage(offset: record.offset, attempts: attempts, reason: reason), to: target, at: now).map {
            headers in
            Dictionary(headers.map { ($0.name, $0.value.map { String(buffer: $0) } ?? "null") }) { first, _ in first + "!twice" }
        }
    }

    @Test func aFirstDeathIsStampedForBothDoors() {
        #expect(
            stamped(record([("trace", "abc")])) == [
                "trace": "abc",
                "x-death":
                    #"[{"count":1,"reason":"delivery_limit","queue":"payments","time":1700000000,"#
                    + #""exchange":"","routing-keys":["payments"]}]"#,
                "x-first-death-reason": "delivery_limit", "x-first-death-queue": "payments", "x-first-death-exchange": "",
                "x-last-death-reason": "delivery_limit", "x-last-death-queue": "payments", "x-last-death-exchange": "",
                "__dlq.errors.topic": "payments", "__dlq.errors.partition": "2", "__dlq.errors.offset": "17",
                "__dlq.errors.group": "payments", "__dlq.errors.delivery.count": "5",
                "__dlq.errors.message": "Offset delivery count exceeded the threshold.",
            ])
    }

    @Test func aDeathForTheSameReasonIsCountedUpAndTheFirstIsKept() throws {
        let history =
            #"[{"count":1,"reason":"expired","queue":"other","time":9,"exchange":"","routing-keys":["other"]},"#
            + #"{"count":2,"reason":"rejected","queue":"payments","time":8,"exchange":"","routing-keys":["payments"]}]"#
        let headers = try #require(
            stamped(
                record([
                    ("x-death", history), ("weir.move", "0.1/x/3"), ("x-first-death-reason", "expired"), ("x-first-death-queue", "other"),
                    ("x-first-death-exchange", ""), ("x-last-death-reason", "expired"), ("__dlq.errors.offset", "3"),
                ]), .rejected))
        #expect(
            headers["x-death"]
                == #"[{"count":3,"reason":"rejected","queue":"payments","time":1700000000,"exchange":"","routing-keys":["payments"]},"#
                + #"{"count":1,"reason":"expired","queue":"other","time":9,"exchange":"","routing-keys":["other"]}]"#)
        #expect(headers["x-first-death-reason"] == "expired" && headers["x-first-death-queue"] == "other")
        #expect(headers["x-last-death-reason"] == "rejected")
        #expect(headers["__dlq.errors.offset"] == "17" && headers["__dlq.errors.message"] == "Offset rejected by client.")
    }

    @Test func aHistoryThatAClientWroteIsNotContinued() throws {
        let headers = try #require(stamped(record([("x-death", #"[{"count":9}]"#), ("x-first-death-queue", "liar")])))
        #expect(headers["x-first-death-queue"] == "payments")
        #expect(headers["x-death"]?.contains(#""count":1,"#) == true)
    }

    @Test func aCycleWithoutARejectionIsCut() {
        func history(_ entries: [(String, String)]) -> Record {
            let text = entries.map {
                #"{"count":1,"reason":"\#($0.1)","queue":"\#($0.0)","time":1,"exchange":"","routing-keys":["\#($0.0)"]}"#
            }
            return record([("x-death", "[\(text.joined(separator: ","))]"), ("weir.move", "0.1/x/3")])
        }
        // From retry back to payments, which it expired from before: nobody rejected it on the way.
        #expect(stamped(history([("retry", "expired"), ("payments.dlq", "expired")]), .expired) == nil)
        #expect(stamped(history([("retry", "rejected"), ("payments.dlq", "expired")]), .expired) != nil)
        #expect(stamped(history([("retry", "expired"), ("payments.dlq", "expired")]), .rejected) != nil)
        #expect(stamped(history([("retry", "expired")]), .expired) != nil)
    }

    @Test func theErrorComesFromTheRecordsOwnHeaders() throws {
        let spring = record([("kafka_dlt-exception-message", "gateway timeout\n\tat Main"), ("x-exception-message", "")])
        #expect(stamped(spring)?["__dlq.errors.message"] == "gateway timeout")
        let stamp = DeadLetterStamp(
            try #require(
                letter.headers(
                    of: spring, dying: DeadMessage(offset: Offset(17), attempts: 3, reason: .rejected), to: "d", at: now)))
        #expect(stamp.group == "rejected: gateway timeout")
        #expect(stamp.topic == "payments" && stamp.partition == 2 && stamp.offset == Offset(17) && stamp.attempts == 3)
        #expect(DeadLetterStamp([]).group == "published")
    }

    @Test func textsThatNeedQuotingSurvive() {
        let death = DeadLetterDeath(reason: "rejected", queue: "a\"b\\c\u{1}é", time: 1, routingKeys: ["x\ny"])
        #expect(DeadLetterDeath.decode(DeadLetterDeath.encode([death])) == [death])
        #expect(DeadLetterDeath.decode(ByteBuffer(string: "[{]")) == [])
    }
}
