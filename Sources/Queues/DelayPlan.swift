import Model
import NIOCore

/// How a topic delays what is published to it.
public struct DelayRule: Equatable, Sendable {
    /// Records say it themselves, by `x-delay` or `x-deliver-at`.
    public var isPerRecord: Bool
    /// For records that say nothing.
    public var fixedMs: Int64?

    public init(isPerRecord: Bool, fixedMs: Int64?) {
        self.isPerRecord = isPerRecord
        self.fixedMs = fixedMs
    }

    /// nil when the topic delays nothing.
    public init?(isEnabled: Bool, ms: Int64) {
        guard isEnabled || ms > 0 else { return nil }
        self.init(isPerRecord: isEnabled, fixedMs: ms > 0 ? ms : nil)
    }
}

/// Which records of a batch wait until when.
public struct DelayPlan: Equatable, Sendable {
    /// Why a batch is refused as a whole.
    public enum Problem: Error, Equatable, Sendable {
        case malformed
        /// A header's value is no number, or longer than the limit.
        case badDelay(String)
    }

    /// Where each record begins, and where the last one ends.
    public var starts: [Int32] = [0]
    /// When each is due; ``now`` for those that are not delayed.
    public var dues: [Int64] = []
    /// How many are delayed.
    public var delayed = 0
    /// The times that records gave by `x-deliver-at`.
    public var absolute: [Int: Int64] = [:]

    public static let now = Int64.min

    /// The bytes of one record, or of neighbours.
    public func bytes(of index: Int) -> Range<Int> { bytes(of: index..<(index + 1)) }
    public func bytes(of indices: Range<Int>) -> Range<Int> { Int(starts[indices.lowerBound])..<Int(starts[indices.upperBound]) }

    /// Looks at every record of an uncompressed batch.
    /// - Parameters:
    ///   - bytes: the records, after the batch header.
    ///   - floorMs: no earlier due time can be given any more.
    ///   - limitMs: the longest delay.
    public static func make(
        _ bytes: UnsafeRawBufferPointer, count: Int, rule: DelayRule, nowMs: Int64, floorMs: Int64, limitMs: Int64
    ) -> Result<DelayPlan, Problem> {
        guard count <= bytes.count / 7, bytes.count <= Int(Int32.max) else { return .failure(.malformed) }
        var plan = DelayPlan()
        plan.starts.reserveCapacity(count + 1)
        plan.dues.reserveCapacity(count)
        var at = 0
        for _ in 0..<count {
            guard let record = RawRecord.read(bytes, at: at) else { return .failure(.malformed) }
            at = record.end
            var due: Int64? = rule.fixedMs.map { nowMs + $0 }
            var problem: Problem?
            if rule.isPerRecord, record.headerCount > 0 {
                let isWhole = record.headers(bytes) { _, name, value in
                    let name = UnsafeRawBufferPointer(rebasing: bytes[name])
                    guard RecordPacker.isDelayHeader(name) else { return }
                    let text = value.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }
                    guard let number = text.flatMap(Self.number) else {
                        problem = .badDelay(text.map { String(decoding: $0.prefix(40), as: UTF8.self) } ?? "null")
                        return
                    }
                    let absolute = name.count == RecordPacker.deliverAtHeader.utf8.count
                    due = absolute ? number : number > 0 ? nowMs.addingReportingOverflow(number).partialValue : nil
                    if absolute {
                        plan.absolute[plan.dues.count] = number
                    } else if !plan.absolute.isEmpty {
                        plan.absolute[plan.dues.count] = nil
                    }
                    if (absolute ? number - nowMs : number) > limitMs { problem = .badDelay(String(number)) }
                }
                guard isWhole else { return .failure(.malformed) }
            }
            if let problem { return .failure(problem) }
            if let wanted = due, wanted > nowMs {
                plan.dues.append(max(wanted, floorMs))
                plan.delayed += 1
            } else {
                plan.dues.append(Self.now)
            }
            plan.starts.append(Int32(at))
        }
        return at == bytes.count ? .success(plan) : .failure(.malformed)
    }

    /// For a batch that is sent again after a crash which left its `immediate` records in the target's log: the others are delayed, those
    /// whose time has come since until `floorMs`. What was due at once then were the records without a delay and those with the earliest
    /// given times.
    public mutating func keepImmediate(_ immediate: Int, floorMs: Int64) {
        let plain = dues.indices.filter { dues[$0] == Self.now && absolute[$0] == nil }
        let byTime = absolute.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
        let gone = Set(plain + byTime.prefix(max(0, immediate - plain.count)))
        for index in dues.indices {
            if gone.contains(index) {
                dues[index] = Self.now
            } else if dues[index] == Self.now {
                dues[index] = floorMs
            }
        }
        delayed = dues.count { $0 != Self.now }
    }

    /// Whole milliseconds in ASCII digits, with a sign; nil for anything else.
    @inline(__always)
    static func number(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard !text.isEmpty, text.count <= 16 else { return nil }
        var value: Int64 = 0
        var start = 0
        let isNegative = text[0] == UInt8(ascii: "-")
        if isNegative || text[0] == UInt8(ascii: "+") { start = 1 }
        guard start < text.count else { return nil }
        for index in start..<text.count {
            guard text[index] >= UInt8(ascii: "0"), text[index] <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(text[index] - UInt8(ascii: "0"))
        }
        return isNegative ? -value : value
    }
}
