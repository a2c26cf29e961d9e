import AdminClient
import ArgumentParser
import Console
import FoundationEssentials
import Model
import NIOPosix

/// `weir console --attach HOST:PORT`
struct ConsoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console", abstract: "Show the console of a broker in another process.",
        discussion: "It waits while the broker is away and goes on when it is back.")

    @Option(
        help: ArgumentHelp("The broker's admin door. (default: 127.0.0.1:15672)", valueName: "host:port"), transform: { try HostPort($0) })
    var attach: HostPort?

    @Option(help: "A theme: default, dark, light, mono, or one of your own.") var theme = "default"
    @Flag(help: "Hide every key that changes something.") var readOnly = false
    @Flag(help: "Draw with 7-bit characters only.") var ascii = false

    func run() async throws {
        let address = attach ?? AdminDoor.defaultAddress
        let remote = RemoteControl(address: address, group: MultiThreadedEventLoopGroup.singleton, who: ProcessSetup.who)
        var options = ConsoleOptions(
            mode: .attached(address.description), clock: SystemClock(), environment: ProcessInfo.processInfo.environment)
        options.theme = theme
        options.isReadOnly = readOnly
        options.isASCII = ascii
        let end = await ConsoleApp.run(control: remote, options: options)
        await remote.close()
        if case .failed(let reason) = end { throw CommandFailure("the console could not start: \(reason)") }
    }
}
