import Model
import Testing

@Suite struct QuantityTests {
    @Test(arguments: [
        ("0", 0), ("1048576", 1_048_576), ("10B", 10), ("1KiB", 1024), ("1kb", 1000), ("1.5GiB", 1_610_612_736), ("2G", 2_147_483_648),
        ("512 MiB", 536_870_912), ("3TB", 3_000_000_000_000),
    ])
    func sizesAreRead(text: String, bytes: Int64) throws {
        #expect(try ByteSize.parse(text) == bytes)
    }

    @Test(arguments: ["", "GiB", "-1", "1.2.3", "1 parsec", "9e9", "99999999TiB"])
    func unclearSizesAreRefused(text: String) {
        #expect(throws: MisreadText.self) { try ByteSize.parse(text) }
    }

    @Test(arguments: [("250ms", 250), ("10s", 10_000), ("5m", 300_000), ("1h30m", 5_400_000), ("1.5h", 5_400_000), ("7d", 604_800_000)])
    func spansAreRead(text: String, ms: Int64) throws {
        #expect(try TimeSpan.parse(text) == ms)
    }

    @Test func aSpanNeedsItsUnit() {
        #expect(throws: MisreadText("'10' has no unit: use ms, s, m, h or d, such as 10s")) { try TimeSpan.parse("10") }
        #expect(throws: MisreadText.self) { try TimeSpan.parse("1h30") }
        #expect(throws: MisreadText.self) { try TimeSpan.parse("") }
        #expect(throws: MisreadText.self) { try TimeSpan.parse("ten s") }
        #expect(throws: MisreadText.self) { try TimeSpan.parse("99999999999999d") }
    }

    @Test func hostsAndPortsAreRead() throws {
        #expect(try HostPort("127.0.0.1:9092") == HostPort(host: "127.0.0.1", port: 9092))
        #expect(try HostPort("[::1]:0") == HostPort(host: "::1", port: 0))
        #expect(try HostPort("[::1]:80").description == "[::1]:80")
        #expect(try HostPort("localhost:1").isLoopback)
        for text in ["9092", "host", "host:", ":9092", "host:65536", "host:-1", "host:+1", "::1:9092", "a b:1", "h/x:1", ""] {
            #expect(throws: MisreadText.self) { try HostPort(text) }
        }
    }

    @Test func onlyThisMachineIsLoopback() {
        for host in ["127.0.0.1", "127.9.9.9", "::1", "LocalHost"] { #expect(HostPort(host: host, port: 0).isLoopback) }
        for host in ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.evil.example", "127.0.0", "localhost.evil.example", "127.0.0.256"] {
            #expect(!HostPort(host: host, port: 0).isLoopback)
        }
    }
}
