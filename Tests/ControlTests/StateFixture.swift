import DataRows
import Foundation
import Ledger
import Reporting
import SystemPackage

/// A state directory as the daemon leaves it: a ledger driven through its steps, and the daemon's status.
final class StateFixture: Sendable {
    static let now = Date(timeIntervalSince1970: 1_795_258_800)  // 2026-11-21T11:00:00Z

    let path: FilePath
    let ledger: SQLiteLedger
    let drop: FilePath

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "datarowctl-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url.appending(path: "drop/cats"), withIntermediateDirectories: true)
        path = FilePath(url.path)
        drop = path.appending("drop")
        ledger = try SQLiteLedger.open(at: path.appending("ledger.sqlite"))
    }

    // Left-overs go with the machine's own cleaning.
    deinit { try? FileManager.default.removeItem(atPath: path.string) }

    private var grant: LeaseGrant {
        LeaseGrant(owner: LeaseOwner(rawValue: "test:1"), now: Self.now, until: Self.now + 60)
    }

    func open(_ name: String, watch: String = "cats", id: String? = nil, ago: Double = 90) async throws {
        let new = NewImport(
            id: ImportID(rawValue: id ?? "id-\(name)"), watch: watch, path: FilePath(name),
            claimedPath: FilePath("/claimed/\(name)"), bytes: 100, seenAt: Self.now - ago)
        try await ledger.open([new], at: Self.now)
    }

    /// Brings what is open to its end; `failed` of ten rows do not make it.
    func finish(failed: Int = 0, state: ImportState? = nil) async throws {
        for item in try await ledger.leaseImports(in: .claimed, for: grant, limit: 100) {
            var plan = ImportPlan(
                datasetID: DatasetID(rawValue: "dataset"), operation: "create", batchKey: "b",
                maximumRowsPerTask: 100, linger: 0, instructions: Data("{}".utf8))
            plan.totalRows = 10
            plan.segments = [PlannedSegment(firstRow: 0, rowCount: 10, validRows: 10, offset: 0, length: 9)]
            if let state { plan.ending = (state, "Row 3 has no row_data.") }
            try await ledger.recordPlan(plan, of: item, isFirst: true, at: Self.now)
        }
        _ = try await ledger.seal(limit: 100, at: Self.now)
        for item in try await ledger.leaseSubmissions(in: [.sealed], for: grant, limit: 100) {
            try await ledger.recordIntent(item, manifestURL: "https://example.org", at: Self.now)
            try await ledger.recordTask(
                item, task: TaskID(rawValue: "task-1"), status: "IN_PROGRESS", nextPoll: Self.now, at: Self.now)
        }
        for item in try await ledger.leaseSubmissions(in: [.submitted], for: grant, limit: 100) {
            var outcomes: [SegmentOutcome] = []
            for segment in try await ledger.segments(of: item.item.id, after: 0, limit: 100) {
                var outcome = SegmentOutcome(segment: segment.id)
                outcome.created = 10 - failed
                outcome.failed = failed
                outcomes.append(outcome)
            }
            try await ledger.settle(item, outcomes: outcomes, status: "COMPLETE", reason: "", at: Self.now)
        }
        let closing = try await ledger.leaseImports(in: .closing, for: grant, limit: 100)
        try await ledger.recordClosed(
            closing.map {
                Closing(item: $0, results: "/r", failedRows: nil, destination: nil, releasesMedia: true)
            }, at: Self.now)
    }

    /// Writes the daemon's status, with these manifests settling in the watch `cats`.
    func writeDaemon(settling: [String] = [], pid: Int = 4711) async throws {
        let watches = ["cats", "dogs"].map { name in
            WatchSnapshot(
                name: name, path: drop.appending(name), mode: .watching,
                settlingCount: name == "cats" ? settling.count : 0,
                settling: name == "cats"
                    ? settling.map {
                        SettlingFile(
                            path: FilePath($0), bytes: 5, since: Self.now - 3, reason: "it is open for writing",
                            nextLook: Self.now + 2, isManifest: true)
                    } : [])
        }
        let snapshot = DaemonSnapshot(
            version: "1.2.3", pid: pid, state: .running, reason: "All is well.", startedAt: Self.now, watches: watches,
            budget: .init(requestsPerMinute: 1200, used: 12), concurrency: .init(limit: 8, maximum: 8))
        try StatusFolder(StatusLayout(stateDirectory: path), files: StatusFiles(), boot: "1")
            .write(DaemonReport(snapshot, totals: try await ledger.totals(), oldest: [:], at: Self.now))
    }
}
