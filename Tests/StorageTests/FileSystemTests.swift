import NIOCore
import Testing

@testable import Storage

/// The file system below everything, on the real one and on the simulated one.
@Suite struct FileSystemTests {
    enum Kind: String, CaseIterable, Sendable {
        case posix, simulated

        func run(_ body: (any FileSystem, String) throws -> Void) throws {
            let directory = try TemporaryDirectory()
            switch self {
            case .posix: try body(PosixFileSystem(), directory.path)
            case .simulated:
                let fileSystem = FaultyFileSystem()
                try fileSystem.makeDirectory("/top")
                try body(fileSystem, "/top")
            }
            withExtendedLifetime(directory) {}
        }
    }

    @Test(arguments: Kind.allCases) func filesAreWrittenAndReadByPosition(_ kind: Kind) throws {
        try kind.run { files, top throws in
            let file = try files.open(top + "/f", create: true)
            let parts = [ByteBuffer(string: "hello "), ByteBuffer(), ByteBuffer(string: "world")]
            let pinned = PinnedBytes(parts)
            try file.writeAll(pinned.parts, at: 3)
            #expect(try file.size() == 14)
            #expect(try file.readBytes(at: 3, count: 100) == ByteBuffer(string: "hello world"))
            #expect(try file.readBytes(at: 0, count: 4) == ByteBuffer(bytes: [0, 0, 0, 0x68]))
            #expect(try file.readBytes(at: 50, count: 4).readableBytes == 0)
            try file.truncate(to: 8)
            try file.sync()
            #expect(try files.size(top + "/f") == 8)
            #expect(try files.contents(top + "/f", limit: 8) == ByteBuffer(bytes: [0, 0, 0] + Array("hello".utf8)))
            #expect(throws: FileError.self) { try files.contents(top + "/f", limit: 7) }
        }
    }

    @Test(arguments: Kind.allCases) func namesAreMadeRenamedAndRemoved(_ kind: Kind) throws {
        try kind.run { files, top throws in
            #expect(try files.contents(top + "/none", limit: 10) == nil)
            #expect(try files.size(top + "/none") == nil)
            #expect(try files.list(top + "/none") == [])
            try files.makeDirectory(top + "/a/b")
            try files.makeDirectory(top + "/a/b")
            _ = try files.open(top + "/a/b/2", create: true)
            _ = try files.open(top + "/a/b/1", create: true)
            #expect(try files.list(top + "/a/b") == ["1", "2"])
            try files.replace(top + "/a/b/2", with: ByteBuffer(string: "new"))
            #expect(try files.list(top + "/a/b") == ["1", "2"])
            #expect(try files.contents(top + "/a/b/2", limit: 10) == ByteBuffer(string: "new"))
            try files.rename(top + "/a/b", to: top + "/a/c")
            #expect(try files.list(top + "/a/c") == ["1", "2"])
            #expect(throws: FileError.self) { try files.remove(top + "/a/c") }
            for name in ["1", "2", "2"] { try files.remove(top + "/a/c/" + name) }
            try files.remove(top + "/a/c")
            #expect(try files.list(top + "/a") == [])
            try files.syncDirectory(top)
            #expect(try files.space(top).freeBytes > 0)
        }
    }

    @Test(arguments: Kind.allCases) func aLockHasOneHolder(_ kind: Kind) throws {
        try kind.run { files, top throws in
            var first = try files.lock(top + "/lock")
            #expect(first != nil)
            #expect(try files.lock(top + "/lock") == nil)
            first = nil
            #expect(try files.lock(top + "/lock") != nil)
        }
    }

    @Test func aRegionOutlivesItsFile() throws {
        let directory = try TemporaryDirectory()
        let files = PosixFileSystem()
        var file: (any File)? = try files.open(directory.path + "/f", create: true)
        try file?.writeAll(ByteBuffer(string: "0123456789"), at: 0)
        let made = file?.region(at: 2, count: 5)
        let (region, owner) = try #require(made)
        file = nil
        try files.remove(directory.path + "/f")
        let bytes = try region.fileHandle.withUnsafeFileDescriptor {
            try PosixBytes.read($0, at: region.readerIndex, count: region.readableBytes)
        }
        #expect(bytes == ByteBuffer(string: "23456"))
        withExtendedLifetime((owner, directory)) {}
    }
}
