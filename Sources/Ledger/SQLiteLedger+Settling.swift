internal import DataRows
public import Foundation
internal import GRDB

extension SQLiteLedger {
    public func settle(
        _ item: Leased<SubmissionRecord>, outcomes: [SegmentOutcome], status: String, reason: String, at now: Date
    ) async throws {
        try await write { db in
            try Self.update(
                db, item,
                set: """
                    phase = 'settled', task_status = ?, reason = ?, finished_at = ?, completion = 100,
                    lease_owner = NULL, lease_until = NULL
                    """, [status, reason, now.stored])
            try db.cachedStatement(sql: "DELETE FROM findings WHERE submission_id = ?")
                .execute(arguments: [item.item.id.rawValue])
            var touched = Set<String>()
            for outcome in outcomes {
                touched.insert(try Self.settle(db, outcome, of: item.item, at: now))
            }
            let left = try Int.fetchOne(
                db.cachedStatement(sql: "SELECT COUNT(*) FROM segments WHERE submission_id = ?"),
                arguments: [item.item.id.rawValue])
            guard left == 0 else {
                throw LedgerError.defect(
                    path: "", why: "submission \(item.item.id) was settled but for \(left ?? 0) segments")
            }
            for id in touched {
                try Self.closeIfDone(db, id, at: now)
                try Self.refresh(db, id, at: now)
            }
        }
    }

    /// Ends one segment; returns its import.
    private static func settle(
        _ db: Database, _ outcome: SegmentOutcome, of submission: SubmissionRecord, at now: Date
    ) throws -> String {
        guard
            let segment = try Row.fetchOne(
                db.cachedStatement(sql: "SELECT import_id FROM segments WHERE id = ? AND submission_id = ?"),
                arguments: [outcome.segment, submission.id.rawValue])
        else { throw LedgerError.unknown(what: "segment \(outcome.segment) of submission \(submission.id)") }
        let id: String = segment["import_id"]
        // Of an import that was cancelled nothing is sent again: these rows are left out.
        let isCancelled =
            try Bool.fetchOne(
                db.cachedStatement(sql: "SELECT cancelled IS NOT NULL FROM imports WHERE id = ?"), arguments: [id])
            ?? false
        let resends = isCancelled ? [] : outcome.again
        for again in resends {
            try db.cachedStatement(
                sql: """
                    INSERT INTO segments (import_id, origin, phase, first_row, row_count, send_rows, byte_offset, byte_length,
                        only_rows, earlier_sends, batch_key, isolation, max_rows, linger, ready_at)
                    SELECT import_id, origin, 'ready', first_row, row_count, ?, byte_offset, byte_length,
                        ?, earlier_sends + ?, batch_key, ?, max_rows, linger, ?
                    FROM segments WHERE id = ?
                    """
            ).execute(arguments: [
                again.rows.count, again.rows.encoded, again.mayHaveArrived ? 1 : 0, again.isolation, now.stored,
                outcome.segment,
            ])
        }
        try db.cachedStatement(sql: "DELETE FROM segments WHERE id = ?").execute(arguments: [outcome.segment])
        if let part = outcome.results { try insert(db, part, of: id) }
        let again = outcome.again.reduce(0) { $0 + $1.rows.count }
        // Rows count as submitted when their task is recorded; those that are created one by one have none.
        let ended = outcome.created + outcome.updated + outcome.alreadyPresent + outcome.failed
        let resent = submission.submitWith == .createDataRow ? -ended : submission.taskID != nil ? again : 0
        try db.cachedStatement(
            sql: """
                UPDATE imports SET rows_created = rows_created + ?, rows_updated = rows_updated + ?,
                    rows_present = rows_present + ?, rows_failed = rows_failed + ?, rows_deleted = rows_deleted + ?,
                    rows_submitted = rows_submitted - ?, segments_open = segments_open + ?
                WHERE id = ?
                """
        ).execute(arguments: [
            outcome.created, outcome.updated, outcome.alreadyPresent, outcome.failed, outcome.deleted, resent,
            resends.count - 1, id,
        ])
        try addErrors(db, to: id, outcome.errors, total: max(outcome.failed, outcome.errors.count))
        return id
    }

    /// Whether rows of an import were left out because it was cancelled; if none was, that came too late to matter.
    private static let isLeftOut = """
        cancelled IS NOT NULL AND rows_total > rows_rejected + rows_created + rows_updated + rows_present + rows_failed
            + rows_deleted
        """

    /// Moves an import on to be closed when its last segment has ended, and says how it ended.
    static func closeIfDone(_ db: Database, _ id: String, at now: Date) throws {
        try db.cachedStatement(
            sql: """
                UPDATE imports SET phase = 'closing', next_attempt = NULL,
                    reason = CASE WHEN \(isLeftOut) THEN cancelled ELSE reason END,
                    state = CASE
                        WHEN \(isLeftOut) THEN 'cancelled'
                        WHEN rows_rejected + rows_failed = 0 THEN 'complete'
                        WHEN rows_created + rows_updated + rows_present + rows_deleted > 0 THEN 'complete_with_errors'
                        WHEN rows_failed > 0 THEN 'failed'
                        ELSE 'rejected' END
                WHERE id = ? AND phase = 'moving' AND segments_open = 0
                """
        ).execute(arguments: [id])
    }
}
