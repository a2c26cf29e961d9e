/// Which partition a key belongs to, as Kafka's Java client has it, so that all clients and the broker itself agree.
public enum KeyHash {
    /// The partition of a key among `count`.
    public static func partition(_ key: UnsafeRawBufferPointer, count: Int) -> Int32 { Int32(Int(murmur2(key) & 0x7FFF_FFFF) % count) }

    public static func partition(_ key: String, count: Int) -> Int32 {
        var key = key
        return key.withUTF8 { partition(UnsafeRawBufferPointer($0), count: count) }
    }

    /// MurmurHash2 of 32 bits with the seed 0x9747b28c (A. Appleby, public domain).
    public static func murmur2(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        let factor: UInt32 = 0x5BD1_E995
        var hash = 0x9747_B28C ^ UInt32(truncatingIfNeeded: bytes.count)
        var index = 0
        while index + 4 <= bytes.count {
            var word = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self)) &* factor
            word ^= word >> 24
            hash = hash &* factor ^ (word &* factor)
            index += 4
        }
        let rest = bytes.count - index
        if rest > 0 {
            for shift in 0..<rest { hash ^= UInt32(bytes[index + shift]) << (8 * UInt32(shift)) }
            hash = hash &* factor
        }
        hash ^= hash >> 13
        hash = hash &* factor
        return hash ^ (hash >> 15)
    }
}
