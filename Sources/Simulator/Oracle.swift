import Model

/// What must be true of a world, by the plainest bookkeeping there is. Knows messages by number.
///
/// `@unchecked Sendable`: a world has one thread.
final class Oracle: @unchecked Sendable {
    static let topics = ["plain", "other"]

    struct Message {
        var partition: PartitionID
        /// Set when the broker has confirmed it.
        var offset: Offset?
        var isDurable = false
        /// A power cut may have taken what was only confirmed as written.
        var mayBeLost = false
    }

    private var messages: [Message] = []
    var count: Int { messages.count }

    func newMessage(in partition: PartitionID) -> Int {
        messages.append(Message(partition: partition))
        return messages.count - 1
    }

    func confirmed(_ numbers: [Int], at base: Offset, in partition: PartitionID, isDurable: Bool) {
        for (index, number) in numbers.enumerated() {
            messages[number].offset = base + Int64(index)
            messages[number].isDurable = isDurable
        }
    }

    /// Everything confirmed but not synced is in doubt after a power cut.
    func crashed(powerLost: Bool) {
        guard powerLost else { return }
        for index in messages.indices where !messages[index].isDurable { messages[index].mayBeLost = true }
    }

    /// A partition's records as they are found: offset and message number, in order.
    func judge(_ found: [(offset: Offset, message: Int)], in partition: PartitionID) -> String? {
        var seen: [Int: Offset] = [:]
        for (offset, message) in found {
            guard messages.indices.contains(message), messages[message].partition == partition else {
                return "partition \(partition) holds a message at \(offset) that was never published there: \(message)"
            }
            if let first = seen.updateValue(offset, forKey: message) {
                return "message \(message) is there twice: at \(first) and \(offset)"
            }
            if let promised = messages[message].offset, promised != offset, !messages[message].mayBeLost {
                return "message \(message) was confirmed at \(promised) and is found at \(offset)"
            }
        }
        for (number, message) in messages.enumerated() where message.partition == partition {
            if let offset = message.offset, !message.mayBeLost, seen[number] == nil {
                return "message \(number), confirmed at \(offset) \(message.isDurable ? "durably" : "as written"), is lost"
            }
        }
        return nil
    }
}
