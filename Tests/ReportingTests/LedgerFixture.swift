import DataRows
import Foundation
import Ledger
import SystemPackage

/// A real ledger with imports driven through its real steps; reports are made of what it says.
struct LedgerFixture {
    static let start = Date(timeIntervalSince1970: 1_795_258_800)  // 2026-11-21T11:00:00Z

    let folder: TemporaryFolder
    let ledger: SQLiteLedger
    let owner = LeaseOwner(rawValue: "test:1")
    var now = start

    init() throws {
        folder = try TemporaryFolder()
        ledger = try SQLiteLedger.open(at: folder.path.appending("ledger.sqlite"))
    }

    var grant: LeaseGrant { LeaseGrant(owner: owner, now: now, until: now + 60) }

    func open(_ names: [String], watch: String = "cats") async throws {
        let imports = names.map {
            NewImport(
                id: ImportID(rawValue: "import-\($0)"), watch: watch, path: FilePath($0),
                claimedPath: FilePath("/claimed").appending($0), bytes: 100, seenAt: now)
        }
        try await ledger.open(imports, at: now)
    }

    /// Plans what is claimed: manifests of ten rows, one of them rejected.
    func plan(missing: [String] = []) async throws {
        for item in try await ledger.leaseImports(in: .claimed, for: grant, limit: 100_000) {
            var plan = ImportPlan(
                datasetID: DatasetID(rawValue: "dataset"), operation: "create", batchKey: "dataset/create",
                maximumRowsPerTask: 20_000, linger: 0, instructions: Data("{}".utf8))
            plan.totalRows = 10
            plan.rejectedRows = 1
            plan.sha256 = String(repeating: "ab", count: 32)
            plan.errors = [ErrorEntry(row: 3, byteOffset: 47, pointer: "/3", code: "bad", message: "No row_data.")]
            plan.errorsTotal = 1
            let media = missing.map { MediaReference(name: $0, root: 0, path: FilePath($0), identity: nil) }
            plan.segments = [
                PlannedSegment(firstRow: 0, rowCount: 10, validRows: 9, offset: 0, length: 100, media: media)
            ]
            try await ledger.recordPlan(plan, of: item, isFirst: true, at: now)
        }
    }

    /// Gives what is planned to the server.
    func submit() async throws {
        _ = try await ledger.seal(limit: 100, at: now)
        for item in try await ledger.leaseSubmissions(in: [.sealed], for: grant, limit: 100) {
            try await ledger.recordIntent(item, manifestURL: "https://example.org/1", at: now)
            try await ledger.recordTask(
                item, task: TaskID(rawValue: "task-1"), status: "IN_PROGRESS", nextPoll: now, at: now)
        }
    }

    /// Ends every task: eight rows created, one failed.
    func settle() async throws {
        for item in try await ledger.leaseSubmissions(in: [.submitted], for: grant, limit: 100) {
            var outcomes: [SegmentOutcome] = []
            for segment in try await ledger.segments(of: item.item.id, after: 0, limit: 100_000) {
                var outcome = SegmentOutcome(segment: segment.id)
                outcome.created = segment.sendRows - 1
                outcome.failed = 1
                outcome.errors = [ErrorEntry(row: 5, code: "refused", message: "The server refused it.")]
                outcomes.append(outcome)
            }
            try await ledger.settle(item, outcomes: outcomes, status: "COMPLETE", reason: "", at: now)
        }
    }

    func close() async throws {
        let items = try await ledger.leaseImports(in: .closing, for: grant, limit: 100_000)
        let closings = items.map {
            Closing(
                item: $0, results: "/results/x.results.ndjson", failedRows: "/failed/x.failed.ndjson",
                destination: "/archive/x", releasesMedia: true)
        }
        try await ledger.recordClosed(closings, at: now)
    }

    func record(_ name: String) async throws -> ImportRecord {
        guard let record = try await ledger.find(ImportID(rawValue: "import-\(name)")) else {
            throw LedgerError.unknown(what: name)
        }
        return record
    }
}

/// An import and a task of it, to be changed into what a test needs.
struct Sample {
    var record: ImportRecord
    var task: TaskEntry

    /// A ledger is made once for all samples.
    static func fresh() async throws -> Sample { try await shared.value }

    private static let shared = Task { try await Sample() }

    private init() async throws {
        let fixture = try LedgerFixture()
        try await fixture.open(["batch7/rows.json"])
        try await fixture.plan()
        try await fixture.submit()
        record = try await fixture.record("batch7/rows.json")
        guard let task = try await fixture.ledger.tasks(of: record.id).first else {
            throw LedgerError.unknown(what: "task")
        }
        self.task = task
    }
}
