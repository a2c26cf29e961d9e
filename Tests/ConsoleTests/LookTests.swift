import Foundation
import Glibc
import Model
import Synchronization
import Testing

@testable import Console

/// Not a test of anything: with `WEIR_LOOK=1` and a terminal it shows the console on the fake broker, to look at it by eye.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["WEIR_LOOK"] == "1")) struct LookTests {
    struct RealClock: Clock {
        var now: Timestamp { Timestamp(ms: Int64(Date().timeIntervalSince1970 * 1000)) }
        var monotonic: Monotonic { Monotonic(ns: DispatchTime.now().uptimeNanoseconds) }
    }

    @Test func look() async {
        let environment = ProcessInfo.processInfo.environment
        let control = FakeControl(topics: Int(environment["WEIR_LOOK_TOPICS"] ?? "") ?? 0)
        let terminal = open("/dev/tty", O_RDWR)
        var options = ConsoleOptions(
            mode: environment["WEIR_LOOK_MODE"] == "attached" ? .attached("127.0.0.1:15672") : .embedded, clock: RealClock(),
            environment: environment)
        options.inputDescriptor = terminal
        options.outputDescriptor = terminal
        options.theme = environment["WEIR_LOOK_THEME"] ?? "default"
        options.themeFolders = [GoldenTests.folder.appending(path: "../../../themes").path]
        options.exportFolder = "/tmp"
        let ticker = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(500))
                control.state.withLock { $0.nowMs += 500 }
                if environment["WEIR_LOOK_FLAP"] == "1" { control.state.withLock { $0.isReachable = $0.nowMs / 20_000 % 2 == 0 } }
            }
        }
        let end = await ConsoleApp.run(control: control, options: options)
        ticker.cancel()
        print("ended: \(end)")
    }
}
