import Model
import Testing

@testable import Broker

/// When settled data is given back and publishers are held: readings in, decisions out.
@Suite struct WatermarkTests {
    private func marks(_ disk: Watermark? = .bytes(1_000), memory: Watermark = .none, of memoryBytes: Int64? = nil) -> Watermarks {
        Watermarks(marks: .init(diskFreeLow: disk, memoryHigh: memory, memoryBytes: memoryBytes))
    }

    private func disk(_ free: Int64) -> ResourceReading {
        ResourceReading(diskFreeBytes: free, diskTotalBytes: 100_000, residentBytes: 50)
    }

    @Test func `settled data goes first, then publishers are held, and go on a tenth above the mark`() {
        var machine = marks()
        #expect(machine.take(disk(1_600), settledBytes: 5_000) == .init())
        #expect(machine.take(disk(1_400), settledBytes: 5_000) == .init(reclaimBytes: 100))
        // Settled data has one second to help.
        #expect(machine.take(disk(900), settledBytes: 5_000) == .init(reclaimBytes: 600))
        let held = machine.take(disk(880), settledBytes: 400)
        #expect(held.reclaimBytes == 620 && held.hold?.cause == .disk)
        let text = "the disk has 880B free, disk-free-low is 1kB: publishers are held until 1.1kB are free; "
        #expect(held.hold?.text.hasPrefix(text) == true)
        #expect(machine.take(disk(1_050), settledBytes: 0).hold?.cause == .disk)
        #expect(machine.take(disk(1_100), settledBytes: 0).hold == nil)
        #expect(machine.take(disk(1_050), settledBytes: 0).hold == nil)
    }

    /// What is asked for must be there to be had.
    @Test func `a mark near the whole disk can be reached again`() {
        var machine = marks(.share(0.95))
        #expect(machine.take(disk(90_000), settledBytes: 0).hold?.text.contains("until 100kB are free") == true)
        #expect(machine.take(disk(100_000), settledBytes: 0).hold == nil)
    }

    @Test func `publishers are held at once when nothing could be given back or half of the reserve is gone`() {
        var machine = marks()
        #expect(machine.take(disk(999), settledBytes: 0).hold != nil)
        machine = marks()
        #expect(machine.take(disk(499), settledBytes: 5_000).hold != nil)
    }

    /// A quota is full while the disk says that it has room.
    @Test func `a failed write holds for ten readings whatever they say`() {
        var machine = marks()
        machine.noteFull()
        for _ in 0..<10 { #expect(machine.take(disk(90_000), settledBytes: 0).hold?.text.hasPrefix("a write found no room") == true) }
        #expect(machine.take(disk(90_000), settledBytes: 0).hold == nil)
        // Also where nobody told how much room there is.
        machine.noteFull()
        #expect(machine.take(ResourceReading(), settledBytes: 0).hold?.cause == .disk)
    }

    @Test func `memory holds above its mark and resumes a tenth below`() {
        var machine = marks(memory: .share(0.5), of: 2_000)
        func memory(_ resident: Int64, disk: Int64? = 100_000) -> ResourceReading {
            ResourceReading(diskFreeBytes: disk, diskTotalBytes: disk, residentBytes: resident)
        }
        #expect(machine.take(memory(1_000), settledBytes: 500) == .init())
        let held = machine.take(memory(1_001), settledBytes: 500)
        // The log is on the disk: giving it back would help nothing.
        #expect(held.hold?.cause == .memory && held.reclaimBytes == 0 && held.trimsMemory)
        #expect(machine.take(memory(901), settledBytes: 500).hold?.cause == .memory)
        #expect(machine.take(memory(900), settledBytes: 500).hold == nil)
        // A broker in memory has its log there.
        #expect(machine.take(memory(950, disk: nil), settledBytes: 500) == .init(reclaimBytes: 150))
        #expect(machine.take(ResourceReading(), settledBytes: 500) == .init())
    }

    @Test func `the default follows the disk's size`() {
        let gib: Int64 = 1 << 30
        #expect(Watermarks.defaultDiskLow(of: 100 * gib) == 2 * gib)
        #expect(Watermarks.defaultDiskLow(of: 8 * gib) == gib / 2)
        #expect(Watermarks.defaultDiskLow(of: gib) == gib / 10)
        #expect(Watermarks.defaultDiskLow(of: 4_000 * gib) == 10 * gib)
        #expect(marks(nil).diskLowBytes(ResourceReading(diskFreeBytes: 1, diskTotalBytes: 100 * gib)) == 2 * gib)
        #expect(marks(Watermark.none).diskLowBytes(disk(1)) == nil && marks(.share(0.05)).diskLowBytes(disk(1)) == 5_000)
        #expect(marks(memory: .share(0.5)).memoryHighBytes == nil)
    }
}
