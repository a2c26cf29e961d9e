import Model
import NIOCore
import Wire

/// Facts as bytes. One record of the fact stream holds the facts of one step of one cursor.
///
/// ```
/// 1 version │ count │ per fact: 1 kind, then its fields
/// offsets and times are zigzag varints; a range is its first offset and its length
/// ```
extension QueueFact {
    private static let version: Int8 = 1

    private enum Kind: Int8 {
        case start = 1, settled, ready, waiting, dying, purged, undone, forgotten, replayed, gate, cut, deleted, saved, totals
        case totalsWithFailures
    }

    public static func write(_ facts: [QueueFact], to writer: inout WireWriter) {
        writer.int8(version)
        writer.count(facts.count, compact: true)
        for fact in facts { fact.write(&writer) }
    }

    /// - Throws: a ``WireError`` when the bytes are damaged; `unsupportedVersion` when a later release wrote them.
    public static func read(_ reader: inout WireReader) throws(WireError) -> [QueueFact] {
        let found = try reader.int8()
        guard found == version else { throw .unsupportedVersion(api: -1, version: Int16(found)) }
        let count = try reader.count(compact: true)
        var facts: [QueueFact] = []
        facts.reserveCapacity(WireReader.reservation(count))
        for _ in 0..<count { facts.append(try one(&reader)) }
        return facts
    }

    private func write(_ writer: inout WireWriter) {
        switch self {
        case .start(let offset):
            writer.kind(Kind.start.rawValue, offset)
        case .settled(let range, let how):
            writer.kind(Kind.settled.rawValue, range)
            writer.int8(Int8(how.rawValue))
        case .ready(let range, let attempts):
            writer.kind(Kind.ready.rawValue, range)
            writer.varlong(Int64(attempts))
        case .waiting(let range, let attempts, let due):
            writer.kind(Kind.waiting.rawValue, range)
            writer.varlong(Int64(attempts))
            writer.varlong(due.ms)
        case .dying(let range, let attempts, let reason):
            writer.kind(Kind.dying.rawValue, range)
            writer.varlong(Int64(attempts))
            writer.string(reason.rawValue, compact: true)
        case .purged(let mark, let end, let kept):
            writer.kind(Kind.purged.rawValue, end)
            writer.mark(mark)
            writer.count(kept.count, compact: true)
            for range in kept { writer.range(range) }
        case .undone(let purge):
            writer.kind(Kind.undone.rawValue, Offset(purge))
        case .forgotten(let purge):
            writer.kind(Kind.forgotten.rawValue, Offset(purge))
        case .replayed(let range):
            writer.kind(Kind.replayed.rawValue, range)
        case .gate(let gate, let held):
            writer.int8(Kind.gate.rawValue)
            writer.int8(Int8(gate.rawValue))
            writer.bool(held)
        case .cut(let end):
            writer.kind(Kind.cut.rawValue, end)
        case .deleted:
            writer.int8(Kind.deleted.rawValue)
        case .saved(let mark, let ready, let waiting):
            writer.int8(Kind.saved.rawValue)
            writer.mark(mark)
            writer.runs(ready)
            writer.runs(waiting)
        case .totals(let totals, let nextPurge):
            writer.kind((totals.hasFailures ? Kind.totalsWithFailures : .totals).rawValue, Offset(nextPurge))
            for count in [totals.dead, totals.dropped, totals.expired] { writer.varlong(count) }
        }
    }

