import Foundation
import Testing

/// Who may import whom.
///
/// A new arrow is a decision, so it is made here, where a diff shows it.
private let mayImport: [String: Set<String>] = [
    "Locking": [],
    "DataRows": ["CZlib"],
    "Files": ["CLinux", "Locking"],
    "Pacing": ["Locking"],
    "Transport": ["CCurl", "CCurlShim", "Locking"],
    "Intake": ["DataRows", "Files", "Locking"],
    "LabelboxAPI": ["DataRows", "Locking", "Transport"],
    "Ledger": ["CPageSums", "DataRows", "Locking"],
    "Results": ["DataRows", "Ledger"],
    "Settings": ["DataRows"],
    "Account": ["LabelboxAPI", "Locking", "Pacing", "Settings", "Transport"],
    "Importing": [
        "CBLAKE3", "DataRows", "Files", "Intake", "LabelboxAPI", "Ledger", "Locking", "Results", "Transport",
    ],
    "Metering": ["Locking"],
    "Reporting": ["DataRows", "Files", "Ledger", "Locking", "Metering"],
    // It shows what it is given, and knows nothing of what that means.
    "Web": ["Locking"],
    "Control": [
        "Account", "DataRows", "Files", "Intake", "LabelboxAPI", "Ledger", "Locking", "Pacing", "Reporting", "Settings",
        "Transport",
    ],
    "Daemon": [
        "Account", "DataRows", "Files", "Importing", "Intake", "LabelboxAPI", "Ledger", "Locking", "Pacing",
        "Metering", "Reporting", "Settings", "Transport", "Web",
    ],
    "datarowd": ["Daemon", "Reporting", "Settings"],
    "datarowctl": [
        "Account", "Control", "DataRows", "LabelboxAPI", "Ledger", "Locking", "Reporting", "Settings",
    ],
    // It must not share the client's mistakes.
    "LabelboxSimulator": ["Locking"],
    "labelbox-sim": ["LabelboxSimulator"],
]

/// Where foreign packages live; elsewhere nothing must know of them.
private let homes: [String: Set<String>] = [
    "GRDB": ["Ledger"],
    "CCurl": ["CCurlShim", "Transport"],
    "CZlib": ["DataRows"],
    "Yams": ["Settings"],
    "NIOCore": ["LabelboxSimulator", "Web"],
    "NIOPosix": ["LabelboxSimulator", "Web"],
    "NIOHTTP1": ["LabelboxSimulator", "Web"],
    "Metrics": ["Importing"],
    "CoreMetrics": ["Metering"],
    "ArgumentParser": ["datarowd", "datarowctl", "labelbox-sim"],
]

@Suite("House rules")
struct HouseRulesTests {
    @Test("rooms open only onto the rooms they may", arguments: mayImport.keys.sorted())
    func directions(room: String) throws {
        let rooms = Set(mayImport.keys).union(["CBLAKE3", "CCurl", "CCurlShim", "CLinux", "CPageSums", "CZlib"])
        let files = try swiftFiles(in: room)
        #expect(!files.isEmpty)
        for (file, modules) in try files.map({ ($0, try imports(of: $0)) }) {
            for module in modules where rooms.contains(module) {
                #expect(mayImport[room, default: []].contains(module), "\(file.lastPathComponent) imports \(module)")
            }
        }
    }

    @Test("every room has its doors written down")
    func complete() throws {
        let sources = root.appending(path: "Sources")
        let rooms = try FileManager.default.contentsOfDirectory(atPath: sources.path).filter {
            !$0.hasPrefix("C") || $0 == "Control"
        }
        #expect(Set(rooms) == Set(mayImport.keys))
    }

    @Test("foreign packages stay in their homes", arguments: homes.keys.sorted())
    func foreign(package: String) throws {
        for room in mayImport.keys where !homes[package, default: []].contains(room) {
            for file in try swiftFiles(in: room) {
                #expect(
                    !(try imports(of: file)).contains(package), "\(room)/\(file.lastPathComponent) imports \(package)")
            }
        }
    }

    private var root: URL { URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized }

    private func imports(of file: URL) throws -> Set<String> {
        let text = try String(contentsOf: file, encoding: .utf8)
        let pattern =
            /(?m)^(?:@\w+ )*(?:public |package |internal |fileprivate |private )?import (?:struct |class |func |enum )?(\w+)/
        return Set(text.matches(of: pattern).map { String($0.output.1) })
    }

    private func swiftFiles(in room: String) throws -> [URL] {
        let folder = root.appending(path: "Sources/\(room)")
        return try FileManager.default.subpathsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".swift") }
            .map { folder.appending(path: $0) }
    }
}
