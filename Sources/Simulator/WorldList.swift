#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Runs worlds in processes of their own, a few at a time: none finds anything that another left behind, and one that traps or hangs names
/// its seed. Their processes hash alike (`SWIFT_DETERMINISTIC_HASHING`), so that a seed gives the same world every time.
struct WorldList {
    private struct Entry {
        var seed: UInt64
        var rounds: Int
        var isTold = false
        var message: Int?
    }
    private struct Running {
        var entry: Entry
        var output: Int32
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// A world that takes longer has hung.
    static let worldSeconds: UInt32 = 120

    private var waiting: [Entry] = []
    private var running: [pid_t: Running] = [:]
    private let limit: Int
    private var failed: [UInt64] = []
    private var count = 0
    private var tally = Tally()

    init(jobs: Int) { limit = jobs > 0 ? jobs : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    mutating func add(seed: UInt64, rounds: Int) { waiting.append(Entry(seed: seed, rounds: rounds)) }
    mutating func tell(seed: UInt64, rounds: Int, message: Int?) {
        waiting.append(Entry(seed: seed, rounds: rounds, isTold: true, message: message))
    }

    /// - Returns: whether all held.
    mutating func run() throws -> Bool {
        count = waiting.count
        waiting.reverse()
        while !waiting.isEmpty || !running.isEmpty {
            while running.count < limit, let next = waiting.popLast() { try start(next) }
            var status: Int32 = 0
            let process = waitpid(-1, &status, 0)
            if process < 0, errno == EINTR { continue }
            guard let ended = running.removeValue(forKey: process) else { throw Failure(description: "lost a world: errno \(errno)") }
            judge(ended, status)
        }
        print("\(count - failed.count) of \(count) worlds held\(failed.isEmpty ? "" : "; failed: \(failed)")")
        print(tally.text)
        return failed.isEmpty
    }

    private mutating func judge(_ ended: Running, _ status: Int32) {
        let text = Self.text(from: ended.output)
        close(ended.output)
        let last = text.split(separator: "\n").last ?? ""
        if status == 0, ended.entry.isTold { return }
        if status == 0, last.hasPrefix("held: ") { return tally.add(last.dropFirst(6)) }
        let signal = status & 0x7F
        let problem =
            signal == SIGALRM ? "did not end in \(Self.worldSeconds) s" : signal != 0 ? "was ended by signal \(signal)" : String(last)
        failed.append(ended.entry.seed)
        let again = "swift run -c release simulate --seed \(ended.entry.seed) --rounds \(ended.entry.rounds)"
        print("seed \(ended.entry.seed) \(problem)\n  again: \(again)")
    }

    private mutating func start(_ entry: Entry) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure(description: "no pipe for a world: errno \(errno)") }
        // Not for the worlds that start later.
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if !entry.isTold { posix_spawn_file_actions_adddup2(&actions, ends[1], 1) }
        var words = [CommandLine.arguments[0], "--world", "--rounds", "\(entry.rounds)"]
        words += [entry.isTold ? "--seed" : "--from", "\(entry.seed)"]
        if let message = entry.message { words += ["--message", "\(message)"] }
        setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let problem = posix_spawn(&process, "/proc/self/exe", &actions, nil, arguments, environ)
        close(ends[1])
        guard problem == 0 else { throw Failure(description: "a world could not be started: errno \(problem)") }
        running[process] = Running(entry: entry, output: ends[0])
    }

    /// What a world that has ended printed; it fits into the pipe.
    private static func text(from descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }
}
