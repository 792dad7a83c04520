import DataRows
import Files
import Foundation
import Intake
import Locking
import Logging
import SystemPackage
import TestSupport
import Testing

/// A drop folder on a real file system.
struct Bench {
    let watch: TemporaryFolder
    let state: TemporaryFolder
    /// Moves only when told to; used unless `folder(on:)` gets another.
    let clock = ManualClock()
    let syncs = Locked<[DiskSync.Event]>([])
    var settings: DropFolderSettings

    /// The date on every wall.
    static let today = Date(timeIntervalSince1970: 1_795_230_000)  // 2026-11-21 03:00 UTC

    init(watchIn parent: FilePath = "/tmp", change: (inout DropFolderSettings) -> Void = { _ in }) throws {
        watch = try TemporaryFolder(in: parent)
        state = try TemporaryFolder()
        settings = DropFolderSettings(name: "cats", path: watch.path, stateDirectory: state.path)
        change(&settings)
    }

    func folder(on other: (any Clock<Duration>)? = nil, limits: DropFolderLimits = DropFolderLimits()) -> DropFolder {
        let syncs = syncs
        return DropFolder(
            settings, limits: limits, clock: other ?? clock, wallClock: { Self.today },
            disk: DiskSync(note: { event in syncs.withLock { $0.append(event) } }), logger: Logger(label: "test"))
    }

    /// One that hears what it is told, and nothing else.
    func folder(hearing hints: ToldHints) -> DropFolder {
        DropFolder(
            settings, limits: DropFolderLimits(), clock: clock, wallClock: { Self.today }, disk: DiskSync(),
            logger: Logger(label: "test"), executor: QueueExecutor("datarowd.intake.test"),
            watching: { (_, _, wake) in
                hints.connect(wake)
                return hints
            })
    }

    func started(
        on clock: (any Clock<Duration>)? = nil, limits: DropFolderLimits = DropFolderLimits()
    ) async throws -> DropFolder {
        let folder = folder(on: clock, limits: limits)
        try await folder.start()
        return folder
    }

    /// Lets the folder look at what is there now, and again after some time.
    func batch(of folder: DropFolder, after wait: Duration? = nil, limit: Int = 100_000) async throws -> [ReadyFile] {
        let batch = Task { try await folder.nextBatch(limit: limit) }
        await clock.sleepers(1)
        clock.advance(by: wait ?? settings.settle)
        return try await batch.value
    }

    /// Lets the folder look around, until it has nothing to do but wait.
    func look(_ folder: DropFolder) async throws {
        let batch = Task { try await folder.nextBatch(limit: 1_000) }
        await clock.sleepers(1)
        batch.cancel()
        await #expect(throws: CancellationError.self) { try await batch.value }
    }

    func claim(_ folder: DropFolder, _ files: [ReadyFile]) async -> [Result<Claim, IntakeError>] {
        let ids = files.indices.map { ImportID(rawValue: "i\($0)") }
        return await folder.claim(files, ids: ids)
    }

    func syncCount() -> Int { syncs.withLock { $0.count } }
}

/// Waits on the real clock until so many files were handed out.
func collect(_ folder: DropFolder, _ count: Int) async throws -> [ReadyFile] {
    var files: [ReadyFile] = []
    while files.count < count { files += try await folder.nextBatch(limit: 1_000) }
    return files
}

/// Hints that a test gives.
final class ToldHints: FolderHints {
    private let state = Locked<(waiting: [(path: FilePath, hint: DirectoryHints.Hint)], wake: @Sendable () -> Void)>(
        ([], {}))

    func connect(_ wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }

    /// Tells of something; of a path the last one counts.
    func tell(_ hint: DirectoryHints.Hint) {
        let path =
            switch hint {
            case .movedIn(let path), .closed(let path), .folder(let path): path
            }
        let wake = state.withLock { state in
            state.waiting.removeAll { $0.path == path }
            state.waiting.append((path, hint))
            return state.wake
        }
        wake()
    }

    func watch(_ folder: FilePath) {}
    func beginScan() {}
    func dropUnseenWatches() {}
    var watchedFolders: Int { 1 }
    func hasNews(of path: FilePath) -> Bool { state.withLock { $0.waiting.contains { $0.path == path } } }

    func take() -> DirectoryHints.Batch {
        let hints = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting.map(\.hint)
        }
        return DirectoryHints.Batch(hints: hints)
    }
}
