import Model

/// Names of the record headers that tell a dead letter's story, and those that Weir puts on records it moves.
public enum DeadLetterHeader {
    /// RabbitMQ's family: the history (see ``DeadLetterDeath``), the first death and the last.
    public static let deaths = "x-death"
    public static let firstReason = "x-first-death-reason"
    public static let firstQueue = "x-first-death-queue"
    public static let firstExchange = "x-first-death-exchange"
    public static let lastReason = "x-last-death-reason"
    public static let lastQueue = "x-last-death-queue"
    public static let lastExchange = "x-last-death-exchange"

    /// Kafka's family (KIP-1191): all values are text, numbers in decimal.
    public static let topic = "__dlq.errors.topic"
    public static let partition = "__dlq.errors.partition"
    public static let offset = "__dlq.errors.offset"
    public static let group = "__dlq.errors.group"
    public static let deliveryCount = "__dlq.errors.delivery.count"
    public static let message = "__dlq.errors.message"
    static let kafkaPrefix = "__dlq.errors."

    /// Which move wrote this copy: see ``MoveIdentity``.
    public static let move = "weir.move"
    /// The number of the job that sent it on.
    public static let redrive = "weir.redrive"
    /// How often it was sent on from a dead-letter queue.
    public static let redriven = "weir.redriven"
    /// The timestamp that its first publisher gave it, ms since 1970: a copy's own timestamp is when it was made.
    public static let timestamp = "weir.timestamp"

    /// Whether a header is about the last death or redrive alone, so that a copy that is sent on goes without it.
    public static func tellsOfLastDeath(_ header: Record.Header) -> Bool {
        header.name.hasPrefix(kafkaPrefix) || header.isNamed(redrive) || header.isNamed(redriven)
    }

    /// Where consumers and frameworks leave the text of what went wrong: Spring for AMQP and Kafka, Kafka Connect and Streams, NServiceBus,
    /// MassTransit. The first that is there counts.
    public static let errors = [
        "x-exception-message", "kafka_dlt-exception-message", "kafka_exception-message", "__connect.errors.exception.message",
        "__streams.errors.message", "NServiceBus.ExceptionInfo.Message", "MT-Fault-Message",
    ]
}
