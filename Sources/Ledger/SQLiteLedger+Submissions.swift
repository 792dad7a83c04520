public import DataRows
public import Foundation
internal import GRDB

extension SQLiteLedger {
    public func seal(limit: Int, at now: Date) async throws -> Sealing {
        try await write { [freshName] db in
            var sealing = Sealing()
            let unpaused = try Self.unpaused(db)
            let groups = try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT batch_key, isolation, COUNT(*) AS segments, SUM(send_rows) AS rows, MIN(max_rows) AS max_rows,
                            MIN(ready_at) AS first, MAX(ready_at) AS last, MAX(linger) AS linger
                        FROM segments WHERE phase = 'ready'\(unpaused) GROUP BY batch_key, isolation ORDER BY first
                        """))
            for group in groups {
                let key = (batch: group["batch_key"] as String, isolation: group["isolation"] as String?)
                let maximum = max(1, group["max_rows"] as Int)
                var rows: Int = group["rows"]
                var segments: Int = group["segments"]
                let linger: Double = group["linger"]
                let due =
                    key.isolation != nil
                    ? -Double.infinity
                    : min((group["last"] as Double) + linger, (group["first"] as Double) + Self.longestLinger * linger)
                while segments > 0, rows >= maximum || due <= now.stored {
                    if sealing.sealed >= limit {
                        sealing.next = now
                        return sealing
                    }
                    let taken = try Self.sealOne(
                        db, key, unpaused, named: freshName, maximum: maximum, at: now)
                    if taken.segments == 0 { break }
                    segments -= taken.segments
                    rows -= taken.rows
                    sealing.sealed += 1
                    if taken.isDoubted { sealing.doubted += 1 }
                }
                if segments > 0 {
                    let due = Date(timeIntervalSince1970: due)
                    sealing.next = min(sealing.next ?? due, due)
                }
            }
            return sealing
        }
    }

    /// A condition on segments, where some watch is paused.
    private static func unpaused(_ db: Database) throws -> String {
        let isSome = try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM pauses WHERE watch <> '')"))
        return isSome == true
            ? " AND (SELECT watch FROM imports WHERE imports.id = import_id) NOT IN (SELECT watch FROM pauses)" : ""
    }

    /// A batch that goes on growing is sealed after this many times its linger all the same, so that a steady trickle of
    /// rows is not held back for ever.
    private static let longestLinger = 10.0

    /// Moves ready segments of one batch, oldest first, into a new submission.
    private static func sealOne(
        _ db: Database, _ key: (batch: String, isolation: String?), _ unpaused: String, named freshName: () -> String,
        maximum: Int, at now: Date
    ) throws -> (segments: Int, rows: Int, isDoubted: Bool) {
        let id = SubmissionID(rawValue: freshName())
        var rows = 0
        var segments = 0
        var shares: [String: Int] = [:]
        let ready = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT id, import_id, send_rows, earlier_sends = 0 AND
                        (SELECT origin FROM imports WHERE imports.id = import_id) <> 0 AS is_doubted
                    FROM segments WHERE phase = 'ready' AND batch_key = ? AND isolation IS ?\(unpaused) ORDER BY ready_at, id
                    """),
            arguments: [key.batch, key.isolation])
        var chosen: [Int64] = []
        // Of a ledger that was made anew: nobody knows whether they were sent, so they are looked up before they are.
        var isDoubted = false
        while let row = try ready.next() {
            let more: Int = row["send_rows"]
            if segments > 0, rows + more > maximum { break }
            rows += more
            segments += 1
            chosen.append(row["id"])
            if row["is_doubted"] { isDoubted = true }
            shares[row["import_id"], default: 0] += more
        }
        for segment in chosen {
            try db.cachedStatement(sql: "UPDATE segments SET phase = 'sealed', submission_id = ? WHERE id = ?")
                .execute(arguments: [id.rawValue, segment])
        }
        guard let first = chosen.first else { return (0, 0, false) }
        try db.cachedStatement(
            sql: """
                INSERT INTO submissions
                    (id, phase, dataset_id, operation, rows, isolation, created_at, next_attempt, submitted_at, reason)
                SELECT ?1, ?2, imports.dataset_id, imports.operation, ?3, ?4, ?5, ?5, ?6, ?7
                FROM segments JOIN imports ON imports.id = segments.import_id WHERE segments.id = ?8
                """
        ).execute(arguments: [
            id.rawValue, isDoubted ? "ambiguous" : "sealed", rows, key.isolation, now.stored,
            isDoubted ? now.stored : nil,
            isDoubted ? "they may have been sent before the ledger was made anew; their rows are looked up first" : "",
            first,
        ])
        for (importID, count) in shares {
            try db.cachedStatement(sql: "INSERT INTO import_tasks (import_id, submission_id, rows) VALUES (?, ?, ?)")
                .execute(arguments: [importID, id.rawValue, count])
            guard isDoubted else { continue }
            try db.cachedStatement(sql: "UPDATE imports SET started_at = COALESCE(started_at, ?) WHERE id = ?")
                .execute(arguments: [now.stored, importID])
            try refresh(db, importID, at: now)
        }
        return (segments, rows, isDoubted)
    }

    public func leaseSubmissions(
        in phases: [SubmissionPhase], for grant: LeaseGrant, limit: Int
    ) async throws -> [Leased<SubmissionRecord>] {
        let list = phases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return try await write { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        UPDATE submissions SET lease_owner = ?, lease_fence = lease_fence + 1, lease_until = ?
                        WHERE id IN (
                            SELECT id FROM submissions WHERE phase IN (\(list)) AND phase <> 'settled' AND next_attempt <= ?
                                AND (lease_owner IS NULL OR lease_until < ?)
                            ORDER BY next_attempt, created_at LIMIT ?)
                        RETURNING *
                        """),
                arguments: [grant.owner.rawValue, grant.until.stored, grant.now.stored, grant.now.stored, limit]
            )
            .compactMap { row in try row.lease.map { Leased(try SubmissionRecord(row: row), lease: $0) } }
            .sorted { $0.item.createdAt < $1.item.createdAt }
        }
    }

    public func segments(of submission: SubmissionID, after: Int64, limit: Int) async throws -> [SegmentRecord] {
        try await read { db in
            try db.cachedStatement(
                sql: """
                    SELECT segments.*, imports.watch, imports.path, imports.claimed_path, imports.instructions
                    FROM segments JOIN imports ON imports.id = segments.import_id
                    WHERE submission_id = ? AND segments.id > ? ORDER BY segments.id LIMIT ?
                    """
            ).records([submission.rawValue, after, limit]) { try SegmentRecord(row: $0) }
        }
    }

    public func mediaOutcomes(segment origin: Int64) async throws -> [ExactName: MediaOutcome] {
        try await read { db in
            var outcomes: [ExactName: MediaOutcome] = [:]
            let rows = try Row.fetchCursor(
                db.cachedStatement(
                    sql: """
                        SELECT name, url, sha256, failure FROM media_refs JOIN media ON media.id = media_id
                        WHERE segment_id = ?
                        """),
                arguments: [origin])
            while let row = try rows.next() {
                outcomes[ExactName(row["name"])] = MediaOutcome(
                    url: row["url"], sha256: (row["sha256"] as Data?).map { [UInt8]($0) },
                    failure: try row.errorEntry("failure"))
            }
            return outcomes
        }
    }

    public func recordFindings(_ item: Leased<SubmissionRecord>, found: Data, at now: Date) async throws {
        try await write { db in
            try Self.update(db, item, set: "reason = ''", [])
            try db.cachedStatement(
                sql: "INSERT INTO findings VALUES (?, ?) ON CONFLICT DO UPDATE SET found = excluded.found"
            ).execute(arguments: [item.item.id.rawValue, found])
        }
    }

    public func findings(of submission: SubmissionID) async throws -> Data? {
        try await read { db in
            try Data.fetchOne(
                db.cachedStatement(sql: "SELECT found FROM findings WHERE submission_id = ?"),
                arguments: [submission.rawValue])
        }
    }

    public func isPrecededByChanges(_ submission: SubmissionRecord) async throws -> Bool {
        try await read { db in
            try Bool.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT EXISTS (
                            SELECT 1 FROM submissions JOIN import_tasks ON submission_id = submissions.id
                            WHERE phase <> 'settled' AND dataset_id = ?1 AND operation <> 'create'
                                AND submissions.id <> ?2 AND created_at <= ?3
                                AND import_id NOT IN (SELECT import_id FROM import_tasks WHERE submission_id = ?2))
                        """),
                arguments: [submission.datasetID.rawValue, submission.id.rawValue, submission.createdAt.stored]
            ) ?? false
        }
    }

    public func recordIntent(_ item: Leased<SubmissionRecord>, manifestURL: String?, at now: Date) async throws {
        try await write { db in
            try Self.update(
                db, item,
                set: "phase = 'submitting', manifest_url = ?, submit_with = ?, reason = '', submitted_at = ?",
                [manifestURL, item.item.submitWith.rawValue, now.stored])
            if manifestURL == nil { try Self.start(db, item, at: now) }
        }
    }

    /// Marks the imports with rows in a submission as started.
    private static func start(_ db: Database, _ item: Leased<SubmissionRecord>, at now: Date) throws {
        try forEachImport(db, of: item.item.id) { id, _ in
            try db.cachedStatement(sql: "UPDATE imports SET started_at = COALESCE(started_at, ?) WHERE id = ?")
                .execute(arguments: [now.stored, id])
            try refresh(db, id, at: now)
        }
    }

    public func recordNotSubmitted(
        _ item: Leased<SubmissionRecord>, until: Date, reason: String, at now: Date
    ) async throws {
        try await write { db in
            try Self.update(
                db, item,
                set: """
                    phase = 'sealed', submitted_at = NULL, next_attempt = ?, reason = ?, attempts = attempts + 1,
                    lease_owner = NULL, lease_until = NULL
                    """, [until.stored, reason])
            try Self.withdrawCancelled(db, from: item.item.id, at: now)
        }
    }

    public func recordTask(
        _ item: Leased<SubmissionRecord>, task: TaskID, status: String, nextPoll: Date, at now: Date
    ) async throws {
        try await write { db in
            try Self.update(
                db, item,
                set: """
                    phase = 'submitted', task_id = ?, task_status = ?, submitted_at = ?, next_attempt = ?, reason = '',
                    attempts = 0, lease_owner = NULL, lease_until = NULL
                    """, [task.rawValue, status, now.stored, nextPoll.stored])
            try Self.forEachImport(db, of: item.item.id) { id, rows in
                try db.cachedStatement(
                    sql: """
                        UPDATE imports SET rows_submitted = rows_submitted + ?, started_at = COALESCE(started_at, ?)
                        WHERE id = ?
                        """
                ).execute(arguments: [rows, now.stored, id])
                try Self.refresh(db, id, at: now)
            }
        }
    }

    public func recordAmbiguous(
        _ item: Leased<SubmissionRecord>, nextLook: Date, reason: String, at now: Date
    ) async throws {
        try await write { db in
            try Self.update(
                db, item,
                // A doubt counts from its beginning: the call may have waited long for its turn after the intent, so that the
                // server had it as late as now, and a task may not have been seen for a while.
                set: """
                    submitted_at = CASE WHEN phase = 'ambiguous' THEN submitted_at ELSE ? END,
                    phase = 'ambiguous', next_attempt = ?, reason = ?, attempts = attempts + 1,
                    lease_owner = NULL, lease_until = NULL
                    """, [now.stored, nextLook.stored, reason])
            try Self.start(db, item, at: now)
        }
    }

    public func recordSightings(_ sightings: [(Leased<SubmissionRecord>, TaskSighting)], at now: Date) async throws {
        try await write { db in
            for (item, sighting) in sightings {
                try Self.update(
                    db, item,
                    set: """
                        phase = ?, task_status = ?, completion = ?, next_attempt = ?, reason = ?, attempts = attempts + 1,
                        lease_owner = NULL, lease_until = NULL
                        """,
                    [
                        sighting.hasEnded ? "collecting" : "submitted", sighting.status, sighting.completion,
                        sighting.nextPoll.stored, sighting.reason,
                    ])
                guard sighting.status != item.item.taskStatus || sighting.completion != item.item.completion else {
                    continue
                }
                try Self.forEachImport(db, of: item.item.id) { id, _ in try Self.refresh(db, id, at: now) }
            }
        }
    }

    public func postpone(_ item: Leased<SubmissionRecord>, until: Date, reason: String, at now: Date) async throws {
        try await write { db in
            try Self.update(
                db, item,
                set: "next_attempt = ?, reason = ?, attempts = attempts + 1, lease_owner = NULL, lease_until = NULL",
                [until.stored, reason])
        }
    }

    // MARK: -

    static func update(
        _ db: Database, _ item: Leased<SubmissionRecord>, set assignments: String,
        _ values: [(any DatabaseValueConvertible)?]
    ) throws {
        try db.cachedStatement(
            sql: "UPDATE submissions SET \(assignments) WHERE id = ? AND lease_owner = ? AND lease_fence = ?"
        ).execute(
            arguments: StatementArguments(
                values + [item.item.id.rawValue, item.lease.owner.rawValue, item.lease.fence]))
        guard db.changesCount == 1 else { throw LedgerError.leaseLost(what: "submission \(item.item.id)") }
    }

    /// Calls `body` with each import that has rows in a submission, and how many.
    private static func forEachImport(
        _ db: Database, of submission: SubmissionID, _ body: (String, Int) throws -> Void
    ) throws {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT import_id, rows FROM import_tasks WHERE submission_id = ?"),
            arguments: [submission.rawValue])
        for row in rows { try body(row["import_id"], row["rows"]) }
    }
}
