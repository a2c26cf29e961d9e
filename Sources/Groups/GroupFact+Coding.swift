import Model
import NIOCore
import Wire

/// Facts as the key and value of a record. The key says what the fact replaces; no value means that it is gone.
///
/// ```
/// key    1 version │ 1 kind: 1 offset, 2 generation │ group │ offset only: topic, 4 partition
/// value  1 version │ offset: 8 offset, 4 leader epoch, 8 committed at, metadata │ generation: as written below
/// ```
/// Strings and bytes are compact (KIP-482 lengths); integers big-endian.
extension GroupFact {
    private static let version: Int8 = 1
    private enum Kind {
        static let offset: Int8 = 1
        static let generation: Int8 = 2
    }

    public func encoded() -> (key: ByteBuffer, value: ByteBuffer?) {
        var key = WireWriter()
        key.int8(Self.version)
        switch self {
        case .offsetCommitted(let group, let topic, let partition, let committed):
            Self.offsetKey(group, topic, partition, &key)
            var value = WireWriter()
            value.int8(Self.version)
            value.int64(committed.offset.value)
            value.int32(committed.leaderEpoch)
            value.int64(committed.committedAt.ms)
            value.string(committed.metadata, compact: true)
            return (key.buffer, value.buffer)
        case .offsetDeleted(let group, let topic, let partition):
            Self.offsetKey(group, topic, partition, &key)
            return (key.buffer, nil)
        case .generation(let generation):
            key.int8(Kind.generation)
            key.string(generation.group, compact: true)
            var value = WireWriter()
            value.int8(Self.version)
            generation.write(&value)
            return (key.buffer, value.buffer)
        case .groupDeleted(let group):
            key.int8(Kind.generation)
            key.string(group, compact: true)
            return (key.buffer, nil)
        }
    }

    private static func offsetKey(_ group: String, _ topic: String, _ partition: Int32, _ key: inout WireWriter) {
        key.int8(Kind.offset)
        key.string(group, compact: true)
        key.string(topic, compact: true)
        key.int32(partition)
    }

    /// - Throws: a ``WireError`` when the bytes are damaged; `unsupportedVersion` when a later release wrote them.
    public static func decode(key: ByteBuffer, value: ByteBuffer?) throws(WireError) -> GroupFact {
        var key = WireReader(key)
        try expectVersion(&key)
        let kind = try key.int8()
        let group = try key.string(compact: true)
        switch kind {
        case Kind.offset:
            let topic = try key.string(compact: true)
            let partition = try key.int32()
            guard let value else { return .offsetDeleted(group: group, topic: topic, partition: partition) }
            var reader = WireReader(value)
            try expectVersion(&reader)
            let offset = Offset(try reader.int64())
            let leaderEpoch = try reader.int32()
            let committedAt = Timestamp(ms: try reader.int64())
            let metadata = try reader.string(compact: true)
            return .offsetCommitted(
                group: group, topic: topic, partition: partition,
                CommittedOffset(offset: offset, leaderEpoch: leaderEpoch, metadata: metadata, committedAt: committedAt))
        case Kind.generation:
            guard let value else { return .groupDeleted(group: group) }
            var reader = WireReader(value)
            try expectVersion(&reader)
            return .generation(try GroupGeneration(group: group, &reader))
        default:
            throw .unsupportedVersion(api: Int16(kind), version: Int16(version))
        }
    }

    private static func expectVersion(_ reader: inout WireReader) throws(WireError) {
        let found = try reader.int8()
        if found != version { throw .unsupportedVersion(api: -1, version: Int16(found)) }
    }
}

extension GroupGeneration {
    func write(_ writer: inout WireWriter) {
        writer.int32(generation)
        writer.nullableString(protocolType, compact: true)
        writer.nullableString(protocolName, compact: true)
        writer.nullableString(leader, compact: true)
        writer.int64(since.ms)
        writer.count(members.count, compact: true)
        for member in members {
            writer.string(member.id, compact: true)
            writer.nullableString(member.instanceID, compact: true)
            writer.string(member.clientID, compact: true)
            writer.string(member.clientHost, compact: true)
            writer.int32(member.sessionTimeoutMs)
            writer.int32(member.rebalanceTimeoutMs)
            writer.bytes(member.subscription, compact: true)
            writer.bytes(member.assignment, compact: true)
        }
    }

    init(group: String, _ reader: inout WireReader) throws(WireError) {
        self.group = group
        generation = try reader.int32()
        protocolType = try reader.nullableString(compact: true)
        protocolName = try reader.nullableString(compact: true)
        leader = try reader.nullableString(compact: true)
        since = Timestamp(ms: try reader.int64())
        let count = try reader.count(compact: true, minimumBytes: 14)
        members = []
        members.reserveCapacity(count)
        for _ in 0..<count {
            members.append(
                Member(
                    id: try reader.string(compact: true), instanceID: try reader.nullableString(compact: true),
                    clientID: try reader.string(compact: true), clientHost: try reader.string(compact: true),
                    sessionTimeoutMs: try reader.int32(), rebalanceTimeoutMs: try reader.int32(),
                    subscription: try reader.bytes(compact: true), assignment: try reader.bytes(compact: true)))
        }
    }
}
