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

    /// The host's name up to its first dot; nil when it has none.
    static var hostName: String? {
        var buffer = [CChar](repeating: 0, count: 256)
        let result = gethostname(&buffer, buffer.count - 1)
        let bytes = buffer.map { UInt8(bitPattern: $0) }.prefix { $0 != 0 && $0 != UInt8(ascii: ".") }
        let name = String(decoding: bytes, as: UTF8.self)
        return result == 0 && !name.isEmpty ? name : nil
    }

    /// Who runs this process, for a broker's audit log: `USER@HOST/PID`, a user without a name by its number.
    static let who: String = {
        let id = geteuid()
        let user = getpwuid(id).map { String(cString: $0.pointee.pw_name) } ?? String(id)
        return "\(user)@\(hostName ?? "localhost")/\(getpid())"
    }()

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
