import Console
import Control
import FoundationEssentials
import ServiceLifecycle

/// The console of the broker in this process. Ends, and with it everything, when the operator stops the broker; an operator who only
/// leaves, and a terminal that goes away, leave the broker running.
struct ConsoleService: Service {
    let running: RunningBroker
    let configuration: BrokerConfiguration

    func run() async throws {
        var options = ConsoleOptions(mode: .embedded, clock: SystemClock(), environment: ProcessInfo.processInfo.environment)
        options.theme = configuration.theme
        options.isASCII = configuration.ascii
        options.isReadOnly = configuration.readOnly
        options.errorFile = BrokerLog.file(configuration)
        guard let end = await console(options), end != .stopBroker, end != .terminalLost || !configuration.endsWithTerminal else { return }
        if case .failed(let reason) = end { StandardError.write("the console could not start: \(reason)\n") }
        if end != .terminalLost { StandardError.write("the broker goes on here; ^C stops it. \(running.readyLine)\n") }
        await untilShutdown()
    }

    /// nil when the shutdown came first.
    private func console(_ options: ConsoleOptions) async -> ConsoleEnd? {
        await withTaskGroup(of: ConsoleEnd?.self) { group in
            let view = running.view
            group.addTask { await ConsoleApp.run(control: view, options: options) }
            group.addTask {
                await untilShutdown()
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}
