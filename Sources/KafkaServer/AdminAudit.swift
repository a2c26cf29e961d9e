import Broker
import KafkaWire

/// What one administrative request did, gathered for the audit log. What only asks, and what a read-only broker refuses, is not written
/// down.
struct AdminAudit {
    private let context: RequestContext
    private var outcomes: [KafkaOutcome] = []

    init(_ context: RequestContext) { self.context = context }

    /// - Parameters:
    ///   - code: what the client is answered.
    ///   - isDry: it was only to be checked.
    mutating func add(_ act: KafkaAct, _ code: ErrorCode, _ message: String? = nil, isDry: Bool = false) {
        guard !isDry, !context.door.broker.options.readOnly else { return }
        let refusal = code == .none ? nil : message.map { "\(code): \($0)" } ?? "\(code)"
        outcomes.append(KafkaOutcome(act, refusal: refusal))
    }

    func write() async { await context.door.broker.audit(outcomes, clientID: context.clientID) }
}