    private static func one(_ reader: inout WireReader) throws(WireError) -> QueueFact {
        let number = try reader.int8()
        guard let kind = Kind(rawValue: number) else { throw .unsupportedVersion(api: Int16(number), version: Int16(version)) }
        switch kind {
        case .start: return .start(Offset(try reader.varlong()))
        case .settled:
            let range = try reader.range()
            guard let how = Settlement(rawValue: UInt8(truncatingIfNeeded: try reader.int8())) else { throw .badFact }
            return .settled(range, how)
        case .ready: return .ready(try reader.range(), attempts: try reader.attempts())
        case .waiting:
            return .waiting(try reader.range(), attempts: try reader.attempts(), due: Timestamp(ms: try reader.varlong()))
        case .dying:
            let range = try reader.range()
            let attempts = try reader.attempts()
            guard let reason = DeadReason(rawValue: try reader.string(compact: true)) else { throw .badFact }
            return .dying(range, attempts: attempts, reason)
        case .purged:
            let end = Offset(try reader.varlong())
            let mark = try reader.mark()
            let count = try reader.count(compact: true, minimumBytes: 2)
            var kept: [Range<Offset>] = []
            kept.reserveCapacity(WireReader.reservation(count))
            for _ in 0..<count { kept.append(try reader.range()) }
            return .purged(mark, end: end, kept: kept)
        case .undone: return .undone(purge: try reader.varlong())
        case .forgotten: return .forgotten(purge: try reader.varlong())
        case .replayed: return .replayed(try reader.range())
        case .gate:
            guard let gate = CursorGate(rawValue: UInt8(truncatingIfNeeded: try reader.int8())) else { throw .badFact }
            return .gate(gate, held: try reader.bool())
        case .cut: return .cut(end: Offset(try reader.varlong()))
        case .deleted: return .deleted
        case .saved: return .saved(try reader.mark(), ready: try reader.runs(), waiting: try reader.runs())
        case .totals, .totalsWithFailures:
            let nextPurge = try reader.varlong()
            var totals = CursorTotals()
            totals.dead = try reader.varlong()
            totals.dropped = try reader.varlong()
            totals.expired = try reader.varlong()
            totals.hasFailures = kind == .totalsWithFailures
            return .totals(totals, nextPurge: nextPurge)
        }
    }
}

extension WireError {
    /// A kind, reason or range that no release writes.
    fileprivate static var badFact: WireError { .unsupportedVersion(api: -2, version: -1) }
}

extension WireWriter {
    fileprivate mutating func kind(_ kind: Int8, _ offset: Offset) {
        int8(kind)
        varlong(offset.value)
    }

    fileprivate mutating func kind(_ kind: Int8, _ range: Range<Offset>) {
        int8(kind)
        self.range(range)
    }

    fileprivate mutating func range(_ range: Range<Offset>) {
        varlong(range.lowerBound.value)
        varlong(range.upperBound - range.lowerBound)
    }

    fileprivate mutating func mark(_ mark: PurgeMark) {
        for number in [mark.id, mark.count, mark.at.ms, mark.until.ms] { varlong(number) }
    }

    fileprivate mutating func runs(_ runs: [SavedRun]) {
        count(runs.count, compact: true)
        for run in runs {
            range(run.range)
            varlong(Int64(run.attempts))
            varlong(run.due?.ms ?? -1)
        }
    }
}

extension WireReader {
    fileprivate mutating func range() throws(WireError) -> Range<Offset> {
        let first = try varlong()
        let length = try varlong()
        let (end, overflow) = first.addingReportingOverflow(length)
        guard first >= 0, length >= 0, !overflow else { throw .badFact }
        return Offset(first)..<Offset(end)
    }

    fileprivate mutating func attempts() throws(WireError) -> Int {
        let attempts = try varlong()
        guard attempts >= 0, attempts <= Int64(Int32.max) else { throw .badFact }
        return Int(attempts)
    }

    fileprivate mutating func mark() throws(WireError) -> PurgeMark {
        PurgeMark(
            id: try varlong(), count: try varlong(), at: Timestamp(ms: try varlong()), until: Timestamp(ms: try varlong()))
    }

    fileprivate mutating func runs() throws(WireError) -> [SavedRun] {
        let count = try count(compact: true, minimumBytes: 4)
        var runs: [SavedRun] = []
        runs.reserveCapacity(WireReader.reservation(count))
        for _ in 0..<count {
            let range = try range()
            let attempts = try attempts()
            let due = try varlong()
            runs.append(SavedRun(range: range, attempts: attempts, due: due >= 0 ? Timestamp(ms: due) : nil))
        }
        return runs
    }
}
