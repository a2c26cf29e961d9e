import Model
import NIOCore

/// Bytes that clients made.
enum Sample {
    static func hex(_ text: String) -> ByteBuffer {
        let digits = Array(text.utf8)
        let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
        return ByteBuffer(bytes: bytes)
    }

    private static let times = "000000020000018bcfe568000000018bcfe568"

    /// kafka-python 3.0: keys k0, none, k2; one header; timestamps 0, 7 and −1 ms from 1.7 × 10¹² ms.
    static let python: [(codec: RecordBatchHeader.Compression, batch: ByteBuffer)] = [
        (
            .gzip,
            hex(
                "00000000000000000000006f0000000002bfb1aa8b0001" + times + "07ffffffffffffffffffffffffffff000000031f8b0800fe3e036b02ff"
                    + "f362606060c93630ca2f4a492d52c0240d989832982aec18f8981871aa31647062606461c936c2a9c2880100fea060b068000000")
        ),
        (
            .snappy,
            hex(
                "000000000000000000000077000000000229d3345b0002" + times + "07ffffffffffffffffffffffffffff0000000382534e4150505900"
                    + "00000001000000010000003268344a000000046b30326f7264657220460600283002026802783e000e020162240020310042000104046b3262"
                    + "2200043200")
        ),
        (
            .lz4,
            hex(
                "00000000000000000000007b00000000020c6c6ea70003" + times + "07ffffffffffffffffffffffffffff0000000304224d1868406800"
                    + "0000000000006433000000ee4a000000046b30326f72646572200600bf3002026802783e000e02012400069f310042000104046b32220003"
                    + "50657220320000000000")
        ),
        (
            .zstd,
            hex(
                "00000000000000000000006a0000000002ed9def960004" + times + "07ffffffffffffffffffffffffffff0000000328b52ffd20688501"
                    + "0044024a000000046b30326f72646572203002026802783e000e0201310042000104046b3232000300452de7a8c58b5794")
        ),
    ]

    /// librdkafka 2.16, as a broker kept them: keys k0 to k2, timestamps 5 ms apart. Its snappy is one raw block, its zstd frame has no
    /// content size.
    static let librdkafka: [(codec: RecordBatchHeader.Compression, batch: ByteBuffer)] = [
        (
            .gzip,
            hex(
                "00000000000000000000006c000000010235a4785d0001" + times + "0affffffffffffffffffffffffffff000000031f8b080000000000"
                    + "00037362606060c93630ca2f4a492d52c0240d189c18b89858b20d71aa3004aa106161c936c2a9c2880100b19f7ffa66000000")
        ),
        (
            .snappy,
            hex(
                "00000000000000000000006100000001025dfb325e0002" + times + "0affffffffffffffffffffffffffff00000003663442000000046b"
                    + "30326f726465722046060020300042000a02046b3162220020310042001404046b32622200043200")
        ),
        (
            .lz4,
            hex(
                "00000000000000000000007100000001026cdd31610003" + times + "0affffffffffffffffffffffffffff0000000304224d1860408231"
                    + "000000ee42000000046b30326f726465722006009f300042000a02046b312200069f310042001404046b3222000350657220320000000000")
        ),
        (
            .zstd,
            hex(
                "00000000000000000000006800000001024424167a0004" + times + "0affffffffffffffffffffffffffff0000000328b52ffd00587501"
                    + "00240242000000046b30326f7264657220300042000a02046b31310042001404046b32320003006039452d47bca204")
        ),
    ]

    /// What follows a batch's header.
    static func packed(_ batch: ByteBuffer) -> ByteBuffer {
        batch.getSlice(at: 61, length: batch.readableBytes - 61) ?? ByteBuffer()
    }
}
