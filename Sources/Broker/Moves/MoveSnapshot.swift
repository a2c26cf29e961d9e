import Model
import NIOCore
import Queues
import Wire

/// The ledger of a shard's moves as of an offset of its facts.
///
/// ```
/// 1 version │ 8 end offset │ 4 facts │ per fact: compact bytes │ 4 CRC-32C of all before it
/// ```
struct MoveSnapshot {
    static func key(_ shard: ShardID) -> String { "moves/shard-\(shard)" }

    /// Facts below this are in the snapshot.
    var end: Offset
    var facts: [MoveFact]

    init(end: Offset, facts: [MoveFact]) {
        self.end = end
        self.facts = facts
    }

    func encoded() -> ByteBuffer {
        FactSnapshot.encode(end: end, facts) { fact, writer in writer.bytes(fact.encoded(), compact: true) }
    }

    /// nil when the bytes are damaged or of a later release.
    init?(_ bytes: ByteBuffer) {
        let read = FactSnapshot.decode(bytes) { reader in try MoveFact.decode(try reader.bytes(compact: true)) }
        guard let read else { return nil }
        self.init(end: read.end, facts: read.items)
    }
}
