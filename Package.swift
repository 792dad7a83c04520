// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "datarowd",
    dependencies: [
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        .target(name: "Locking"),
        .target(name: "DataRows", dependencies: [.product(name: "SystemPackage", package: "swift-system")]),
        .target(name: "Ledger", dependencies: ["DataRows", "Locking", .product(name: "GRDB", package: "GRDB.swift"), .product(name: "SystemPackage", package: "swift-system")]),
        .testTarget(name: "LedgerTests", dependencies: ["Ledger"]),
    ]
)
for target in package.targets {
    target.swiftSettings = [
        .swiftLanguageMode(.v6), .treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"), .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
}
