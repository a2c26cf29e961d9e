import Model
import NIOCore
import Wire

/// A fact as the value of a record: `1 version │ 1 kind │ fields`. Counts and strings are compact, integers big-endian.
extension MoveFact {
    private static let version: Int8 = 1

    public func encoded() -> ByteBuffer {
        var writer = WireWriter()
        writer.int8(Self.version)
        switch self {
        case .begun(let intent):
            writer.int8(1)
            intent.write(&writer)
        case .ended(let number, let bases):
            writer.int8(2)
            writer.integer(number)
            writer.count(bases.count, compact: true)
            for base in bases { writer.varlong(base?.value ?? -1) }
        case .progress(let job, let progress):
            writer.int8(3)
            writer.int64(job)
            progress.write(&writer)
        case .jobForgotten(let job):
            writer.int8(4)
            writer.int64(job)
        case .numbered(let number):
            writer.int8(5)
            writer.integer(number)
        }
        return writer.buffer
    }

    /// - Throws: a ``WireError`` when the bytes are damaged or a later release wrote them.
    public static func decode(_ bytes: ByteBuffer) throws(WireError) -> MoveFact {
        var reader = WireReader(bytes)
        let version = try reader.int8()
        let kind = try reader.int8()
        guard version == Self.version else { throw .unsupportedVersion(api: Int16(kind), version: Int16(version)) }
        let fact: MoveFact
        switch kind {
        case 1: fact = .begun(try MoveIntent(reading: &reader))
        case 2:
            let number: UInt64 = try reader.integer()
            var bases: [Offset?] = []
            for _ in 0..<(try reader.count(compact: true)) {
                let base = try reader.varlong()
                bases.append(base < 0 ? nil : Offset(base))
            }
            fact = .ended(number: number, bases: bases)
        case 3: fact = .progress(job: try reader.int64(), try MoveProgress(reading: &reader))
        case 4: fact = .jobForgotten(try reader.int64())
        case 5: fact = .numbered(try reader.integer())
        default: throw .unsupportedVersion(api: Int16(kind), version: Int16(version))
        }
        try reader.expectEnd()
        return fact
    }

    fileprivate static func write(_ landed: [MoveLanding], _ writer: inout WireWriter) {
        writer.count(landed.count, compact: true)
        for landing in landed {
            landing.target.write(&writer)
            writer.int64(landing.base.value)
            writer.int64(landing.count)
        }
    }

    fileprivate static func landings(_ reader: inout WireReader) throws(WireError) -> [MoveLanding] {
        var landed: [MoveLanding] = []
        for _ in 0..<(try reader.count(compact: true, minimumBytes: 36)) {
            let target = try PartitionID(reading: &reader)
            landed.append(MoveLanding(target: target, base: Offset(try reader.int64()), count: try reader.int64()))
        }
        return landed
    }
}

extension MoveIntent {
    fileprivate func write(_ writer: inout WireWriter) {
        writer.integer(number)
        writer.string(group, compact: true)
        source.write(&writer)
        writer.int8(Int8(bitPattern: end))
        writer.int64(job)
        Queues.write(ranges: window.map { [$0] } ?? [], &writer)
        writer.count(parts.count, compact: true)
        for part in parts {
            part.target.write(&writer)
            writer.int64(part.targetEnd.value)
            Queues.write(ranges: part.ranges, &writer)
        }
    }

    fileprivate init(reading reader: inout WireReader) throws(WireError) {
        let number: UInt64 = try reader.integer()
        let group = try reader.string(compact: true)
        let source = try PartitionID(reading: &reader)
        let end = UInt8(bitPattern: try reader.int8())
        let job = try reader.int64()
        let window = try ranges(&reader).first
        var parts: [Part] = []
        for _ in 0..<(try reader.count(compact: true, minimumBytes: 29)) {
            let target = try PartitionID(reading: &reader)
            let targetEnd = Offset(try reader.int64())
            parts.append(Part(target: target, targetEnd: targetEnd, ranges: try ranges(&reader)))
        }
        self.init(number: number, group: group, source: source, end: end, job: job, window: window, parts: parts)
    }
}

extension MoveProgress {
    fileprivate func write(_ writer: inout WireWriter) {
        writer.int64(sent)
        writer.int64(unwatched)
        MoveFact.write(landed, &writer)
        writer.count(done.count, compact: true)
        for (partition, windows) in done.sorted(by: { $0.key < $1.key }) {
            partition.write(&writer)
            Queues.write(ranges: windows, &writer)
        }
    }

    fileprivate init(reading reader: inout WireReader) throws(WireError) {
        self.init()
        sent = try reader.int64()
        unwatched = try reader.int64()
        landed = try MoveFact.landings(&reader)
        for _ in 0..<(try reader.count(compact: true, minimumBytes: 21)) {
            let partition = try PartitionID(reading: &reader)
            done[partition] = try ranges(&reader)
        }
    }
}

extension PartitionID {
    fileprivate func write(_ writer: inout WireWriter) {
        writer.uuid(topic.uuid)
        writer.int32(index)
    }

    fileprivate init(reading reader: inout WireReader) throws(WireError) {
        self.init(topic: TopicID(try reader.uuid()), index: try reader.int32())
    }
}

/// Ranges as the distance of each start from the end before it, and its length.
private func write(ranges: [Range<Offset>], _ writer: inout WireWriter) {
    writer.count(ranges.count, compact: true)
    var last = Offset.zero
    for range in ranges {
        writer.varlong(range.lowerBound - last)
        writer.varlong(range.upperBound - range.lowerBound)
        last = range.upperBound
    }
}

private func ranges(_ reader: inout WireReader) throws(WireError) -> [Range<Offset>] {
    var result: [Range<Offset>] = []
    var last = Offset.zero
    for _ in 0..<(try reader.count(compact: true, minimumBytes: 2)) {
        let start = Offset(last.value &+ (try reader.varlong()))
        let length = try reader.varlong()
        guard length >= 0, start.value >= 0, start.value <= Int64.max - length else { throw .negativeLength(Int(clamping: length)) }
        result.append(start..<(start + length))
        last = start + length
    }
    return result
}
