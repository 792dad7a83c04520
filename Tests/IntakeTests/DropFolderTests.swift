import DataRows
import Files
import Foundation
import Glibc
import Intake
import Locking
import Logging
import SystemPackage
import Testing

/// A drop folder on a real file system, with a clock that is moved by hand.
struct Bench {
    let watch: TemporaryFolder
    let state: TemporaryFolder
    let clock = ManualClock()
    let syncs = Locked<[DiskSync.Event]>([])
    var settings: DropFolderSettings

    init(watchIn parent: FilePath = "/tmp", change: (inout DropFolderSettings) -> Void = { _ in }) throws {
        watch = try TemporaryFolder(in: parent)
        state = try TemporaryFolder()
        settings = DropFolderSettings(name: "cats", path: watch.path, stateDirectory: state.path)
        change(&settings)
    }

    func folder(limits: DropFolderLimits = DropFolderLimits()) -> DropFolder {
        let syncs = syncs
        return DropFolder(
            settings, limits: limits, clock: clock, wallClock: { Date(timeIntervalSince1970: 1_795_230_000) },
            disk: DiskSync(note: { event in syncs.withLock { $0.append(event) } }), logger: Logger(label: "test"))
    }

    func started(limits: DropFolderLimits = DropFolderLimits()) async throws -> DropFolder {
        let folder = folder(limits: limits)
        try await folder.start()
        return folder
    }

    /// Lets the folder look at what is there now, and again once it has settled.
    func settled(_ folder: DropFolder, limit: Int = 1_000) async throws -> [ReadyFile] {
        let batch = Task { try await folder.nextBatch(limit: limit) }
        await clock.sleepers(1)
        clock.advance(by: settings.settle)
        return try await batch.value
    }
}

@Suite("Drop folder", .timeLimit(.minutes(1)))
struct DropFolderTests {
    @Test("hands out a file that lay there before, once it was left alone")
    func settles() async throws {
        let bench = try Bench()
        try bench.watch.write("[]", to: "sub/rows.json")
        let folder = try await bench.started()
        let batch = try await bench.settled(folder)
        #expect(batch.map(\.relativePath) == ["sub/rows.json"])
        #expect(batch.first?.role == .manifest)
    }

    @Test("hands out a file that was moved in at once")
    func movedIn() async throws {
        let bench = try Bench()
        let folder = try await bench.started()
        let batch = Task { try await folder.nextBatch(limit: 10) }
        await bench.clock.sleepers(1)
        try bench.watch.write("[]", to: ".rows.json.part")
        try bench.watch.rename(".rows.json.part", "rows.json")
        #expect(try await batch.value.map(\.relativePath) == ["rows.json"])
    }

    @Test("claims by rename, and the claim can be read back from the disk")
    func claims() async throws {
        let bench = try Bench()
        try bench.watch.write("[1]", to: "batch7/rows.json")
        let folder = try await bench.started()
        let batch = try await bench.settled(folder)
        let claim = try #require(await folder.claim(batch, ids: [ImportID(rawValue: "a1")]).first).get()
        #expect(claim.relativePath == "batch7/rows.json")
        #expect(try text(of: claim.path) == "[1]")
        #expect(try bench.watch.files() == [".datarowd/claimed/a1.batch7%2Frows.json", ".datarowd/lock"])
        #expect(Array(folder.claims()) == [claim])
    }
}
