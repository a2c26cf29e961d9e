import Model
import Testing

@testable import weir

@Suite struct ConfigurationTests {
    private func configuration(_ arguments: [String], file: String = "") throws -> BrokerConfiguration {
        let serve = try #require(try Weir.parseAsRoot(arguments) as? Serve)
        let settings = serve.flags.over(try ConfigurationFile.parse(file, path: "weir.toml"))
        return try settings.configuration(environment: ["HOME": "/home/me"], hostName: "box", isTerminal: false)
    }

    @Test func nothingSaidGivesTheDefaults() throws {
        #expect(
            try configuration([])
                == BrokerConfiguration(
                    name: "box", data: .directory("/home/me/.local/share/weir"), kafka: HostPort(host: "127.0.0.1", port: 9092),
                    http: HostPort(host: "127.0.0.1", port: 15672), advertise: nil, flush: .commit, console: false, theme: "default",
                    readOnly: false))
    }

    @Test func flagsAreRead() throws {
        let arguments = [
            "serve", "--data", "memory", "--kafka", "0.0.0.0:0", "--amqp", "none", "--http", "none", "--advertise", "kafka.example:9092",
            "--flush", "os", "--name", "prod-a", "--console", "--theme", "mono", "--read-only",
        ]
        #expect(
            try configuration(arguments)
                == BrokerConfiguration(
                    name: "prod-a", data: .memory, kafka: HostPort(host: "0.0.0.0", port: 0), http: nil,
                    advertise: HostPort(host: "kafka.example", port: 9092), flush: .os, console: true, theme: "mono", readOnly: true))
    }

    @Test func flagsWinOverTheFile() throws {
        let file = """
            # settings
            name = "from-file"
            kafka = "127.0.0.1:1"
            http = "none"
            console = true
            read-only = true
            flush = "interval"
            settled-bytes = "20GiB"
            retention-check = "1m"
            disk-free-low = "5%"
            memory-high = "2GiB"
            delay-levels = ["2s", "1m"]
            delay-drain-rate = 20000
            """
        let result = try configuration(["--kafka", "127.0.0.1:2", "--no-console", "--retention-check", "2s"], file: file)
        #expect(result.settledBytes == 20 << 30 && result.retentionCheckMs == 2_000)
        #expect(result.diskFreeLow == .share(0.05) && result.memoryHigh == .bytes(2 << 30))
        #expect(try configuration(["--disk-free-low", "none"], file: file).diskFreeLow == Watermark.none)
        #expect(try configuration([]).diskFreeLow == nil && configuration([]).memoryHigh == .share(0.6))
        #expect(result.delayLevels.ms == [2_000, 60_000] && result.delayDrainRate == 20_000)
        let over = try configuration(["--delay-levels", "5s,10s,1h", "--delay-drain-rate", "7"], file: file)
        #expect(over.delayLevels.ms == [5_000, 10_000, 3_600_000] && over.delayDrainRate == 7)
        #expect(try configuration([]).delayLevels == .standard && configuration([]).delayDrainRate == 50_000)
        #expect(result.name == "from-file")
        #expect(result.kafka?.port == 2)
        #expect(result.http == nil)
        #expect(result.console == false)
        #expect(result.readOnly == true)
        #expect(result.flush == .interval)
    }

    @Test(arguments: [
        ("name = \"a\"\n\nkafak = \"x\"\n", "weir.toml:3: there is no setting 'kafak'"),
        ("[kafka]\nport = 9092\n", "weir.toml:1: kafka: must be a text in quotes"),
        ("kafka = 9092\n", "weir.toml:1: kafka: must be a text"),
        ("# name\n  kafka = \"9092\"\n", "weir.toml:2: kafka: '9092' has no port"),
        ("read-only = \"yes\"\n", "weir.toml:1: read-only: must be true or false"),
        ("flush = \"never\"\n", "weir.toml:1: flush: use commit, interval or os, not 'never'"), ("name = \"a\"\nname = ", "weir.toml:2: "),
        ("memory-high = \"120%\"\n", "weir.toml:1: memory-high: '120%' is no share: write 0% to 100%"),
        ("memory-high = \"100%\"\n", "memory-high: '100%' is no mark that memory can reach and get below: write 1% to 95%, a size from"),
        ("memory-high = \"0\"\n", "weir.toml:1: memory-high: '0' is no mark"),
        ("memory-high = \"1MiB\"\n", "memory-high: '1MiB' is no mark"),
        ("memory-high = \"0%\"\n", "weir.toml:1: memory-high: '0%' is no mark"),
        ("disk-free-low = \"100%\"\n", "weir.toml:1: disk-free-low: '100%' of the disk is hardly ever free"),
        ("disk-free-low = \"91%\"\n", "weir.toml:1: disk-free-low: '91%' of the disk is hardly ever free"),
        ("delay-levels = []\n", "weir.toml:1: delay-levels: 0 levels: write 1 to 100 times such as 1s, 5s, 10s"),
        ("delay-levels = [\"1s\", \"0s\"]\n", "weir.toml:1: delay-levels: level 2: '0s' must be from 1ms to 36500d"),
        ("delay-levels = \"1s\"\n", "weir.toml:1: delay-levels: must be a list of times such as [\"1s\", \"5s\", \"10s\"]"),
        ("delay-levels = [\"1s\", 5]\n", "weir.toml:1: delay-levels: must be a list of times such as [\"1s\", \"5s\", \"10s\"]"),
        ("delay-drain-rate = 0\n", "delay-drain-rate: '0' is no rate: write a whole number of messages a second from 1 to 10000000"),
        ("delay-drain-rate = \"5\"\n", "weir.toml:1: delay-drain-rate: must be a whole number without quotes"),
        ("extra = 1", "use one of name, data, kafka"),
    ])
    func aWrongFileIsNamedWithItsLine(file: String, message: String) {
        let error = #expect(throws: CommandFailure.self) { try ConfigurationFile.parse(file, path: "weir.toml") }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test func `a mark beyond the memory there is is refused`() throws {
        let two = try configuration(["--memory-high", "2GiB"])
        try two.check(memoryBytes: nil)
        try two.check(memoryBytes: (2 << 30) + 1)
        let error = #expect(throws: CommandFailure.self) { try two.check(memoryBytes: 2 << 30) }
        #expect(error?.message.contains("memory-high is 2147483648 bytes, and the broker may use 2147483648") == true)
        try configuration(["--memory-high", "95%"]).check(memoryBytes: 1)
        #expect(try configuration(["--disk-free-low", "90%"]).diskFreeLow == .share(0.9))
        #expect(throws: (any Error).self) { try configuration(["--disk-free-low", "100%"]) }
        #expect(throws: (any Error).self) { try configuration(["--memory-high", "100%"]) }
    }

    @Test func aMissingFileIsSaid() {
        #expect(throws: CommandFailure("cannot read the configuration file /nowhere/weir.toml: check that it is there and readable")) {
            try ConfigurationFile.read(path: "/nowhere/weir.toml")
        }
    }

    @Test func anAMQPDoorIsRefusedUntilThereIsOne() {
        #expect(throws: CommandFailure("there is no AMQP door yet, so 127.0.0.1:5672 is not opened: leave --amqp out, or say --amqp none"))
        {
            try configuration(["--amqp", "127.0.0.1:5672"])
        }
    }

    @Test func theDataDirectoryFollowsXDG() throws {
        #expect(try BrokerConfiguration.defaultDirectory(environment: ["XDG_DATA_HOME": "/x", "HOME": "/h"]) == "/x/weir")
        #expect(try BrokerConfiguration.defaultDirectory(environment: ["XDG_DATA_HOME": "x", "HOME": "/h"]) == "/h/.local/share/weir")
        #expect(throws: CommandFailure.self) { try BrokerConfiguration.defaultDirectory(environment: [:]) }
        #expect(throws: CommandFailure.self) { try configuration(["--data", ""]) }
    }
}
