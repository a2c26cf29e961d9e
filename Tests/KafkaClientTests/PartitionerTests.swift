import Model
import NIOCore
import Testing

@testable import KafkaClient

@Suite struct PartitionerTests {
    /// The vectors of Kafka's own test of the same function.
    @Test(
        arguments: [
            ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829), ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] as [(String, Int32)])
    func `keys hash as in Kafka's Java client`(key: String, hash: Int32) {
        let computed = ByteBuffer(string: key).withUnsafeReadableBytes { KeyHash.murmur2($0) }
        #expect(Int32(bitPattern: computed) == hash)
    }

    @Test func `a partition is the positive hash modulo the count`() {
        #expect(Partitioner.partition(key: ByteBuffer(string: "abc"), count: 10) == 7)
        // −973932308 with its sign bit cleared is 1173551340.
        #expect(Partitioner.partition(key: ByteBuffer(string: "21"), count: 7) == Int32(1_173_551_340 % 7))
        #expect(Partitioner.partition(key: ByteBuffer(), count: 1) == 0)
    }
}
