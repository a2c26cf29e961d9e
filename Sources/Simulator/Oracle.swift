import Model

/// What must be true of a world, by the plainest bookkeeping there is. Knows messages by number.
///
/// `@unchecked Sendable`: a world has one thread.
final class Oracle: @unchecked Sendable {
    /// How a message ended, as far as its consumer was told.
    enum End: Equatable {
        case open
        /// Asked for, not answered (yet), or taken back perhaps: it may be so or not.
        case maybe(Acknowledged)
        case sure(Acknowledged)
    }
    enum Acknowledged { case accepted, rejected }

    struct Message {
        var partition: PartitionID
        /// The topic it was published to.
        var topic: String
        var publishedAt: Timestamp
        var isConfirmed = false
        /// Known when the broker has confirmed it, unless it was delayed.
        var offset: Offset?
        /// Not to be seen before; nil: it was not delayed.
        var due: Timestamp?
        /// An operator has asked for something to be done to its delay and was not answered yet.
        var isEdited = false
        /// An operator may have cancelled its delay, or has for sure.
        var cancel = Cancel.no
        var isDurable = false
        /// A power cut may have taken what was only confirmed as written.
        var mayBeLost = false
        var end = End.open
        var deliveries = 0
        /// Who has it, where it lies, and until when.
        var holder: (member: String, place: Place, until: Monotonic)?
        /// Members whose answers to it are on their way: when one gets there it may go to others.
        var answering: [String: Int] = [:]
        /// Purges that may have taken it, and that nobody has undone.
        var purges: Set<Int> = []
        /// After a release with back-off.
        var notBefore: Timestamp?
    }
    enum Cancel { case no, maybe, sure }

    struct Place: Hashable {
        var partition: PartitionID
        var offset: Offset
    }

    struct Discard {
        var place: Place
        /// How many messages had been published when it was answered: later ones it did not take.
        var published: Int?
    }

    var messages: [Message] = []
    var count: Int { messages.count }
    var deliveries = 0
    private(set) var powerWasLost = false
    /// Deliveries since the broker was last started, which it can't have forgotten.
    var delivered: [Place: Int] = [:]

    /// Told of what happens to a message.
    var onEvent: ((Int, String) -> Void)?

    // MARK: What operators have asked for

    /// Purges asked for so far; those that were not answered, with their queues: what is published meanwhile may go with the rest.
    var purges = 0
    var purging: [Int: String] = [:]
    /// Places that operators asked to discard. What lies there may not be what was meant, when a power cut has taken that.
    var discards: [Discard] = []
    /// The same for those that purge what is delayed too.
    var cancelling = 0
    /// Redrives bring the dead back: from then on a rejected message may live again.
    var wasRedriven = false
    /// Replays asked for, in all and not answered yet: what is settled may be ready again.
    var replays = 0
    var replaying = 0
    /// Changes to waiting retries that were asked for and not answered.
    var editingRetries = 0
    /// Copies asked for.
    var copies = 0

    // MARK: Publishing

    func newMessage(in partition: PartitionID, of topic: String, due: Timestamp?, at now: Timestamp) -> Int {
        messages.append(Message(partition: partition, topic: topic, publishedAt: now, due: due))
        messages[count - 1].purges = Set(purging.filter { $0.value == topic }.keys)
        if due != nil, cancelling > 0 { messages[count - 1].cancel = .maybe }
        onEvent?(count - 1, "published to \(topic)" + (due.map { ", due \($0.ms)" } ?? ""))
        return count - 1
    }

    /// The messages of one batch; those that are delayed got no offset yet.
    func confirmed(_ numbers: [Int], at base: Offset, isDurable: Bool) {
        var next = base
        for number in numbers {
            messages[number].isConfirmed = true
            messages[number].isDurable = isDurable
            onEvent?(number, "confirmed \(isDurable ? "durably" : "as written")")
            guard messages[number].due == nil else { continue }
            messages[number].offset = next
            onEvent?(number, "at \(next)")
            next = next + 1
        }
    }

    // MARK: Crashes

    /// Everything confirmed but not synced is in doubt after a power cut; nobody holds anything any more.
    func crashed(powerLost: Bool) {
        if powerLost { powerWasLost = true }
        purging = [:]
        for index in discards.indices { discardAnswered(index) }
        cancelling = 0
        replaying = 0
        editingRetries = 0
        delivered = [:]
        for index in messages.indices {
            messages[index].holder = nil
            messages[index].answering = [:]
            messages[index].isEdited = false
            if powerLost, !messages[index].isDurable { messages[index].mayBeLost = true }
        }
    }

    /// The broker was closed in order: all that was confirmed is synced.
    func closed() {
        for index in messages.indices where messages[index].isConfirmed && !messages[index].mayBeLost { messages[index].isDurable = true }
    }
}
