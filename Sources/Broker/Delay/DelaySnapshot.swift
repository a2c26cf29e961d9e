import Model
import NIOCore
import Queues
import Storage
import Wire

/// The facts of a shard's delay store as of an offset of their stream: what a start reads instead of everything before it.
///
/// ```
/// 1 version │ 8 end offset │ 4 facts │ the facts │ 4 CRC-32C of all before it
/// ```
struct DelaySnapshot {
    static func key(_ shard: ShardID) -> String { "delay/shard-\(shard)" }

    var end: Offset
    var facts: [DelayFact]

    init(end: Offset, facts: [DelayFact]) {
        self.end = end
        self.facts = facts
    }

    func encoded() -> ByteBuffer {
        FactSnapshot.encode(end: end, facts) { fact, writer in fact.write(to: &writer) }
    }

    /// nil when the bytes are damaged or of a later release.
    init?(_ bytes: ByteBuffer) {
        let read = FactSnapshot.decode(bytes) { reader in try DelayFact(reading: &reader) }
        guard let read else { return nil }
        self.init(end: read.end, facts: read.items)
    }
}
