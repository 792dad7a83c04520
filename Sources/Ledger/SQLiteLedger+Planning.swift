internal import DataRows
public import Foundation
internal import GRDB
internal import SystemPackage

extension SQLiteLedger {
    public func recordSegments(
        _ segments: [PlannedSegment], of item: Leased<ImportRecord>, isFirst: Bool, at now: Date
    ) async throws {
        try await write { db in
            try Self.checkLease(db, item)
            if isFirst { try Self.dropDraft(db, item.item) }
            try Self.insert(db, segments, of: item.item, at: now)
        }
    }

    public func recordPlan(_ plan: ImportPlan, of item: Leased<ImportRecord>, isFirst: Bool, at now: Date) async throws
    {
        try await write { db in
            try Self.checkLease(db, item)
            let id = item.item.id.rawValue
            // Rows that are to be looked up first share no call with rows that are not.
            let batchKey = plan.batchKey + (item.item.origin == .dropped ? "" : "|looked up first")
            if isFirst { try Self.dropDraft(db, item.item) }
            if plan.ending == nil { try Self.insert(db, plan.segments, of: item.item, at: now) }
            if let part = plan.problemsPart { try Self.insert(db, part, of: id) }

            let isEnding = plan.ending != nil
            if isEnding {
                try Self.dropMedia(db, of: id, keepsUploaded: false)
                try Self.dropSegments(db, of: id)
            }
            try Self.update(
                db, item, at: now,
                set: """
                    phase = ?, state = ?, reason = ?, dataset_id = ?, operation = ?, instructions = ?,
                    batch_key = ?, max_rows = ?, linger = ?, holds = ?, sha256 = ?, rows_total = ?, rows_rejected = ?,
                    errors = ?, errors_total = ?, warnings = ?, warnings_total = ?, next_attempt = NULL, attempts = 0,
                    lease_owner = NULL, lease_until = NULL
                    """,
                [
                    isEnding ? "closing" : "moving", plan.ending?.state.rawValue ?? "queued", plan.ending?.reason ?? "",
                    plan.datasetID?.rawValue, plan.operation, plan.instructions, batchKey, plan.maximumRowsPerTask,
                    plan.linger, plan.holdsForMedia, plan.sha256, plan.totalRows, plan.rejectedRows,
                    try Self.stored(Array(plan.errors.prefix(ErrorEntry.kept))), plan.errorsTotal,
                    try Self.stored(Array(plan.warnings.prefix(ErrorEntry.kept))), plan.warningsTotal,
                ])
            if isEnding { return }
            try Self.countMedia(db, of: id)
            try Self.takeWarnings(db, ofMediaOf: id)
            try db.cachedStatement(
                sql: """
                    UPDATE segments SET batch_key = ?, max_rows = ?, linger = ?,
                        phase = CASE WHEN media_open > 0 THEN 'waiting' WHEN ? THEN 'held' ELSE 'ready' END, ready_at = ?
                    WHERE import_id = ? AND phase = 'draft'
                    """
            ).execute(arguments: [batchKey, plan.maximumRowsPerTask, plan.linger, plan.holdsForMedia, now.stored, id])
            try db.cachedStatement(
                sql:
                    "UPDATE imports SET segments_open = (SELECT COUNT(*) FROM segments WHERE import_id = ?1) WHERE id = ?1"
            ).execute(arguments: [id])
            try Self.settleHold(db, id, at: now)
            try Self.closeIfDone(db, id, at: now)
            try Self.refresh(db, id, at: now)
        }
    }

