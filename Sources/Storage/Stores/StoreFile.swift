import Logging
import Model
import NIOCore

/// The file behind a ``FileStore``: every change is appended and synced before it counts; the file is written anew when it has grown.
/// ```
/// record: body length 4 │ CRC-32C of the body 4 │ body
/// body:   kind 1 │ revision 8 │ expires at ms 8 (−1 never) │ time to live ms 8 (−1 none) │ key length 2 │ key │ value
/// ```
/// Kinds: 1 put, 2 delete, 3 the revision so far, 4 blob (value: its number, 8 bytes), 5 blob deleted. A blob's bytes are in
/// `blobs/NUMBER` after their CRC-32C. A torn record at the end is cut; a damaged one before others is an error. Used by the store's
/// thread only.
struct StoreFile {
    private static let compactBytes: Int64 = 4 << 20
    private static let maxBytes = Int(Int32.max)

    let root: String
    private let fileSystem: any FileSystem
    private var file: any File
    private var bytes: Int64 = 0
    private var liveBytes: Int64 = 0
    private(set) var blobs: [String: UInt64] = [:]
    private var lastBlob: UInt64 = 0
    /// Set by a failed sync: nothing more is promised.
    private var failure: FileError?

    private enum Kind: UInt8 { case put = 1, delete, revision, blob, blobDeleted }

    private struct Record {
        var kind: Kind
        var revision = Revision.zero
        var expiresAt: Timestamp?
        var timeToLiveMs: Int64?
        var key = ""
        var value = ByteBuffer()
    }

    // MARK: Open

    /// Reads the file, and writes it anew: afterwards all it holds is known to be on the disk.
    init(fileSystem: any FileSystem, root: String, logger: Logger, into state: inout StoreState) throws(FileError) {
        self.fileSystem = fileSystem
        self.root = root
        try fileSystem.makeDirectory(root + "/blobs")
        try fileSystem.syncDirectory(FilePath.parent(root))
        try fileSystem.syncDirectory(root)
        let path = root + "/store.log"
        file = try fileSystem.open(path, create: true)
        var items: [String: StoreState.Item] = [:]
        var revision = Revision.zero
        var rest = try file.readAll(limit: Self.maxBytes)
        while rest.readableBytes > 0 {
            let before = rest
            guard let record = Self.read(&rest) else {
                if Self.isFollowedByRecord(before) {
                    throw FileError(.failed, "read", path, reason: "damaged at byte \(before.readerIndex); restore the file")
                }
                logger.notice("torn store record cut", metadata: ["path": "\(path)", "bytes": "\(before.readableBytes)"])
                break
            }
            revision = max(revision, record.revision)
            replay(record, &items)
        }
        state.restore(items: items, revision: revision)
        try compact(state)
        for name in try fileSystem.list(root + "/blobs") where !blobs.values.contains(where: { "\($0)" == name }) {
            try fileSystem.remove(root + "/blobs/" + name)
        }
    }

    private mutating func replay(_ record: Record, _ items: inout [String: StoreState.Item]) {
        switch record.kind {
        case .put:
            items[record.key] = StoreState.Item(
                value: record.value, revision: record.revision, timeToLiveMs: record.timeToLiveMs, expiresAt: record.expiresAt)
        case .delete: items[record.key] = nil
        case .revision: break
        case .blob:
            let number = record.value.getInteger(at: record.value.readerIndex, as: UInt64.self) ?? 0
            blobs[record.key] = number
            lastBlob = max(lastBlob, number)
        case .blobDeleted: blobs[record.key] = nil
        }
    }

    /// A change is written only after the one before was synced: a whole record behind a bad one means damage, not a torn end.
    private static func isFollowedByRecord(_ bytes: ByteBuffer) -> Bool {
        guard let length: UInt32 = bytes.getInteger(at: bytes.readerIndex), bytes.readableBytes > 8 + Int(length) else { return false }
        var rest = bytes
        rest.moveReaderIndex(forwardBy: 8 + Int(length))
        return read(&rest) != nil
    }

    // MARK: Changes

    mutating func append(_ change: StoreState.Change) throws(FileError) {
        var buffer = ByteBuffer()
        Self.write(Self.record(change), to: &buffer)
        try append(buffer)
    }

    /// Whether most of the file is records that later ones replaced.
    var wantsCompaction: Bool { bytes > Self.compactBytes && bytes > 4 * liveBytes }

    private mutating func append(_ buffer: ByteBuffer) throws(FileError) {
        if let failure { throw failure }
        do throws(FileError) {
            try file.writeAll(buffer, at: bytes)
            try file.sync()
        } catch {
            // A record that was refused must not be found later.
            do throws(FileError) { try file.truncate(to: bytes) } catch { failure = error }
            if error.operation == "sync" { failure = error }
            throw error
        }
        bytes += Int64(buffer.readableBytes)
    }

