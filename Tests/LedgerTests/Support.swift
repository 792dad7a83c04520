import DataRows
import Foundation
import Ledger
import SystemPackage
import Testing

/// Each store that must keep the contract of ``LedgerStore``.
enum StoreUnderTest: CaseIterable, Sendable {
    case sqlite

    /// Runs a test with an empty store.
    func run(_ body: (Bench) async throws -> Void) async throws {
        switch self {
        case .sqlite:
            try await withFolder { folder in
                let ledger = try SQLiteLedger.open(at: folder.appending("ledger"))
                try await body(Bench(store: ledger))
                try ledger.close()
            }
        }
    }
}

/// Runs a test with a folder of its own, which is removed afterwards.
func withFolder(_ body: (FilePath) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ledger-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(FilePath(folder.path))
}

/// A time, by seconds since the tests' beginning.
func at(_ seconds: Double) -> Date { Date(timeIntervalSince1970: 1_700_000_000 + seconds) }

/// What a file of a size looks like; another `version` is another file at the same path.
func identity(_ size: Int64, version: UInt64 = 1) -> MediaIdentity {
    MediaIdentity(device: 1, inode: version, size: size, modified: Int64(version), changed: Int64(version))
}

func reference(_ name: String, size: Int64?, version: UInt64 = 1, root: Int = 0) -> MediaReference {
    MediaReference(
        name: name, root: root, path: FilePath(name), identity: size.map { identity($0, version: version) })
}

func segment(_ first: Int, _ count: Int, valid: Int? = nil, media: [MediaReference] = []) -> PlannedSegment {
    PlannedSegment(
        firstRow: first, rowCount: count, validRows: valid ?? count, offset: Int64(first) * 10,
        length: Int64(count) * 10, media: media)
}

func content(_ item: Leased<MediaRecord>, at time: Date = at(0)) -> UploadedContent {
    UploadedContent(
        sha256: Array(item.item.path.string.utf8), bytes: item.item.identity?.size ?? 0,
        type: "t", url: "https://storage/\(item.item.path)", uploadedAt: time)
}

func failure(_ code: String, row: Int? = nil) -> ErrorEntry { ErrorEntry(row: row, code: code, message: "no") }

func inline(_ first: Int, _ text: String) -> ResultsPart {
    ResultsPart(firstRow: first, lines: .inline(Data(text.utf8)))
}

/// A store with the steps that most tests begin with.
struct Bench: Sendable {
    let store: any LedgerStore
    let owner = LeaseOwner(rawValue: "a:1")
    let other = LeaseOwner(rawValue: "b:2")

    func grant(_ now: Double = 0, to owner: LeaseOwner? = nil, lasts: Double = 60) -> LeaseGrant {
        LeaseGrant(owner: owner ?? self.owner, now: at(now), until: at(now + lasts))
    }

    func open(_ id: String, watch: String = "w", seen: Double = 0) async throws {
        try await store.open(
            [
                NewImport(
                    id: ImportID(rawValue: id), watch: watch, path: FilePath("\(id).json"),
                    claimedPath: FilePath("claimed/\(id)"), bytes: 100, seenAt: at(seen))
            ], at: at(seen))
    }

    /// Opens an import and leases it to be planned.
    func claim(_ id: String, watch: String = "w", now: Double = 0) async throws -> Leased<ImportRecord> {
        try await open(id, watch: watch, seen: now)
        let leased = try await store.leaseImports(in: .claimed, for: grant(now), limit: 1000)
        return try #require(leased.first { $0.item.id.rawValue == id })
    }

    func plan(
        _ segments: [PlannedSegment], rejected: Int = 0, key: String = "k", maximum: Int = 100, linger: Double = 0,
        holds: Bool = false, operation: String = "create"
    ) -> ImportPlan {
        var plan = ImportPlan(
            datasetID: DatasetID(rawValue: "d"), operation: operation, batchKey: key, maximumRowsPerTask: maximum,
            linger: linger, instructions: Data("how".utf8))
        plan.segments = segments
        plan.totalRows = segments.reduce(0) { $0 + $1.validRows } + rejected
        plan.rejectedRows = rejected
        plan.holdsForMedia = holds
        return plan
    }

