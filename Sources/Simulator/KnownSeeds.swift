/// Every seed that ever failed, with its rounds and what it was: they run whenever seeds are run.
enum KnownSeeds {
    static let all: [(seed: UInt64, rounds: Int, what: String)] = [
        (3, 40, "a start waited by the machine's clock and never went on"),
        (5, 40, "the same"),
        (49, 40, "the same"),
        (47, 40, "unknown: seen once, before worlds had processes of their own"),
        (117, 40, "the oracle took an answer that came too late for one of the consumer that had the message by then"),
        (939, 40, "the oracle let the undo of one purge vouch for what a later one had taken"),
        (888, 40, "the oracle looked for a discarded message only where it had been; another had its offset after a power cut"),
        (588, 40, "the oracle did not know that an answer also counts for a delivery that is under way to its member"),
        (1606, 40, "messages in the place of a lost tail were as old as it by the append times that were written down, and expired early"),
        (817, 40, "a start passed over facts whose batch had another offset than it should"),
        (2181, 40, "a redriven message carried the handle of its release: a start took it for the release of a later message"),
        (1893, 40, "the audit read a run that was done with meanwhile"),
        (2564, 40, "the audit compared what was due at two times"),
        (3534, 40, "a batch whose first offset was damaged ended the broker when a queue read it"),
        (2471, 40, "after an append that failed, the search for what was released began behind where it came at last"),
    ]
}
