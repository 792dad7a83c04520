public import DataRows
public import Foundation
internal import GRDB

extension SQLiteLedger {
    public func renewMedia(
        of submission: SubmissionID, uploadedAfter: [String: Date], at now: Date
    ) async throws -> Int {
        let mostly = try await read { db in
            try Self.media(db, of: submission.rawValue, uploadedAfter: uploadedAfter)
        }
        // Nearly always: no write, and so no sync, for a question.
        if mostly.isEmpty { return 0 }
        return try await write { db in
            let media = try Self.media(db, of: submission.rawValue, uploadedAfter: uploadedAfter)
            for file in media where file.isOld { try Self.renew(db, file, at: now) }
            return media.count
        }
    }

    /// A file without an address that is good.
    private struct Unready {
        let id: Int64
        let bytes: Int64
        /// It has an address, which is too old.
        let isOld: Bool
    }

    private static func media(
        _ db: Database, of submission: String, uploadedAfter: [String: Date]
    ) throws -> [Unready] {
        try uploadedAfter.flatMap { watch, limit in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT DISTINCT media.id, media.size, media.phase FROM segments
                        JOIN media_refs ON media_refs.segment_id = segments.origin
                        JOIN media ON media.id = media_refs.media_id
                        WHERE segments.submission_id = ? AND media.watch = ? AND (media.phase IN ('awaited', 'pending')
                            OR (media.phase = 'uploaded' AND media.uploaded_at <= ?))
                        """),
                arguments: [submission, watch, limit.stored]
            ).map { row in
                Unready(id: row["id"], bytes: row["size"] ?? 0, isOld: row["phase"] as String == "uploaded")
            }
        }
    }

    /// The opposite of what is recorded when a file is uploaded; see `mediaEnded`.
    ///
    /// The old address stays until there is a new one: rows that were sent with it are read again when their results come.
    private static func renew(_ db: Database, _ file: Unready, at now: Date) throws {
        try db.cachedStatement(
            sql: """
                UPDATE media SET phase = 'pending', next_attempt = ?, attempts = 0, since = ? WHERE id = ?
                """
        ).execute(arguments: [now.stored, now.stored, file.id])
        try db.cachedStatement(
            sql: """
                UPDATE segments SET media_open = media_open + 1
                WHERE id IN (SELECT segment_id FROM media_refs WHERE media_id = ?)
                """
        ).execute(arguments: [file.id])
        let imports = try String.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT DISTINCT import_id FROM media_refs JOIN imports ON imports.id = import_id
                    WHERE media_id = ? AND phase = 'moving'
                    """), arguments: [file.id])
        for id in imports {
            try db.cachedStatement(
                sql: """
                    UPDATE imports SET media_open = media_open + 1, media_uploaded_files = media_uploaded_files - 1,
                        media_uploaded_bytes = media_uploaded_bytes - ?
                    WHERE id = ?
                    """
            ).execute(arguments: [file.bytes, id])
            try refresh(db, id, at: now)
        }
    }
}
