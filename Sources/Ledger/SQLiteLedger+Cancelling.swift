public import DataRows
public import Foundation
internal import GRDB
public import SystemPackage

/// What a cancellation found and did.
public struct Cancellation: Sendable, Hashable {
    /// How the import stood.
    public enum Found: Sendable, Hashable {
        /// It went its way, and goes no further.
        case underWay
        case cancelledBefore
        /// Each of its rows has its outcome.
        case ended(ImportState)
    }

    public var found: Found
    /// Rows that are at Labelbox already, and are followed until their outcome is known.
    public var followedRows = 0
    /// Whose work is of no use any more.
    public var calledOff: [CalledOff] = []
    /// Calls that may not have been made yet; once it is certain that they were not, the rows are taken out of them.
    public var called: [CalledOff] = []
}

extension SQLiteLedger {
    public func cancel(_ id: ImportID, reason: String, at now: Date) async throws -> Cancellation {
        try await write { db in
            guard
                let row = try Row.fetchOne(
                    db.cachedStatement(sql: "SELECT * FROM imports WHERE id = ?"), arguments: [id.rawValue])
            else { throw LedgerError.unknown(what: "import \(id)") }
            let record = try ImportRecord(row: row)
            if record.cancelled != nil { return Cancellation(found: .cancelledBefore) }
            switch record.phase {
            case .closing, .closed: return Cancellation(found: .ended(record.state))
            case .claimed: return try Self.cancelUnplanned(db, id.rawValue, reason: reason, at: now)
            case .moving: return try Self.cancelMoving(db, id.rawValue, reason: reason, at: now)
            }
        }
    }

    private static func cancelUnplanned(
        _ db: Database, _ id: String, reason: String, at now: Date
    ) throws -> Cancellation {
        try dropMedia(db, of: id, keepsUploaded: false)
        try dropSegments(db, of: id)
        try db.execute(sql: "DELETE FROM results_parts WHERE import_id = ?", arguments: [id])
        // Whoever reads it loses the lease by the fence.
        try db.execute(
            sql: """
                UPDATE imports SET phase = 'closing', state = 'cancelled', cancelled = ?1, reason = ?1,
                    next_attempt = NULL, attempts = 0, lease_owner = NULL, lease_until = NULL,
                    lease_fence = lease_fence + 1
                WHERE id = ?2
                """, arguments: [reason, id])
        try refresh(db, id, at: now)
        return Cancellation(found: .underWay)
    }

    /// Submissions of which the server has seen nothing: those that were never called, or certainly did not arrive.
    ///
    /// Changes whose call has no answer come back here to be sent again as they were, and what came of them is known only by
    /// that; and a deletion or a submission row by row may have been done in part.
    private static let untouched = """
        submissions.phase = 'sealed'
            AND (submissions.operation = 'create' OR submissions.operation = 'delete' OR manifest_url IS NULL)
            AND (submissions.attempts = 0 OR submissions.submit_with <> 'createDataRow')
            AND (submissions.attempts = 0 OR submissions.operation <> 'delete' OR NOT EXISTS (
                SELECT 1 FROM findings WHERE findings.submission_id = submissions.id))
        """

    private static func cancelMoving(
        _ db: Database, _ id: String, reason: String, at now: Date
    ) throws -> Cancellation {
        var cancellation = Cancellation(found: .underWay)
        let shared = try Row.fetchAll(
            db,
            sql: """
                SELECT DISTINCT submissions.* FROM segments JOIN submissions ON submissions.id = submission_id
                WHERE import_id = ? AND \(untouched)
                """, arguments: [id])
        for submission in shared {
            try withdraw(db, id, from: submission, at: now, &cancellation)
        }
        cancellation.called = try Row.fetchAll(
            db,
            sql: """
                SELECT DISTINCT submissions.* FROM segments JOIN submissions ON submissions.id = submission_id
                WHERE import_id = ? AND submissions.phase = 'submitting'
                """, arguments: [id]
        ).compactMap { row in row.lease.map { .submission(SubmissionID(rawValue: row["id"]), fence: $0.fence) } }
        try endMedia(db, of: id, &cancellation)
        try db.execute(
            sql: "DELETE FROM segments WHERE import_id = ? AND submission_id IS NULL", arguments: [id])
        cancellation.followedRows =
            try Int.fetchOne(
                db, sql: "SELECT COALESCE(SUM(send_rows), 0) FROM segments WHERE import_id = ?", arguments: [id]) ?? 0
        try db.execute(
            sql: """
                UPDATE imports SET cancelled = ?1, media_open = 0, media_awaited = 0,
                    segments_open = (SELECT COUNT(*) FROM segments WHERE import_id = ?2)
                WHERE id = ?2
                """, arguments: [reason, id])
        try closeIfDone(db, id, at: now)
        try refresh(db, id, at: now)
        return cancellation
    }

