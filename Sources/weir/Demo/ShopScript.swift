import KafkaClient

/// The shop of the demo: its queues and what becomes of orders, payments and a flash sale. Values only; ``ShopWorkload`` acts it out.
///
/// ```
/// order placed ─ payment due at once ──► payments      fails and is tried again, up to 4 times; then payments.dlq
///              └ paid by then? in 30 s ─► orders.unpaid delayed; an order that is not paid by then is cancelled
/// flash sale, every 90 s ───────────────► flash-sale    admits 500 at a time and refuses the rest
/// back in stock, every 120 s ───────────► reminders     400 mails due at one instant: a herd
/// ```
struct ShopScript: Sendable {
    struct Queue: Sendable {
        var name: String
        var settings: [String: String]
        /// Share consumers, and messages a second that each gets done.
        var workers: Int
        var perSecond: Double
    }

    var queues: [Queue] = [
        Queue(
            name: "payments", settings: ["retry.backoff": "1s,2,8s", "retry.jitter": "0.2", "delivery.limit": "4", "dead.letter": "auto"],
            workers: 2, perSecond: 60),
        Queue(name: "orders.unpaid", settings: ["delay.enable": "true"], workers: 1, perSecond: 200),
        Queue(
            name: "flash-sale", settings: ["max.depth": "500", "overflow": "reject-publish", "rate.out": "60"], workers: 1, perSecond: 100),
        Queue(name: "reminders", settings: ["delay.enable": "true"], workers: 1, perSecond: 40),
    ]
    var ordersPerSecond = 30.0
    /// The thirty minutes in which an order must be paid, shortened.
    var unpaidAfterMs: Int64 = 30_000
    var herdSize = 400
    var herdAfterMs: Int64 = 75_000

    /// What every queue keeps of what is done with, so that the demo stays small in memory and replay has something to show.
    static let keep = ["queue": "true", "retention.settled.ms": "900000", "retention.settled.bytes": "16777216"]

    /// One order in five is never paid.
    func isPaid(order: Int) -> Bool { order % 5 != 0 }

    /// One card in 250 is stolen, and stays so however often the payment is tried.
    func isStolen(order: Int) -> Bool { order % 250 == 3 }

    /// The payment gateway is down for 30 seconds of every 120, first from second 10 on, so that there is soon something to redrive.
    func isOutage(atSecond second: Double) -> Bool { (10..<40).contains(second.truncatingRemainder(dividingBy: 120)) }

    /// - Parameter draw: from 0 to 1, by the caller: half of the payments fail in an outage, one in twenty otherwise.
    func payment(order: Int, atSecond second: Double, draw: Double) -> ShareAnswer {
        if isStolen(order: order) { return .reject }
        return draw < (isOutage(atSecond: second) ? 0.5 : 0.05) ? .release : .accept
    }

    /// Messages a second that want into the flash sale: 400 for the first 12 seconds of every 90.
    func saleRate(atSecond second: Double) -> Double { second.truncatingRemainder(dividingBy: 90) < 12 ? 400 : 0 }

    /// Whether a herd is sent off between two moments: at second 5, 125, 245 …
    func sendsHerd(from: Double, to: Double) -> Bool {
        guard to > from else { return false }
        let next = ((from - 5) / 120).rounded(.up) * 120 + 5
        return next >= 0 && next < to && next >= from
    }

    /// `o123` → 123
    static func order(key: String) -> Int? { key.hasPrefix("o") ? Int(key.dropFirst()) : nil }
}
