import Foundation
import KafkaWire
import NIOCore
import SchemaCompiler
import Testing
import Wire

/// Every message at every version, against bytes written from the schema text by ``SchemaSample``.
@Suite struct RoundTripTests {
    private func message(_ name: String) throws -> Message {
        try #require(try SchemaFiles.all().flatMap(\.messages).first { $0.name == name })
    }

    @Test func `every message of the schema text is tested here`() throws {
        let described = try SchemaFiles.all().flatMap(\.messages).map(\.name)
        #expect(described.count == 68)
        #expect(Set(described) == Set(MessageCase.all.map(\.name)))
    }

    @Test(arguments: MessageCase.all)
    func `bytes are read and written back the same`(subject: MessageCase) throws {
        let message = try message(subject.name)
        for version in subject.versions {
            for (seed, elements) in [(1, 2), (2, 0), (3, 1), (4, 5)] {
                var sample = SchemaSample(random: SplitMix64(state: UInt64(seed)), elements: elements)
                let bytes = sample.bytes(message, version: Int(version))
                // An empty tagged array has its default, so it is not written back.
                if elements == 0, message.fields.contains(where: { $0.tag != nil }) { continue }
                #expect(try subject.rewrite(bytes, version) == bytes, "version \(version), seed \(seed)")
            }
        }
    }

    @Test(arguments: MessageCase.all)
    func `defaults survive every version`(subject: MessageCase) throws {
        for version in subject.versions { #expect(try subject.defaultsSurvive(version), "version \(version)") }
    }

    @Test(arguments: MessageCase.all)
    func `a message cut anywhere is an error`(subject: MessageCase) throws {
        let message = try message(subject.name)
        for version in subject.versions {
            var sample = SchemaSample(random: SplitMix64(state: 7))
            let bytes = sample.bytes(message, version: Int(version))
            let accepted = (0..<bytes.readableBytes).filter { length in
                guard let cut = bytes.getSlice(at: 0, length: length) else { return true }
                return (try? subject.rewrite(cut, version)) != nil
            }
            #expect(accepted.isEmpty, "version \(version), of \(bytes.readableBytes) bytes")
        }
    }

    /// Bytes turned hostile: what comes of it is a message or an error, never a trap.
    @Test(arguments: MessageCase.all)
    func `changed bytes never trap`(subject: MessageCase) throws {
        let message = try message(subject.name)
        var random = SplitMix64(state: 99)
        for version in subject.versions {
            var sample = SchemaSample(random: SplitMix64(state: 8), elements: 1)
            let bytes = sample.bytes(message, version: Int(version))
            for index in 0..<bytes.readableBytes {
                for value in [0x7F, 0xFF, UInt8(truncatingIfNeeded: random.next())] as [UInt8] {
                    var changed = bytes
                    changed.setInteger(value, at: index)
                    _ = try? subject.rewrite(changed, version)
                }
            }
        }
    }

    @Test(arguments: MessageCase.all)
    func `a version without a layout is refused`(subject: MessageCase) throws {
        for version in [subject.versions.lowerBound - 1, subject.versions.upperBound + 1, Int16.min, Int16.max] {
            #expect(throws: WireError.unsupportedVersion(api: subject.key?.rawValue ?? -1, version: version)) {
                try subject.rewrite(ByteBuffer(), version)
            }
        }
    }
}