    /// Opens and plans an import.
    func planned(
        _ id: String, _ segments: [PlannedSegment], watch: String = "w", now: Double = 0, rejected: Int = 0,
        key: String = "k", maximum: Int = 100, linger: Double = 0, holds: Bool = false, operation: String = "create"
    ) async throws {
        let item = try await claim(id, watch: watch, now: now)
        try await store.recordPlan(
            plan(
                segments, rejected: rejected, key: key, maximum: maximum, linger: linger, holds: holds,
                operation: operation),
            of: item, isFirst: true, at: at(now))
    }

    func find(_ id: String) async throws -> ImportRecord { try #require(try await store.find(ImportID(rawValue: id))) }

    func leaseMedia(_ now: Double = 0) async throws -> [Leased<MediaRecord>] {
        try await store.leaseMedia(for: grant(now), limit: 1000)
    }

    func uploadAll(_ now: Double = 0) async throws {
        for item in try await leaseMedia(now) {
            try await store.recordUploaded(item, content: content(item, at: at(now)), warning: nil, at: at(now))
        }
    }

    func sealed(_ now: Double = 0) async throws -> [Leased<SubmissionRecord>] {
        _ = try await store.seal(limit: 1000, at: at(now))
        return try await store.leaseSubmissions(in: [.sealed], for: grant(now), limit: 1000)
    }

    func segments(_ item: Leased<SubmissionRecord>) async throws -> [SegmentRecord] {
        try await store.segments(of: item.item.id, after: 0, limit: 1000)
    }

    /// Takes a sealed submission to the server and back: its task has ended.
    func collecting(_ item: Leased<SubmissionRecord>, now: Double = 0) async throws -> Leased<SubmissionRecord> {
        let id = item.item.id
        try await store.recordIntent(item, manifestURL: "https://m", at: at(now))
        try await store.recordTask(
            item, task: TaskID(rawValue: "t-\(id)"), status: "IN_PROGRESS", nextPoll: at(now), at: at(now))
        let polled = try await lease(id, in: .submitted, now: now)
        let sighting = TaskSighting(
            submission: id, status: "COMPLETE", completion: 100, hasEnded: true, nextPoll: at(now), reason: "")
        try await store.recordSightings([(polled, sighting)], at: at(now))
        return try await lease(id, in: .collecting, now: now)
    }

    func lease(
        _ id: SubmissionID, in phase: SubmissionPhase, now: Double = 0
    ) async throws -> Leased<SubmissionRecord> {
        let leased = try await store.leaseSubmissions(in: [phase], for: grant(now), limit: 1000)
        for item in leased where item.item.id != id {
            try await store.postpone(item, until: at(now), reason: "", at: at(now))
        }
        return try #require(leased.first { $0.item.id == id })
    }

    /// Settles a submission with an outcome worked out for each of its segments.
    func settle(
        _ item: Leased<SubmissionRecord>, now: Double = 0,
        _ outcome: (SegmentRecord, inout SegmentOutcome) -> Void = { $1.created = $0.sendRows }
    ) async throws {
        let outcomes = try await segments(item).map { segment in
            var result = SegmentOutcome(segment: segment.id)
            outcome(segment, &result)
            return result
        }
        try await store.settle(item, outcomes: outcomes, status: "COMPLETE", reason: "", at: at(now))
    }

    /// Sends everything that is ready, and settles it.
    func finishAll(
        _ now: Double = 0, _ outcome: (SegmentRecord, inout SegmentOutcome) -> Void = { $1.created = $0.sendRows }
    ) async throws {
        for item in try await sealed(now) { try await settle(try await collecting(item, now: now), now: now, outcome) }
    }

    func closeAll(_ now: Double = 0, releasesMedia: Bool = true) async throws {
        let closings = try await store.leaseImports(in: .closing, for: grant(now), limit: 1000).map {
            Closing(
                item: $0, results: "results", failedRows: nil, destination: "archive", releasesMedia: releasesMedia)
        }
        try await store.recordDestinations(closings, at: at(now))
        try await store.recordClosed(closings, at: at(now))
    }

    func throwsLeaseLost(_ step: () async throws -> Void) async {
        let error = await #expect(throws: LedgerError.self) { try await step() }
        guard case .leaseLost = error else {
            Issue.record("expected leaseLost, got \(String(describing: error))")
            return
        }
    }
}
