import DataRows
import Foundation
import Glibc
import Ledger
import SystemPackage
import Testing

@Suite("Durability") struct DurabilityTests {
    /// Built beside the tests.
    private static let torture: URL = {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("ledger-torture")
    }()

    @Test(
        "After twenty kills everything that was acknowledged is there, and nothing half",
        .enabled(if: FileManager.default.isExecutableFile(atPath: torture.path)), .timeLimit(.minutes(3)))
    func kills() async throws {
        try await withFolder { folder in
            let path = folder.appending("ledger")
            var random = SplitMix(state: UInt64.random(in: 0...UInt64.max))
            var acknowledged: [String] = []
            for round in 0..<20 {
                acknowledged += try run(path, round: round, lines: Int.random(in: 1...150, using: &random))
                try await check(path, acknowledged)
            }
            #expect(acknowledged.contains { $0.hasPrefix("planned ") })
        }
    }

    /// Lets the child write until it has acknowledged some steps, kills it and returns all that it said.
    private func run(_ path: FilePath, round: Int, lines: Int) throws -> [String] {
        let child = Process()
        child.executableURL = Self.torture
        child.arguments = [path.string, "r\(round)"]
        let pipe = Pipe()
        child.standardOutput = pipe
        try child.run()
        var said = Data()
        var isKilled = false
        while true {
            let more = pipe.fileHandleForReading.availableData
            if more.isEmpty { break }
            said += more
            if !isKilled, said.count(where: { $0 == UInt8(ascii: "\n") }) >= lines {
                kill(child.processIdentifier, SIGKILL)
                isKilled = true
            }
        }
        child.waitUntilExit()
        #expect(child.terminationReason == .uncaughtSignal && child.terminationStatus == SIGKILL)
        return String(decoding: said, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func check(_ path: FilePath, _ acknowledged: [String]) async throws {
        let ledger = try SQLiteLedger.open(at: path)
        let imports = try await ledger.imports(ImportFilter(limit: 1_000_000))
        let byID = Dictionary(uniqueKeysWithValues: imports.map { ($0.id.rawValue, $0) })
        for line in acknowledged {
            let words = line.split(separator: " ").map(String.init)
            if words[0] == "opened" {
                for part in 0..<3 { #expect(byID["\(words[1])/\(part)"] != nil, "\(line) is lost") }
            } else {
                #expect(byID[words[1]]?.phase == .moving, "\(line) is lost")
            }
        }
        let groups = Dictionary(grouping: imports) { $0.id.rawValue.split(separator: "/")[0] }
        for (group, imports) in groups { #expect(imports.count == 3, "\(group) is there in part") }
        let planned = imports.filter { $0.phase == .moving }
        for record in imports {
            let isPlanned = record.phase == .moving
            #expect(record.rows.total == (isPlanned ? 7 : 0))
            #expect(record.openSegments == (isPlanned ? 2 : 0))
        }
        let totals = try await ledger.totals()
        #expect(totals.readySegments == planned.count * 2)
        #expect((totals.rows["w"]?.total ?? 0) == planned.count * 7)
        #expect(totals.imports["w", default: [:]].values.reduce(0, +) == imports.count)
        try ledger.close()
    }
}

@Suite("A full disk", .serialized) struct FullDiskTests {
    private static let canMount = geteuid() == 0 && FileManager.default.fileExists(atPath: "/proc/filesystems")

    @Test(
        "A full disk is said to be one, nothing is half written, and work goes on when there is space",
        .enabled(if: canMount, "needs the right to mount a small file system"), .timeLimit(.minutes(1)))
    func full() async throws {
        try await withFolder { folder in
            let disk = folder.appending("disk")
            try FileManager.default.createDirectory(atPath: disk.string, withIntermediateDirectories: false)
            guard mount("tmpfs", disk.string, "tmpfs", 0, "size=2m") == 0 else { return }
            defer { umount2(disk.string, Int32(MNT_DETACH)) }
            let ledger = try SQLiteLedger.open(at: disk.appending("ledger"))
            try await ledger.open([newImport("before")], at: at(0))

            let filler = disk.appending("filler").string
            #expect(FileManager.default.createFile(atPath: filler, contents: nil))
            let handle = try #require(FileHandle(forWritingAtPath: filler))
            while (try? handle.write(contentsOf: Data(count: 4096))) != nil {}
            try handle.close()

            var failed: [Int] = []
            for number in 0..<200 where failed.count < 3 {
                do {
                    try await ledger.open([newImport("\(number)/a"), newImport("\(number)/b")], at: at(0))
                } catch LedgerError.unavailable(let path, _) {
                    #expect(path == disk.appending("ledger").string)
                    failed.append(number)
                }
            }
            #expect(failed.count == 3)
            // Many steps at once fail together, and each caller is told.
            await withTaskGroup(of: Bool.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        let imports = (0..<40).map { newImport("c\(number)/\($0)") }
                        return (try? await ledger.open(imports, at: at(0))) == nil
                    }
                }
                for await isRefused in group { #expect(isRefused) }
            }
            for number in failed { #expect(try await ledger.find(ImportID(rawValue: "\(number)/a")) == nil) }
            #expect(try await ledger.find(ImportID(rawValue: "before")) != nil)

            try FileManager.default.removeItem(atPath: filler)
            for number in failed {
                try await ledger.open([newImport("\(number)/a"), newImport("\(number)/b")], at: at(0))
            }
            #expect(try await ledger.totals().imports["w"]?[.queued] == 1 + 2 * ((failed.last ?? 0) + 1))
            try ledger.close()
        }
    }
}

private func newImport(_ id: String) -> NewImport {
    NewImport(
        id: ImportID(rawValue: id), watch: "w", path: FilePath(String(repeating: "p", count: 900)), claimedPath: "c",
        bytes: 1, seenAt: at(0))
}
