import Glibc
import Model

/// The machine's clocks. Only the executable makes one; everything else is given a ``Clock``.
struct SystemClock: Clock {
    var now: Timestamp {
        let time = Self.read(CLOCK_REALTIME)
        return Timestamp(ms: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    var monotonic: Monotonic {
        let time = Self.read(CLOCK_MONOTONIC)
        return Monotonic(ns: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        let result = clock_gettime(clock, &time)
        precondition(result == 0, "clock_gettime knows every clock used here")
        return time
    }
}
