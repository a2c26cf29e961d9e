import Model

/// How much may come out of so many packed bytes. A few packed bytes may stand for gigabytes, so both the whole and, past a floor, the
/// ratio are bounded: with the defaults 1 KB gives at most 16 MiB, and 1 MB at most 64 MiB.
public struct UnpackLimit: Sendable {
    /// Never more than this.
    public var maxBytes: Int
    /// What any batch may unpack to, however small it is packed.
    public var floorBytes: Int
    /// Past the floor: unpacked bytes for each packed one.
    public var ratio: Int

    public init(maxBytes: Int, limits: Limits = Limits()) {
        self.maxBytes = max(0, maxBytes)
        floorBytes = limits.unpackedFloorBytes
        ratio = limits.unpackedRatio
    }

    /// Bytes that may come out of `packed` bytes.
    func bytes(packed: Int) -> Int {
        let (scaled, overflow) = packed.multipliedReportingOverflow(by: ratio)
        return min(maxBytes, max(floorBytes, overflow ? Int.max : scaled))
    }
}