    /// Writes the file anew with what is live.
    mutating func compact(_ state: StoreState) throws(FileError) {
        var buffer = ByteBuffer()
        Self.write(Record(kind: .revision, revision: state.revision), to: &buffer)
        for (key, item) in state.items { Self.write(Self.record(.put(key: key, item)), to: &buffer) }
        for (key, number) in blobs { Self.write(Self.blobRecord(key, number), to: &buffer) }
        let path = root + "/store.log"
        do throws(FileError) {
            try fileSystem.replace(path, with: buffer)
            file = try fileSystem.open(path, create: false)
        } catch {
            // Without space the old file stands; after anything else it is not known which one does.
            if error.kind != .full { failure = error }
            throw error
        }
        bytes = Int64(buffer.readableBytes)
        liveBytes = bytes
    }

    // MARK: Blobs

    /// The old or the new value is found after a crash: the record in the log decides which.
    mutating func putBlob(_ key: String, _ value: ByteBuffer) throws(FileError) {
        let number = lastBlob + 1
        let blob = try fileSystem.open(blobPath(number), create: true)
        try blob.truncate(to: 0)
        try blob.writeAll(ByteBuffer(integer: CRC32C.checksum(value)), at: 0)
        try blob.writeAll(value, at: 4)
        try blob.sync()
        try fileSystem.syncDirectory(root + "/blobs")
        var buffer = ByteBuffer()
        Self.write(Self.blobRecord(key, number), to: &buffer)
        try append(buffer)
        lastBlob = number
        let old = blobs.updateValue(number, forKey: key)
        if let old { try fileSystem.remove(blobPath(old)) }
    }

    mutating func deleteBlob(_ key: String) throws(FileError) {
        guard let number = blobs[key] else { return }
        var buffer = ByteBuffer()
        Self.write(Record(kind: .blobDeleted, key: key), to: &buffer)
        try append(buffer)
        blobs[key] = nil
        try fileSystem.remove(blobPath(number))
    }

    func blob(_ key: String) throws(FileError) -> ByteBuffer? {
        guard let number = blobs[key] else { return nil }
        let path = blobPath(number)
        var value = try fileSystem.open(path, create: false).readAll(limit: StoreState.blobBytes + 4)
        guard let crc: UInt32 = value.readInteger(), crc == CRC32C.checksum(value) else {
            throw FileError(.failed, "read", path, reason: "blob \(key) is damaged")
        }
        return value
    }

    private func blobPath(_ number: UInt64) -> String { "\(root)/blobs/\(number)" }

    // MARK: Records

    private static func record(_ change: StoreState.Change) -> Record {
        switch change {
        case .put(let key, let item):
            Record(
                kind: .put, revision: item.revision, expiresAt: item.expiresAt, timeToLiveMs: item.timeToLiveMs, key: key, value: item.value
            )
        case .delete(let key, let revision): Record(kind: .delete, revision: revision, key: key)
        }
    }

    private static func blobRecord(_ key: String, _ number: UInt64) -> Record {
        Record(kind: .blob, key: key, value: ByteBuffer(integer: number))
    }

    private static func write(_ record: Record, to buffer: inout ByteBuffer) {
        var body = ByteBufferAllocator().buffer(capacity: 32 + record.key.utf8.count + record.value.readableBytes)
        body.writeMultipleIntegers(
            record.kind.rawValue, record.revision.value, record.expiresAt?.ms ?? -1, record.timeToLiveMs ?? -1,
            UInt16(record.key.utf8.count))
        body.writeString(record.key)
        body.writeImmutableBuffer(record.value)
        buffer.writeMultipleIntegers(UInt32(body.readableBytes), CRC32C.checksum(body))
        buffer.writeImmutableBuffer(body)
    }

    private static func read(_ rest: inout ByteBuffer) -> Record? {
        guard let head = rest.readMultipleIntegers(as: (UInt32, UInt32).self), var body = rest.readSlice(length: Int(head.0)),
            CRC32C.checksum(body) == head.1,
            let fields = body.readMultipleIntegers(as: (UInt8, UInt64, Int64, Int64, UInt16).self), let kind = Kind(rawValue: fields.0),
            let key = body.readString(length: Int(fields.4))
        else { return nil }
        return Record(
            kind: kind, revision: Revision(fields.1), expiresAt: fields.2 < 0 ? nil : Timestamp(ms: fields.2),
            timeToLiveMs: fields.3 < 0 ? nil : fields.3, key: key, value: body)
    }
}
