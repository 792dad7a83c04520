public import DataRows
public import Foundation
internal import GRDB
public import SystemPackage

/// An import that ended in a ledger that is gone, as its status or its results tell of it.
public struct FinishedImport: Sendable, Hashable {
    /// A task that had rows of it.
    public struct Task: Sendable, Hashable {
        public var id: TaskID
        public var status: String
        public var rows: Int
        public var completion: Double
        public var submittedAt: Date?
        public var finishedAt: Date?

        public init(
            id: TaskID, status: String, rows: Int, completion: Double, submittedAt: Date?, finishedAt: Date?
        ) {
            self.id = id
            self.status = status
            self.rows = rows
            self.completion = completion
            self.submittedAt = submittedAt
            self.finishedAt = finishedAt
        }
    }

    public var id: ImportID
    public var watch: String
    public var path: FilePath
    public var bytes: Int64 = 0
    public var sha256: String?
    public var operation: String?
    public var datasetID: DatasetID?
    public var state: ImportState
    public var reason = ""
    public var rows = RowCounts()
    public var media = MediaCounts()
    public var errors: [ErrorEntry] = []
    public var errorsTotal = 0
    public var warnings: [ErrorEntry] = []
    public var warningsTotal = 0
    public var tasks: [Task] = []
    public var results: FilePath?
    public var failedRows: FilePath?
    public var seenAt: Date
    public var startedAt: Date?
    public var finishedAt: Date

    public init(
        id: ImportID, watch: String, path: FilePath, state: ImportState, seenAt: Date, finishedAt: Date
    ) {
        self.id = id
        self.watch = watch
        self.path = path
        self.state = state
        self.seenAt = seenAt
        self.finishedAt = finishedAt
    }
}

extension SQLiteLedger {
    /// Remembers imports that ended.
    ///
    /// One that is known already is left as it is.
    ///
    /// - Returns: how many were new.
    public func remember(_ imports: [FinishedImport]) async throws -> Int {
        try await write { db in
            var new = 0
            for item in imports where try Self.insert(db, item) { new += 1 }
            if new > 0 { try LedgerSalvage.count(db) }
            return new
        }
    }

    /// Which of these result files some import names.
    public func namedResults(among paths: [FilePath]) async throws -> Set<FilePath> {
        try await read { db in
            let all = try Data.fetchSet(db, sql: "SELECT results_path FROM imports WHERE results_path IS NOT NULL")
            return Set(paths.filter { all.contains($0.stored) })
        }
    }

    /// Whether some import of a manifest of this name is known.
    public func knows(watch: String, path: FilePath) async throws -> Bool {
        try await !find(watch: watch, path: path).isEmpty
    }

    private static func insert(_ db: Database, _ item: FinishedImport) throws -> Bool {
        try db.cachedStatement(
            sql: """
                INSERT INTO imports (id, revision, watch, path, claimed_path, bytes, sha256, phase, state, reason, dataset_id,
                    operation, rows_total, rows_rejected, rows_submitted, rows_created, rows_updated, rows_present,
                    rows_failed, rows_deleted, media_files, media_bytes, media_uploaded_files, media_uploaded_bytes,
                    errors, errors_total, warnings, warnings_total, results_path, failed_path, origin, seen_at, started_at,
                    updated_at, finished_at)
                VALUES (?, ?, ?, ?, x'', ?, ?, 'closed', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                    ?, ?, ?, ?)
                ON CONFLICT (id) DO NOTHING
                """
        ).execute(
            arguments: StatementArguments(
                [
                    item.id.rawValue, try nextRevision(db), item.watch, item.path.stored, item.bytes, item.sha256,
                    item.state.rawValue, item.reason, item.datasetID?.rawValue, item.operation,
                ] as [(any DatabaseValueConvertible)?] + columns(of: item.rows) + columns(of: item.media)
                    + [
                        try stored(item.errors), item.errorsTotal, try stored(item.warnings), item.warningsTotal,
                        item.results?.stored, item.failedRows?.stored, ImportOrigin.rebuilt.rawValue,
                        item.seenAt.stored,
                        item.startedAt?.stored, item.finishedAt.stored, item.finishedAt.stored,
                    ]))
        guard db.changesCount == 1 else { return false }
        let hasTasks = try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM import_tasks WHERE import_id = ?)"),
            arguments: [item.id.rawValue])
        // What the old ledger itself said of its tasks is better.
        if hasTasks != true { for task in item.tasks { try insert(db, task, of: item) } }
        return true
    }

    private static func columns(of rows: RowCounts) -> [(any DatabaseValueConvertible)?] {
        [
            rows.total, rows.rejected, rows.submitted, rows.created, rows.updated, rows.alreadyPresent, rows.failed,
            rows.deleted,
        ]
    }

    private static func columns(of media: MediaCounts) -> [(any DatabaseValueConvertible)?] {
        [media.files, media.bytes, media.uploadedFiles, media.uploadedBytes]
    }

    /// A task that was shared by several imports is one submission, whoever tells of it first.
    private static func insert(_ db: Database, _ task: FinishedImport.Task, of item: FinishedImport) throws {
        let id = "rebuilt-\(task.id)"
        let submitted = (task.submittedAt ?? item.seenAt).stored
        try db.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO submissions (id, phase, dataset_id, operation, rows, task_id, task_status, completion,
                    created_at, submitted_at, finished_at, next_attempt)
                VALUES (?1, 'settled', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, 0)
                """
        ).execute(arguments: [
            id, item.datasetID?.rawValue ?? "", item.operation ?? "", task.rows, task.id.rawValue, task.status,
            task.completion, submitted, task.finishedAt?.stored,
        ])
        try db.cachedStatement(
            sql: "INSERT OR IGNORE INTO import_tasks (import_id, submission_id, rows) VALUES (?, ?, ?)"
        )
        .execute(arguments: [item.id.rawValue, id, task.rows])
    }
}
