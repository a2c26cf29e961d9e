import Model
import NIOCore
import Wire

/// What is logged of a delay store, in `facts delay` of its shard. The messages themselves and when they are due are in the bodies
/// streams: a publish logs no fact of its own.
public enum DelayFact: Equatable, Sendable {
    /// A number for a target, so that an index entry takes four bytes for it. Numbers rise and are never reused.
    case target(number: UInt32, PartitionID)
    /// Index entries were written out.
    case run(DelayRun)
    /// Nothing below `bodyEnd` is in memory only: what was there has been released.
    case emptied(band: Int, bodyEnd: Offset)
    /// Everything up to the key is done. `open` are the targets that may have got messages behind it since, each with the offset from
    /// which its log must be searched for them.
    case front(DelayKey, open: [OpenTarget])
    /// A target is about to get messages.
    case open(OpenTarget)
    /// One message is due at another time; nil: never, it was cancelled.
    case moved(DelayRef, target: UInt32, fromMs: Int64, toMs: Int64?)
    /// Messages of a target whose bodies lie below these ends, one per band, are gone; empty ends take that back.
    case purged(target: UInt32, ends: [Offset])

    public struct OpenTarget: Equatable, Sendable {
        public var target: UInt32
        public var from: Offset

        public init(target: UInt32, from: Offset) {
            self.target = target
            self.from = from
        }
    }

    public enum Misread: Error, Equatable, Sendable {
        case wire(WireError)
        /// A fact of a later release, or bytes that are none.
        case unknown
    }

    // MARK: Coding: a type byte, then the fields

    public func encoded() -> ByteBuffer {
        var writer = WireWriter()
        write(to: &writer)
        return writer.buffer
    }

    public func write(to writer: inout WireWriter) {
        switch self {
        case .target(let number, let partition):
            writer.int8(1)
            writer.uint32(number)
            writer.uuid(partition.topic.uuid)
            writer.int32(partition.index)
        case .run(let run):
            writer.int8(2)
            run.write(to: &writer)
        case .emptied(let band, let bodyEnd):
            writer.int8(3)
            writer.int8(Int8(band))
            writer.int64(bodyEnd.value)
        case .front(let key, let open):
            writer.int8(4)
            writer.key(key)
            writer.count(open.count, compact: true)
            for target in open { writer.open(target) }
        case .open(let target):
            writer.int8(5)
            writer.open(target)
        case .moved(let ref, let target, let fromMs, let toMs):
            writer.int8(6)
            writer.integer(ref.raw)
            writer.uint32(target)
            writer.int64(fromMs)
            writer.int64(toMs ?? -1)
        case .purged(let target, let ends):
            writer.int8(7)
            writer.uint32(target)
            writer.count(ends.count, compact: true)
            for end in ends { writer.int64(end.value) }
        }
    }

    public init(reading reader: inout WireReader) throws(Misread) {
        do throws(WireError) {
            switch try reader.int8() {
            case 1:
                let number = try reader.uint32()
                self = .target(number: number, PartitionID(topic: TopicID(try reader.uuid()), index: try reader.int32()))
            case 3:
                let band = Int(try reader.int8())
                guard (0..<DelayBand.count).contains(band) else { throw .negativeLength(band) }
                self = .emptied(band: band, bodyEnd: Offset(try reader.int64()))
            case 4:
                let key = try reader.key()
                var open: [OpenTarget] = []
                for _ in 0..<(try reader.count(compact: true, minimumBytes: 12)) { open.append(try reader.openTarget()) }
                self = .front(key, open: open)
            case 5: self = .open(try reader.openTarget())
            case 6:
                let ref = DelayRef(raw: try reader.integer())
                let target = try reader.uint32()
                let fromMs = try reader.int64()
                let toMs = try reader.int64()
                self = .moved(ref, target: target, fromMs: fromMs, toMs: toMs < 0 ? nil : toMs)
            case 7:
                let target = try reader.uint32()
                var ends: [Offset] = []
                for _ in 0..<(try reader.count(compact: true, minimumBytes: 8)) { ends.append(Offset(try reader.int64())) }
                self = .purged(target: target, ends: ends)
            default:
                // A run is read outside: its own errors are of another type.
                reader.buffer.moveReaderIndex(to: reader.buffer.readerIndex - 1)
                self = .emptied(band: -1, bodyEnd: .zero)
            }
        } catch { throw .wire(error) }
        guard case .emptied(band: -1, _) = self else { return }
        guard reader.buffer.readInteger(as: Int8.self) == 2 else { throw .unknown }
        self = .run(try DelayRun(reading: &reader))
    }
}

extension WireWriter {
    fileprivate mutating func open(_ target: DelayFact.OpenTarget) {
        uint32(target.target)
        int64(target.from.value)
    }
}

extension WireReader {
    fileprivate mutating func openTarget() throws(WireError) -> DelayFact.OpenTarget {
        DelayFact.OpenTarget(target: try uint32(), from: Offset(try int64()))
    }
}