    /// Takes the rows of imports that were cancelled meanwhile out of a submission that the server certainly did not see.
    static func withdrawCancelled(_ db: Database, from submission: SubmissionID, at now: Date) throws {
        let ids = try String.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT import_id FROM import_tasks JOIN imports ON imports.id = import_id
                    WHERE submission_id = ? AND cancelled IS NOT NULL
                    """),
            arguments: [submission.rawValue])
        guard !ids.isEmpty,
            let row = try Row.fetchOne(
                db, sql: "SELECT * FROM submissions WHERE id = ? AND \(untouched)", arguments: [submission.rawValue])
        else { return }
        var cancellation = Cancellation(found: .cancelledBefore)
        for id in ids {
            try withdraw(db, id, from: row, at: now, &cancellation)
            try db.execute(
                sql: """
                    UPDATE imports SET segments_open = (SELECT COUNT(*) FROM segments WHERE import_id = ?1) WHERE id = ?1
                    """, arguments: [id])
            try closeIfDone(db, id, at: now)
            try refresh(db, id, at: now)
        }
    }

    /// Takes the rows of one import out of a submission that was not called; those of others stay in it.
    private static func withdraw(
        _ db: Database, _ id: String, from submission: Row, at now: Date, _ cancellation: inout Cancellation
    ) throws {
        let name: String = submission["id"]
        // Its chunks may be under way, with these rows in them: without the lease they come to nothing.
        if let lease = submission.lease {
            cancellation.calledOff.append(.submission(SubmissionID(rawValue: name), fence: lease.fence))
        }
        try db.execute(
            sql: "DELETE FROM segments WHERE submission_id = ? AND import_id = ?", arguments: [name, id])
        try db.execute(
            sql: "DELETE FROM import_tasks WHERE submission_id = ? AND import_id = ?", arguments: [name, id])
        // What was found before is found again, for the rows that are left.
        try db.execute(sql: "DELETE FROM findings WHERE submission_id = ?", arguments: [name])
        try db.execute(
            sql: """
                UPDATE submissions SET lease_owner = NULL, lease_until = NULL, lease_fence = lease_fence + 1,
                    manifest_url = NULL, next_attempt = ?2,
                    rows = (SELECT COALESCE(SUM(send_rows), 0) FROM segments WHERE submission_id = ?1)
                WHERE id = ?1
                """, arguments: [name, now.stored])
        try db.execute(
            sql: """
                DELETE FROM submissions
                WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM segments WHERE submission_id = ?1)
                """, arguments: [name])
    }

    /// Ends the files that only this import names and that are not uploaded, so that they leave with it; files that others
    /// name too are theirs from now on.
    private static func endMedia(_ db: Database, of id: String, _ cancellation: inout Cancellation) throws {
        let failure = ErrorEntry(code: "cancelled", message: "the import was cancelled before it was uploaded")
        let open = try Row.fetchAll(
            db,
            sql: """
                SELECT *, EXISTS (
                    SELECT 1 FROM media_refs WHERE media_id = media.id AND import_id <> ?1) AS is_shared
                FROM media WHERE phase IN ('awaited', 'pending')
                    AND id IN (SELECT media_id FROM media_refs WHERE import_id = ?1)
                """, arguments: [id])
        for media in open {
            let number: Int64 = media["id"]
            if media["is_shared"] {
                try db.execute(
                    sql: "DELETE FROM media_refs WHERE media_id = ? AND import_id = ?", arguments: [number, id])
                continue
            }
            if let lease = media.lease { cancellation.calledOff.append(.media(number, fence: lease.fence)) }
            try db.execute(
                sql: """
                    UPDATE media SET phase = 'failed', failure = ?, lease_owner = NULL, lease_until = NULL,
                        lease_fence = lease_fence + 1
                    WHERE id = ?
                    """, arguments: [try failure.stored(), number])
        }
    }

    // MARK: Retries

    public func mediaPutAway(of id: ImportID) async throws -> [(path: FilePath, destination: FilePath)] {
        try await read { db in
            try Row.fetchAll(
                db.cachedStatement(sql: "SELECT path, destination FROM put_away WHERE import_id = ?"),
                arguments: [id.rawValue]
            ).map { ($0.path("path"), $0.path("destination")) }
        }
    }

    public func forgetMediaPutAway(of id: ImportID) async throws {
        try await write { db in
            try db.execute(sql: "DELETE FROM put_away WHERE import_id = ?", arguments: [id.rawValue])
        }
    }
}
