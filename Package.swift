// swift-tools-version: 6.2
import PackageDescription

extension Target.Dependency {
    static let arguments = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let grdb = product(name: "GRDB", package: "GRDB.swift")
    static let lifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let log = product(name: "Logging", package: "swift-log")
    static let metrics = product(name: "Metrics", package: "swift-metrics")
    static let coreMetrics = product(name: "CoreMetrics", package: "swift-metrics")
    static let deque = product(name: "DequeModule", package: "swift-collections")
    static let nio = product(name: "NIOCore", package: "swift-nio")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioHTTP = product(name: "NIOHTTP1", package: "swift-nio")
    static let system = product(name: "SystemPackage", package: "swift-system")
    static let yams = product(name: "Yams", package: "Yams")
}

let package = Package(
    name: "datarowd",
    products: [
        .executable(name: "datarowd", targets: ["datarowd"]),
        .executable(name: "datarowctl", targets: ["datarowctl"]),
        .executable(name: "labelbox-sim", targets: ["labelbox-sim"]),
        .library(name: "DataRows", targets: ["DataRows"]),
        .library(name: "LabelboxAPI", targets: ["LabelboxAPI"]),
        .library(name: "LabelboxSimulator", targets: ["LabelboxSimulator"]),
        .library(name: "Importing", targets: ["Importing"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // What is foreign: C behind one small door each.
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "CBLAKE3", exclude: ["LICENSE", "README.md", "vectors"], cSettings: [.headerSearchPath("vectors")]),
        .target(name: "CCurlShim", dependencies: ["CCurl"]),
        .target(name: "CLinux"),
        .target(name: "CPageSums", linkerSettings: [.linkedLibrary("sqlite3")]),

        // What everyone speaks of.
        .target(name: "DataRows", dependencies: ["CZlib", "Locking", .crypto, .system]),

        // Tools without opinions.
        .target(name: "Locking"),
        .target(name: "Files", dependencies: ["CLinux", "Locking", .system]),
        .target(name: "Pacing", dependencies: ["Locking", .deque]),
        .target(name: "Transport", dependencies: ["CCurl", "CCurlShim", "Locking", .system]),

        // The three outsides: the folder, Labelbox, the database.
        .target(name: "Intake", dependencies: ["CLinux", "DataRows", "Files", "Locking", .log, .system]),
        .target(name: "LabelboxAPI", dependencies: ["DataRows", "Locking", "Transport"]),
        .target(name: "Ledger", dependencies: ["CPageSums", "DataRows", "Locking", .grdb, .system]),

        // The work.
        .target(name: "Results", dependencies: ["DataRows", "Ledger", .system]),
        .target(
            name: "Importing",
            dependencies: [
                "CBLAKE3", "DataRows", "Files", "Intake", "LabelboxAPI", "Ledger", "Locking", "Results",
                "Transport",
                .crypto, .deque, .log, .metrics, .system,
            ]),

        // The view.
        .target(name: "Metering", dependencies: ["Locking", .coreMetrics]),
        .target(
            name: "Reporting",
            dependencies: ["DataRows", "Files", "Ledger", "Locking", "Metering", "Results", .log, .system]),
        .target(
            name: "Web", dependencies: ["Locking", .crypto, .nio, .nioHTTP, .nioPosix],
            resources: [.embedInCode("Page")]),

        // The configuration.
        .target(name: "Settings", dependencies: ["DataRows", .system, .yams]),

        // The way to the account that it names.
        .target(
            name: "Account", dependencies: ["LabelboxAPI", "Locking", "Pacing", "Settings", "Transport", .system]),

        // The desk.
        .target(
            name: "Daemon",
            dependencies: [
                "Account", "DataRows", "Files", "Importing", "Intake", "LabelboxAPI", "Ledger", "Locking", "Pacing",
                "Metering", "Reporting", "Settings", "Transport", "Web", .log, .system,
            ]),
        .executableTarget(
            name: "datarowd",
            dependencies: ["Daemon", "Reporting", "Settings", .arguments, .log, .system, .unixSignals]),

        .target(
            name: "Control",
            dependencies: [
                "Account", "DataRows", "Files", "Intake", "LabelboxAPI", "Ledger", "Locking", "Pacing", "Reporting",
                "Settings", "Transport", .system,
            ]),
        .executableTarget(
            name: "datarowctl",
            dependencies: [
                "Account", "Control", "DataRows", "LabelboxAPI", "Ledger", "Locking", "Reporting", "Settings",
                .arguments, .system, .unixSignals,
            ]),

        // The stage set.
        .target(name: "LabelboxSimulator", dependencies: ["Locking", .crypto, .nio, .nioHTTP, .nioPosix]),
        .executableTarget(name: "labelbox-sim", dependencies: ["LabelboxSimulator", .arguments]),

        // Tests: one target a room.
        .testTarget(
            name: "AccountTests",
            dependencies: ["Account", "LabelboxAPI", "Locking", "Pacing", "TestSupport", .system]),
        .target(name: "TestSupport", dependencies: ["Files", "Locking", .system], path: "Tests/TestSupport"),
        .executableTarget(
            name: "ledger-torture", dependencies: ["DataRows", "Ledger", .grdb, .system], path: "Tests/LedgerTorture"),
        .executableTarget(
            name: "simulate",
            dependencies: [
                "Account", "DataRows", "Files", "Importing", "Intake", "LabelboxAPI", "LabelboxSimulator", "Ledger",
                "Locking",
                "Pacing", "Reporting", "Transport", .grdb, .log, .system,
            ], path: "Tests/Simulate"),
        .executableTarget(
            name: "scan-rows", dependencies: ["CZlib", "DataRows", .system], path: "Benchmarks/ScanRows"),
        .executableTarget(
            name: "prepare-rows", dependencies: ["DataRows", "Importing", "LabelboxAPI", "Transport", .system],
            path: "Tests/PrepareRows"),
        .testTarget(
            name: "ControlTests",
            dependencies: [
                "Control", "DataRows", "Files", "Intake", "LabelboxAPI", "Ledger", "Locking", "Reporting", "Settings",
                "TestSupport", "Transport", .system,
            ]),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "Daemon", "DataRows", "Importing", "Intake", "Locking", "Reporting", "Settings", "TestSupport", .log,
                .system,
            ]),
        .testTarget(name: "DataRowsTests", dependencies: ["DataRows", "TestSupport", .system]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "Account", "DataRows", "LabelboxAPI", "LabelboxSimulator", "Locking", "Pacing", "Transport",
                "datarowctl", "datarowd", "labelbox-sim",
            ],
            exclude: ["Shims", "Support/names.c", "Support/tls.py", "Support/validate.py"],
            resources: [.copy("Captures/Recorded")]),
        .testTarget(name: "FilesTests", dependencies: ["Files", "Locking", "TestSupport", .system]),
        // What is untrusted, and what holds of it whatever it is: replayed here, driven by libFuzzer in Scripts/fuzz.
        .target(
            name: "Fuzzing",
            dependencies: [
                "CZlib", "DataRows", "Intake", "LabelboxAPI", "Ledger", "Locking", "Reporting", "Results", "Settings",
                "Transport", "Web", .system,
            ], path: "Tests/Fuzz/Targets"),
        .testTarget(name: "FuzzTests", dependencies: ["Fuzzing"], path: "Tests/Fuzz/Replay"),
        .testTarget(name: "HouseRulesTests"),
        .testTarget(
            name: "ImportingTests",
            dependencies: ["DataRows", "Importing", "LabelboxAPI", "Locking", "TestSupport", "Transport"]),
        .testTarget(
            name: "IntakeTests",
            dependencies: ["DataRows", "Files", "Intake", "Locking", "TestSupport", .log, .system]),
        .testTarget(
            name: "LabelboxAPITests", dependencies: ["DataRows", "LabelboxAPI", "Locking", "Transport", .system],
            resources: [.copy("Fixtures")]),
        .testTarget(name: "LabelboxSimulatorTests", dependencies: ["LabelboxSimulator"]),
        .testTarget(
            name: "LedgerTests", dependencies: ["DataRows", "Ledger", "Locking", "ledger-torture", .grdb, .system]),
        .testTarget(name: "MeteringTests", dependencies: ["Metering", .coreMetrics]),
        .testTarget(name: "PacingTests", dependencies: ["Locking", "Pacing", "TestSupport"]),
        .testTarget(
            name: "ReportingTests",
            dependencies: [
                "DataRows", "Ledger", "Locking", "Metering", "Reporting", "Results", .coreMetrics, .system,
            ]),
        .testTarget(name: "SettingsTests", dependencies: ["Settings", .system, .yams]),
        .testTarget(name: "SimulationTests", dependencies: ["simulate"]),
        .testTarget(name: "TransportTests", dependencies: ["Locking", "Transport", .system]),
        .testTarget(name: "WebTests", dependencies: ["Web"]),
    ],
    cLanguageStandard: .c17
)

// Instrumented code is slow and knows libFuzzer, so it is built only when asked for, into a folder of its own.
let fuzzes = Context.environment["DATAROWD_FUZZ"] != nil
if fuzzes {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["Fuzzing"], path: "Tests/Fuzz/Driver",
            // gold fails on the debug information of instrumented code.
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]))
}

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        // `any` marks the cost of an existential (SE-0335).
        .enableUpcomingFeature("ExistentialAny"),
        // An import leaks only on purpose (SE-0409).
        .enableUpcomingFeature("InternalImportsByDefault"),
        // A file imports what it uses (SE-0444).
        .enableUpcomingFeature("MemberImportVisibility"),
        // An async function runs where its caller does (SE-0461).
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
    target.cSettings = (target.cSettings ?? []) + [.treatAllWarnings(as: .error)]
    if fuzzes { target.swiftSettings?.append(.unsafeFlags(["-sanitize=fuzzer", "-parse-as-library"])) }
}
