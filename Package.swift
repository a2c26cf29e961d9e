// swift-tools-version: 6.2
import PackageDescription

/// Settings for every Swift target of ours. Warnings are errors: main carries none.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

/// For targets on the data path: exclusivity is proven by their single-loop ownership, and the dynamic check
/// costs about a third of a hand-written parse loop. Bounds checks stay on.
let hot: [SwiftSetting] = strict + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "weir",
    products: [.executable(name: "weir", targets: ["weir"]), .executable(name: "simulate", targets: ["Simulator"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // C shims: what Swift cannot import from the platform, and the hardware CRC32C.
        .target(name: "CWeir"),
        // Never imported by name; its provider line makes SwiftPM say which apt package is missing.
        .systemLibrary(name: "CNcurses", providers: [.apt(["libncurses-dev"])]),
        .target(
            name: "CTerm",
            dependencies: ["CNcurses"],
            cSettings: [.define("NCURSES_WIDECHAR", to: "1"), .define("_DEFAULT_SOURCE"), .define("_XOPEN_SOURCE", to: "700")],
            linkerSettings: [.linkedLibrary("ncursesw"), .linkedLibrary("tinfo")]),

        // Likewise for the compression libraries, which only CCompression includes.
        .systemLibrary(name: "CCodecs", providers: [.apt(["zlib1g-dev", "liblz4-dev", "libzstd-dev", "libsnappy-dev"])]),
        .target(
            name: "CCompression",
            dependencies: ["CCodecs"],
            linkerSettings: [.linkedLibrary("z"), .linkedLibrary("lz4"), .linkedLibrary("zstd"), .linkedLibrary("snappy")]),

        // Domain words and the wire's reader and writer.
        .target(name: "Wire", dependencies: [nioCore], swiftSettings: hot),
        .target(name: "Model", dependencies: ["CWeir", "Wire", nioCore], swiftSettings: hot),
        .target(name: "Compression", dependencies: ["CCompression", "Model", "Wire", nioCore], swiftSettings: hot),
        .target(name: "SchemaCompiler", swiftSettings: strict),
        .executableTarget(name: "SchemaGenerator", dependencies: ["SchemaCompiler"], swiftSettings: strict),
        .plugin(name: "SchemaPlugin", capability: .buildTool(), dependencies: ["SchemaGenerator"], path: "Sources/SchemaPlugin"),
        .target(name: "KafkaWire", dependencies: ["Wire", "Model", nioCore], swiftSettings: hot, plugins: ["SchemaPlugin"]),

        // Pure machines, and the two seams of durable state.
        .target(name: "Groups", dependencies: ["Model", "Wire", nioCore, collections], swiftSettings: hot),
        .target(name: "Storage", dependencies: ["Model", "CWeir", nioCore, collections, logging], swiftSettings: hot),

        .target(name: "Queues", dependencies: ["Model", "Wire", nioCore, collections], swiftSettings: hot),

        // What the console and the command line see of a broker, and the broker itself.
        .target(name: "Control", dependencies: ["Model"], swiftSettings: strict),
        .target(
            name: "Broker",
            dependencies: [
                "Model", "Wire", "CWeir", "Compression", "Storage", "Groups", "Queues", "Control", nioCore, nioPosix, collections, logging,
            ],
            swiftSettings: hot),

        // Doors.
        .target(
            name: "KafkaServer",
            dependencies: ["Broker", "KafkaWire", "Groups", "Queues", "Storage", "Model", "Wire", "CWeir", nioCore, nioPosix, logging],
            swiftSettings: hot),
        .target(
            name: "AdminServer", dependencies: ["Control", "Model", nioCore, nioPosix, nioHTTP1, logging], swiftSettings: strict),
        .target(name: "AdminClient", dependencies: ["Control", "Model", nioCore, nioPosix, nioHTTP1], swiftSettings: strict),
        .target(
            name: "KafkaClient", dependencies: ["KafkaWire", "Compression", "Wire", "Model", nioCore, nioPosix, collections],
            swiftSettings: hot),

        // The console: Control values in, cells out.
        .target(name: "Terminal", dependencies: ["CTerm", "CWeir"], swiftSettings: strict),
        .target(name: "Console", dependencies: ["Terminal", "Control", "Model"], swiftSettings: strict),

        // The whole broker in a seeded world: `swift run simulate --seeds 200`.
        .executableTarget(
            name: "Simulator",
            dependencies: ["Broker", "Groups", "Queues", "Storage", "Control", "Model", "Wire", nioCore, logging, arguments],
            swiftSettings: strict),

        .executableTarget(
            name: "weir",
            dependencies: [
                "KafkaServer", "AdminServer", "AdminClient", "KafkaClient", "Console", "Terminal", "Broker", "Storage", "Control", "Model",
                "CWeir", arguments, logging, nioCore, nioPosix, nioHTTP1,
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "TOMLKit", package: "TOMLKit"),
            ],
            swiftSettings: strict),

        // Tests mirror the targets.
        .testTarget(name: "WireTests", dependencies: ["Wire", nioCore], swiftSettings: strict),
        .testTarget(name: "ModelTests", dependencies: ["Model", "CWeir", nioCore], swiftSettings: strict),
        .testTarget(name: "CompressionTests", dependencies: ["Compression", "Model", "Wire", nioCore], swiftSettings: strict),
        .testTarget(name: "KafkaWireTests", dependencies: ["KafkaWire", "SchemaCompiler", nioCore], swiftSettings: strict),
        .testTarget(
            name: "KafkaClientTests",
            dependencies: [
                "KafkaClient", "Compression", "KafkaServer", "KafkaWire", "Broker", "Storage", "Model", "Wire", nioCore, nioPosix, logging,
            ],
            swiftSettings: strict),
        .testTarget(name: "GroupsTests", dependencies: ["Groups", "Model", "Wire", nioCore], swiftSettings: strict),
        .testTarget(name: "QueuesTests", dependencies: ["Queues", "Model", "Wire", nioCore], swiftSettings: strict),
        .testTarget(name: "StorageTests", dependencies: ["Storage", "Model", nioCore], swiftSettings: strict),
        .testTarget(
            name: "BrokerTests",
            dependencies: ["Broker", "Compression", "Groups", "Queues", "Storage", "Model", "Control", nioCore, nioPosix],
            swiftSettings: strict
        ),
        .testTarget(
            name: "KafkaServerTests",
            dependencies: [
                "KafkaServer", "Broker", "KafkaClient", "KafkaWire", "Model", "Storage", "Wire", "CWeir", nioCore, nioEmbedded, nioPosix,
                logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "AdminServerTests", dependencies: ["AdminServer", "AdminClient", "Control", "Model", nioCore, nioPosix, logging],
            swiftSettings: strict),
        .testTarget(
            name: "CommandLineTests", dependencies: ["weir", "Broker", "KafkaClient", "Control", "Model", nioCore, arguments],
            swiftSettings: strict),
        .testTarget(
            name: "ConsoleTests", dependencies: ["Console", "Terminal", "Control", "Model", "CWeir"], exclude: ["Golden"],
            swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
    ]
)
