import Model
import NIOCore

/// A shard's redo journal: copies of small durable appends, so that one sync of one file makes a frame durable however many streams it
/// touches.
///
/// One file per generation, `journal-7`: a checkpoint that begins turns to the next generation, so that commits go on while it is written;
/// when it is written, the files before are done with. One of those is kept and renamed for the next turn, because writing over a file
/// costs less than making it longer; entries of its old generation are ignored.
/// ```
/// entry: magic 4 │ body length 4 │ generation 8 │ sequence 8 │ CRC-32C of generation, sequence and body 4 │ body
/// body:  epoch 4 │ frame 8 │ appends 4 │ { name length 2 │ name │ base 8 │ next 8 │ max timestamp 8 │ length 4 │ batches }…
/// ```
/// Used by its shard's thread only.
struct Journal {
    static let headerBytes = 28
    private static let magic: UInt32 = 0x574a_4531  // WJE1

    private let directory: String
    private let fileSystem: any FileSystem
    private var file: (any File)?
    private var hasFile = false
    private var isNameSafe = false
    private(set) var generation: UInt64
    private var sequence: UInt64 = 0
    private(set) var position: Int64 = 0
    /// Generations before this one whose files are there, ascending.
    private var older: [UInt64]
    /// A file that is done with.
    private var spare: UInt64?

    init(directory: String, fileSystem: any FileSystem, generation: UInt64, older: [UInt64] = []) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.generation = generation
        self.older = older
    }

    /// Goes on behind what an earlier run wrote.
    init(directory: String, fileSystem: any FileSystem, after part: Part, older: [UInt64]) {
        self.init(directory: directory, fileSystem: fileSystem, generation: part.generation, older: older)
        hasFile = true
        sequence = part.entries
        position = part.bytes
    }

    /// What counts of one generation's file.
    struct Part {
        var generation: UInt64
        var entries: UInt64 = 0
        var bytes: Int64 = 0
        var appends: [Append] = []
    }

    static func name(_ generation: UInt64) -> String { "journal-\(generation)" }

    /// The generation of a journal file; nil for other names.
    static func generation(_ name: String) -> UInt64? { name.hasPrefix("journal-") ? UInt64(name.dropFirst(8)) : nil }

    private func path(_ generation: UInt64) -> String { directory + "/" + Self.name(generation) }

    /// Begins the next generation.
    mutating func turn() {
        if hasFile { older.append(generation) }
        generation += 1
        file = nil
        hasFile = false
        isNameSafe = false
        sequence = 0
        position = 0
    }

    /// A checkpoint of this generation is on the disk.
    mutating func forget(below first: UInt64) throws(FileError) {
        while let oldest = older.first, oldest < first {
            if spare == nil { spare = oldest } else { try fileSystem.remove(path(oldest)) }
            older.removeFirst()
        }
    }

    /// Writes one entry. It counts only after ``sync()``; when this throws, the next entry takes its place.
    mutating func write(_ frame: FrameID, epoch: Epoch, appends: [Append]) throws(FileError) {
        let file = try opened()
        var entry = ByteBufferAllocator().buffer(
            capacity: Self.headerBytes + 16 + appends.reduce(0) { $0 + 96 + $1.bytes.readableBytes })
        entry.writeRepeatingByte(0, count: Self.headerBytes)
        entry.writeMultipleIntegers(epoch.value, frame.value, UInt32(appends.count))
        for append in appends {
            let name = StreamName.encode(append.stream)
            entry.writeInteger(UInt16(name.utf8.count))
            entry.writeString(name)
            entry.writeMultipleIntegers(append.base.value, append.next.value, append.maxTimestamp.ms, UInt32(append.bytes.readableBytes))
            entry.writeImmutableBuffer(append.bytes)
        }
        entry.setInteger(Self.magic, at: 0)
        entry.setInteger(UInt32(entry.readableBytes - Self.headerBytes), at: 4)
        entry.setInteger(generation, at: 8)
        entry.setInteger(sequence, at: 16)
        entry.setInteger(Self.checksum(entry), at: 24)
        try file.writeAll(entry, at: position)
        position += Int64(entry.readableBytes)
        sequence += 1
    }

    mutating func sync() throws(FileError) {
        let file = try opened()
        try file.sync()
        if !isNameSafe {
            try fileSystem.syncDirectory(directory)
            isNameSafe = true
        }
    }

    private mutating func opened() throws(FileError) -> any File {
        if let file { return file }
        if !hasFile, let spare {
            try fileSystem.rename(path(spare), to: path(generation))
            self.spare = nil
        }
        let opened = try fileSystem.open(path(generation), create: true)
        file = opened
        hasFile = true
        return opened
    }

    private static func checksum(_ entry: ByteBuffer) -> UInt32 {
        entry.withUnsafeReadableBytes { bytes in
            let head = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[8..<24]))
            return CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[headerBytes...]), continuing: head)
        }
    }

    // MARK: Replay

    /// What the file of a generation holds, in order, up to the first entry that is torn or of another generation. Epochs only rise: an
    /// entry of an earlier run that still stands behind a younger one does not count.
    static func read(_ bytes: ByteBuffer, generation: UInt64, shard: ShardID) -> Part {
        var rest = bytes
        var part = Part(generation: generation)
        var epoch = Int32.min
        while let entry = readEntry(&rest), entry.generation == generation, entry.sequence == part.entries,
            let body = readBody(entry.body, shard: shard), body.epoch >= epoch
        {
            part.entries += 1
            part.bytes = Int64(rest.readerIndex - bytes.readerIndex)
            part.appends.append(contentsOf: body.appends)
            epoch = body.epoch
        }
        return part
    }

    private static func readEntry(_ rest: inout ByteBuffer) -> (generation: UInt64, sequence: UInt64, body: ByteBuffer)? {
        let start = rest
        guard let head = rest.readMultipleIntegers(as: (UInt32, UInt32, UInt64, UInt64, UInt32).self), head.0 == magic,
            let body = rest.readSlice(length: Int(head.1)),
            let whole = start.getSlice(at: start.readerIndex, length: headerBytes + Int(head.1)), checksum(whole) == head.4
        else { return nil }
        return (head.2, head.3, body)
    }

    private static func readBody(_ body: ByteBuffer, shard: ShardID) -> (epoch: Int32, appends: [Append])? {
        var rest = body
        guard let head = rest.readMultipleIntegers(as: (Int32, UInt64, UInt32).self) else { return nil }
        var appends: [Append] = []
        for _ in 0..<head.2 {
            guard let length: UInt16 = rest.readInteger(), let name = rest.readString(length: Int(length)),
                let stream = StreamName.decode(name, shard: shard),
                let fields = rest.readMultipleIntegers(as: (Int64, Int64, Int64, UInt32).self),
                let bytes = rest.readSlice(length: Int(fields.3))
            else { return nil }
            appends.append(
                Append(
                    stream: stream, base: Offset(fields.0), next: Offset(fields.1), maxTimestamp: Timestamp(ms: fields.2), bytes: bytes))
        }
        return (head.0, appends)
    }
}
