import Model
import NIOCore
import Testing

@testable import Storage

/// What every store must do.
@Suite struct StoreConformanceTests {
    enum Kind: String, CaseIterable, Sendable {
        case memory, posixFiles, simulatedFiles

        func run(_ body: (any Store, TestClock) async throws -> Void) async throws {
            let clock = TestClock(1_000_000)
            let directory = try TemporaryDirectory()
            let store: any Store
            switch self {
            case .memory: store = MemoryStore(clock: clock)
            case .posixFiles: store = try FileStore(root: directory.path + "/store", clock: clock, logger: quiet)
            case .simulatedFiles: store = try FileStore(fileSystem: FaultyFileSystem(), root: "/store", clock: clock, logger: quiet)
            }
            try await body(store, clock)
            await store.close()
            withExtendedLifetime(directory) {}
        }
    }

    private func text(_ string: String) -> ByteBuffer { ByteBuffer(string: string) }

    @Test(arguments: Kind.allCases) func changesAreConditional(_ kind: Kind) async throws {
        try await kind.run { store, _ async throws in
            let one = try await store.create("topics/a", text("1"), timeToLiveMs: nil)
            #expect(one == Revision(1))
            #expect(try await store.get("topics/a") == StoreEntry(key: "topics/a", value: text("1"), revision: one))
            await #expect(throws: StoreError.conflict(current: one)) { try await store.create("topics/a", text("2"), timeToLiveMs: nil) }
            let two = try await store.cas("topics/a", text("2"), at: one, timeToLiveMs: nil)
            #expect(two == Revision(2))
            await #expect(throws: StoreError.conflict(current: two)) {
                try await store.cas("topics/a", text("3"), at: one, timeToLiveMs: nil)
            }
            await #expect(throws: StoreError.conflict(current: nil)) {
                try await store.cas("topics/b", text("3"), at: one, timeToLiveMs: nil)
            }
            await #expect(throws: StoreError.conflict(current: two)) { try await store.delete("topics/a", at: one) }
            #expect(try await store.put("topics/b", text("4")) == Revision(3))
            try await store.delete("topics/a", at: two)
            #expect(try await store.get("topics/a") == nil)
            try await store.delete("topics/a", at: nil)
            #expect(try await store.list("topics/").map(\.key) == ["topics/b"])
            #expect(try await store.put("topics/c", text("5")) == Revision(5))
        }
    }

    @Test(arguments: Kind.allCases) func badKeysAndLargeValuesAreRefused(_ kind: Kind) async throws {
        try await kind.run { store, _ async throws in
            for key in ["", "a b", "ä", "a\u{0}", String(repeating: "k", count: 513)] {
                await #expect(throws: StoreError.badKey(key)) { try await store.put(key, ByteBuffer()) }
                await #expect(throws: StoreError.badKey(key)) { try await store.putBlob(key, ByteBuffer()) }
            }
            let key = String(repeating: "k", count: 512)
            let large = ByteBuffer(repeating: 1, count: 1 << 20)
            #expect(try await store.put(key, large) == Revision(1))
            #expect(try await store.get(key)?.value == large)
            await #expect(throws: StoreError.tooLarge(bytes: (1 << 20) + 1, limit: 1 << 20)) {
                try await store.put(key, ByteBuffer(repeating: 1, count: (1 << 20) + 1))
            }
        }
    }

    @Test(arguments: Kind.allCases) func entriesWithATimeToLiveEnd(_ kind: Kind) async throws {
        try await kind.run { store, clock async throws in
            let one = try await store.create("lease/a", text("me"), timeToLiveMs: 1_000)
            clock.advance(ms: 900)
            let two = try await store.cas("lease/a", text("me"), at: one, timeToLiveMs: 1_000)
            clock.advance(ms: 900)
            #expect(try await store.get("lease/a")?.revision == two)
            clock.advance(ms: 100)
            #expect(try await store.get("lease/a") == nil)
            #expect(try await store.list("lease/").isEmpty)
            await #expect(throws: StoreError.conflict(current: nil)) {
                try await store.cas("lease/a", text("me"), at: two, timeToLiveMs: 1_000)
            }
            // The end is a change with a revision of its own.
            #expect(try await store.create("lease/a", text("you"), timeToLiveMs: nil) == Revision(4))
        }
    }

    @Test(arguments: Kind.allCases) func watchersSeeChangesInOrder(_ kind: Kind) async throws {
        try await kind.run { store, clock async throws in
            _ = try await store.put("a/1", text("x"))
            _ = try await store.put("b/1", text("y"))
            var events = store.watch("a/", after: .zero).makeAsyncIterator()
            #expect(await events.next() == .put(StoreEntry(key: "a/1", value: text("x"), revision: Revision(1))))
            _ = try await store.create("a/2", text("z"), timeToLiveMs: 50)
            #expect(await events.next() == .put(StoreEntry(key: "a/2", value: text("z"), revision: Revision(3))))
            try await store.delete("a/1", at: nil)
            #expect(await events.next() == .deleted(key: "a/1", revision: Revision(4)))
            // Nobody asks for a/2 again; its end is told all the same.
            clock.advance(ms: 50)
            #expect(await events.next() == .deleted(key: "a/2", revision: Revision(5)))
            var late = store.watch("", after: Revision(3)).makeAsyncIterator()
            #expect(await late.next() == .deleted(key: "a/1", revision: Revision(4)))
            await store.close()
            #expect(await events.next() == nil)
        }
    }

    @Test(arguments: Kind.allCases) func blobsAreReplacedAsAWhole(_ kind: Kind) async throws {
        try await kind.run { store, _ async throws in
            #expect(try await store.getBlob("snap/x") == nil)
            try await store.putBlob("snap/x", ByteBuffer(repeating: 7, count: 3_000_000))
            #expect(try await store.getBlob("snap/x") == ByteBuffer(repeating: 7, count: 3_000_000))
            try await store.putBlob("snap/x", text("new"))
            #expect(try await store.getBlob("snap/x") == text("new"))
            #expect(try await store.list("").isEmpty)
            try await store.deleteBlob("snap/x")
            #expect(try await store.getBlob("snap/x") == nil)
        }
    }

    /// Two hundred writers of one counter: each succeeds exactly once.
    @Test(arguments: Kind.allCases) func concurrentChangesAreOrdered(_ kind: Kind) async throws {
        try await kind.run { store, _ async throws in
            _ = try await store.put("n", text("0"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        while true {
                            guard let entry = try await store.get("n"), let value = Int(String(buffer: entry.value)) else { return }
                            do throws(StoreError) {
                                _ = try await store.cas("n", ByteBuffer(string: "\(value + 1)"), at: entry.revision, timeToLiveMs: nil)
                                return
                            } catch {
                                guard case .conflict = error else { throw error }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.get("n")?.value == text("50"))
        }
    }
}
