import Model

/// What a broker lives on, at one instant. nil where it can't be told, or (the disk of a broker in memory) there is none.
public struct ResourceReading: Equatable, Sendable {
    public var diskFreeBytes: Int64?
    public var diskTotalBytes: Int64?
    /// Memory of the process that is in RAM.
    public var residentBytes: Int64?

    public init(diskFreeBytes: Int64? = nil, diskTotalBytes: Int64? = nil, residentBytes: Int64? = nil) {
        self.diskFreeBytes = diskFreeBytes
        self.diskTotalBytes = diskTotalBytes
        self.residentBytes = residentBytes
    }
}

/// Why the publishers of the whole broker are held.
struct Hold: Equatable, Sendable {
    enum Cause: String, Sendable { case disk, memory }
    var cause: Cause
    /// What is short, until when they are held, what to do: `the disk has 400M free, …`.
    var text: String
}

/// Decides by what is left of disk and memory whether settled data is given back and publishers are held. Pure: a reading each second in, a
/// decision out.
///
/// ```
/// disk, low mark 1000:  free 1600: nothing    1400: 100 settled bytes are given back    900: they have one second to help
///                       880: held             1050: still held                         1100: resumed
/// memory, high mark 1000:  950: what the allocator keeps is given back    1001: held    900: resumed
/// ```
/// What lies between the mark and a full disk is the reserve that acknowledgements, dead letters, due messages and operators live on.
/// Publishers are held at once when half of it is gone, when there is nothing to give back, and when a write has found the disk full.
struct Watermarks: Sendable {
    struct Marks: Equatable, Sendable {
        /// nil: by ``Watermarks/defaultDiskLow(of:)``.
        var diskFreeLow: Watermark?
        var memoryHigh = Watermark.none
        /// What this process may use: of the machine, or of its control group; nil when not known.
        var memoryBytes: Int64?
    }
    struct Decision: Equatable, Sendable {
        /// Settled bytes to give back now, as far as there are any.
        var reclaimBytes: Int64 = 0
        /// Memory that the allocator keeps for later is to be given back.
        var trimsMemory = false
        var hold: Hold?
    }

    let marks: Marks
    private(set) var hold: Hold?
    /// The last reading was below the disk's mark: what could be given back has had its second.
    private var wasLow = false
    /// Readings until a disk on which a write failed is tried again, whatever the reading says: a quota shows in none.
    private var fullReadings = 0
    private var readings = 0

    private static let fullPause = 10
    private static let trimPause = 10

    init(marks: Marks) { self.marks = marks }

    /// 2 % of the disk, at least 512 MiB and at most 10 GiB; on small disks no more than a tenth.
    static func defaultDiskLow(of total: Int64) -> Int64 { min(max(total / 50, 512 << 20), 10 << 30, total / 10) }

    func diskLowBytes(_ reading: ResourceReading) -> Int64? {
        guard let total = reading.diskTotalBytes else { return nil }
        guard let mark = marks.diskFreeLow else { return Self.defaultDiskLow(of: total) }
        // What is computed from it must not overflow.
        return mark.bytes(of: total).map { min($0, total) }
    }

    var memoryHighBytes: Int64? { marks.memoryHigh.bytes(of: marks.memoryBytes) }

    /// A write has found the disk full.
    mutating func noteFull() { fullReadings = Self.fullPause }

    /// - Parameter settledBytes: what could be given back, as far as it is known.
    mutating func take(_ reading: ResourceReading, settledBytes: Int64) -> Decision {
        readings += 1
        var decision = Decision()
        let disk = look(atDisk: reading, settledBytes: settledBytes, &decision)
        let memory = look(atMemory: reading, &decision)
        hold = disk ?? memory
        decision.hold = hold
        return decision
    }

    private mutating func look(atDisk reading: ResourceReading, settledBytes: Int64, _ decision: inout Decision) -> Hold? {
        let isFull = fullReadings > 0
        fullReadings = max(0, fullReadings - 1)
        guard let free = reading.diskFreeBytes, let low = diskLowBytes(reading), low > 0 || isFull else {
            return isFull ? Hold(cause: .disk, text: Self.fullText) : nil
        }
        if free < low + low / 2 { decision.reclaimBytes = low + low / 2 - free }
        let isLow = free < low
        let resume = min(low + low / 10, reading.diskTotalBytes ?? .max)
        let isHeld = hold?.cause == .disk ? free < resume : isLow && (wasLow || free < low / 2 || settledBytes == 0)
        wasLow = isLow
        if isHeld {
            return Hold(
                cause: .disk,
                text: "the disk has \(Self.size(free)) free, disk-free-low is \(Self.size(low)): publishers are held until "
                    + "\(Self.size(resume)) are free; purge or delete what is not needed, or make room on the disk")
        }
        return isFull ? Hold(cause: .disk, text: Self.fullText) : nil
    }

    private static let fullText = """
        a write found no room on the disk (a quota?): publishers are held and tried again; make room on the disk, or raise the quota
        """

    private mutating func look(atMemory reading: ResourceReading, _ decision: inout Decision) -> Hold? {
        guard let resident = reading.residentBytes, let high = memoryHighBytes, high > 0 else { return nil }
        let near = high - high / 10
        if resident > near {
            // A broker in memory keeps its log there.
            if reading.diskTotalBytes == nil { decision.reclaimBytes = max(decision.reclaimBytes, resident - (near - high / 10)) }
            decision.trimsMemory = resident > high && hold?.cause != .memory || readings % Self.trimPause == 0
        }
        guard hold?.cause == .memory ? resident > near : resident > high else { return nil }
        return Hold(
            cause: .memory,
            text: "the broker uses \(Self.size(resident)) of memory, memory-high is \(Self.size(high)): publishers are held until it uses "
                + "\(Self.size(near)); stop what it does most of, or give it more with --memory-high")
    }

    private static func size(_ bytes: Int64) -> String { ShortText.count(Double(bytes)) + "B" }
}
