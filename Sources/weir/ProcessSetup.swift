import Glibc

/// What the process settles with the system before it does anything else.
enum ProcessSetup {
    /// Makes the runtime print the backtrace of a crash instead of waiting on the terminal for an answer, which would keep a broker down
    /// and its data directory locked. The runtime reads the setting when the program starts, so the program starts once more; where
    /// somebody has set `SWIFT_BACKTRACE`, theirs holds.
    static func crashWithoutAsking() {
        guard isatty(STDIN_FILENO) == 1, getenv("SWIFT_BACKTRACE") == nil, setenv("SWIFT_BACKTRACE", "interactive=no", 1) == 0 else {
            return
        }
        // By its own path, so that it keeps its name in lists of processes. Returns only when it fails; then all goes on as it was.
        guard let path = realpath("/proc/self/exe", nil) else { return }
        defer { free(path) }
        execv(path, CommandLine.unsafeArgv)
    }

    /// Allows as many open files as the system lets this user have: a connection is one, and shells start programs with 1,024.
    /// - Returns: how many may be open; nil when the system does not say.
    @discardableResult
    static func raiseOpenFileLimit() -> UInt64? {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return nil }
        let before = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        return UInt64(setrlimit(resource, &limit) == 0 ? limit.rlim_cur : before)
    }
}