    private static func checkLease(_ db: Database, _ item: Leased<ImportRecord>) throws {
        let isHeld = try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT 1 FROM imports WHERE id = ? AND lease_owner = ? AND lease_fence = ?"),
            arguments: [item.item.id.rawValue, item.lease.owner.rawValue, item.lease.fence])
        guard isHeld == true else { throw LedgerError.leaseLost(what: "import \(item.item.id)") }
    }

    /// Forgets what an earlier plan of the import left, with the files that only it named; a file that is at the server
    /// already stays, so that the new plan finds it.
    private static func dropDraft(_ db: Database, _ record: ImportRecord) throws {
        try dropMedia(db, of: record.id.rawValue, keepsUploaded: true)
        try dropSegments(db, of: record.id.rawValue)
        try db.cachedStatement(sql: "DELETE FROM results_parts WHERE import_id = ?")
            .execute(arguments: [record.id.rawValue])
    }

    static func dropMedia(_ db: Database, of id: String, keepsUploaded: Bool) throws {
        try db.cachedStatement(
            sql: """
                DELETE FROM media WHERE \(keepsUploaded ? "phase <> 'uploaded'" : "TRUE") AND id IN (
                    SELECT media_id FROM (SELECT DISTINCT media_id FROM media_refs WHERE import_id = ?1) AS mine
                    WHERE NOT EXISTS (
                        SELECT 1 FROM media_refs AS theirs WHERE theirs.media_id = mine.media_id AND theirs.import_id <> ?1))
                """
        ).execute(arguments: [id])
    }

    static func dropSegments(_ db: Database, of id: String) throws {
        try db.cachedStatement(sql: "DELETE FROM segments WHERE import_id = ?").execute(arguments: [id])
        try db.cachedStatement(sql: "DELETE FROM media_refs WHERE import_id = ?").execute(arguments: [id])
    }

    // MARK: Segments and what they name

    private static func insert(
        _ db: Database, _ segments: [PlannedSegment], of record: ImportRecord, at now: Date
    ) throws {
        for segment in segments {
            try db.cachedStatement(
                sql: """
                    INSERT INTO segments
                        (import_id, origin, phase, first_row, row_count, send_rows, only_rows, byte_offset, byte_length)
                    VALUES (?, 0, 'draft', ?, ?, ?, ?, ?, ?)
                    """
            ).execute(arguments: [
                record.id.rawValue, segment.firstRow, segment.rowCount, segment.validRows, segment.only?.encoded,
                segment.offset, segment.length,
            ])
            let id = db.lastInsertedRowID
            var open = Set<Int64>()
            var names = Set<ExactName>()
            for reference in segment.media where names.insert(ExactName(reference.name)).inserted {
                let (media, isOpen) = try mediaRow(db, for: reference, watch: record.watch, at: now)
                if isOpen { open.insert(media) }
                try db.cachedStatement(
                    sql:
                        "INSERT INTO media_refs (segment_id, name, media_id, import_id) VALUES (?, ?, ?, ?)"
                ).execute(arguments: [id, reference.name, media, record.id.rawValue])
            }
            try db.cachedStatement(sql: "UPDATE segments SET origin = id, media_open = ? WHERE id = ?")
                .execute(arguments: [open.count, id])
        }
    }

    /// The row of the file that a reference means: one that is known with the same identity, or a new one.
    private static func mediaRow(
        _ db: Database, for reference: MediaReference, watch: String, at now: Date
    ) throws -> (id: Int64, isOpen: Bool) {
        if let failure = reference.failure {
            try db.cachedStatement(
                sql: """
                    INSERT INTO media (watch, root, path, phase, failure, since, next_attempt)
                    VALUES (?, ?, ?, 'failed', ?, ?, ?)
                    """
            ).execute(arguments: [
                watch, reference.root, reference.path.stored, try failure.stored(), now.stored, now.stored,
            ])
            return (db.lastInsertedRowID, false)
        }
        let expectedBytes = reference.expected?.bytes
        let expectedDigest = reference.expected?.sha256.map { Data($0) }
        let known = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT * FROM media WHERE watch = ? AND root = ? AND path = ?
                        AND expected_bytes IS ? AND expected_sha256 IS ? ORDER BY id DESC LIMIT 20
                    """),
            arguments: [watch, reference.root, reference.path.stored, expectedBytes, expectedDigest])
        for row in known {
            let media = try MediaRecord(row: row)
            switch media.phase {
            case .awaited where reference.identity == nil, .pending where media.identity == reference.identity:
                return (media.id, true)
            case .uploaded where media.identity == reference.identity && media.identity != nil:
                return (media.id, false)
            case .leaving
            where media.identity == reference.identity && media.identity != nil && media.destination == nil
                && row.lease == nil:
                // On its way out, but not moved yet: it stays for this import, which looks at it again.
                try db.cachedStatement(
                    sql:
                        "UPDATE media SET phase = 'pending', leaves_to = NULL, next_attempt = ?, failure = NULL WHERE id = ?"
                ).execute(arguments: [now.stored, media.id])
                return (media.id, true)
            default: continue
            }
        }
        try db.cachedStatement(
            sql: """
                INSERT INTO media (watch, root, path, device, inode, size, modified, changed,
                    expected_bytes, expected_sha256, phase, since, next_attempt)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(
            arguments: StatementArguments(
                [watch, reference.root, reference.path.stored] as [(any DatabaseValueConvertible)?]
                    + columns(of: reference.identity)
                    + [
                        expectedBytes, expectedDigest, reference.identity == nil ? "awaited" : "pending", now.stored,
                        now.stored,
                    ]))
        return (db.lastInsertedRowID, true)
    }

    /// `device, inode, size, modified, changed`.
    static func columns(of identity: MediaIdentity?) -> [(any DatabaseValueConvertible)?] {
        guard let identity else { return [nil, nil, nil, nil, nil] }
        return [
            Int64(bitPattern: identity.device), Int64(bitPattern: identity.inode), identity.size, identity.modified,
            identity.changed,
        ]
    }

    private static func countMedia(_ db: Database, of id: String) throws {
        try db.cachedStatement(
            sql: """
                WITH named AS (SELECT DISTINCT media_id FROM media_refs WHERE import_id = ?1),
                     counted AS (
                        SELECT COUNT(*) AS files, COALESCE(SUM(size), 0) AS bytes,
                            COALESCE(SUM(phase = 'uploaded'), 0) AS up,
                            COALESCE(SUM(CASE WHEN phase = 'uploaded' THEN size END), 0) AS up_bytes,
                            COALESCE(SUM(phase IN ('awaited', 'pending')), 0) AS open,
                            COALESCE(SUM(phase = 'awaited'), 0) AS awaited
                        FROM media JOIN named ON media.id = named.media_id)
                UPDATE imports SET media_files = counted.files, media_bytes = counted.bytes,
                    media_uploaded_files = counted.up, media_uploaded_bytes = counted.up_bytes,
                    media_open = counted.open, media_awaited = counted.awaited
                FROM counted WHERE id = ?1
                """
        ).execute(arguments: [id])
    }

    static func insert(_ db: Database, _ part: ResultsPart, of id: String) throws {
        let (path, lines): (Data?, Data?) =
            switch part.lines {
            case .file(let path): (path.stored, nil)
            case .inline(let lines): (nil, lines)
            }
        try db.cachedStatement(
            sql: """
                INSERT INTO results_parts (import_id, number, first_row, path, lines)
                SELECT ?1, COALESCE(MAX(number), 0) + 1, ?2, ?3, ?4 FROM results_parts WHERE import_id = ?1
                """
        ).execute(arguments: [id, part.firstRow, path, lines])
    }
}
