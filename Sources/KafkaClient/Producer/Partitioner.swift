import Model
import NIOCore

/// Chooses partitions the way Kafka's Java client does: by key where there is one, so that other clients agree.
public enum Partitioner {
    /// The partition of `key` among `count`.
    public static func partition(key: ByteBuffer, count: Int) -> Int32 {
        key.withUnsafeReadableBytes { KeyHash.partition($0, count: count) }
    }
}
