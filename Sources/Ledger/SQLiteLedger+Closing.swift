public import DataRows
public import Foundation
internal import GRDB
public import SystemPackage

extension SQLiteLedger {
    public func resultsParts(of id: ImportID) async throws -> [ResultsPart] {
        try await read { try Self.resultsParts($0, of: id) }
    }

    public func resultsParts(of ids: [ImportID]) async throws -> [[ResultsPart]] {
        try await read { db in try ids.map { try Self.resultsParts(db, of: $0) } }
    }

    private static func resultsParts(_ db: Database, of id: ImportID) throws -> [ResultsPart] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: "SELECT first_row, path, lines FROM results_parts WHERE import_id = ? ORDER BY first_row, number"),
            arguments: [id.rawValue]
        ).map { row in
            let lines: ResultsPart.Lines =
                if let path = row.optionalPath("path") { .file(path) } else { .inline(row["lines"] ?? Data()) }
            return ResultsPart(firstRow: row["first_row"], lines: lines)
        }
    }

    public func recordDestinations(_ closings: [Closing], at now: Date) async throws {
        try await write { db in
            for closing in closings {
                try Self.update(
                    db, closing.item, at: now, set: "destination = ?, results_path = ?, failed_path = ?",
                    [closing.destination?.stored, closing.results?.stored, closing.failedRows?.stored])
            }
        }
    }

    public func recordClosed(_ closings: [Closing], at now: Date) async throws {
        try await write { db in
            for closing in closings {
                let id = closing.item.item.id.rawValue
                try Self.update(
                    db, closing.item, at: now,
                    set: """
                        phase = 'closed', destination = ?, results_path = ?, failed_path = ?, finished_at = ?,
                        next_attempt = NULL, attempts = 0, media_open = 0, media_awaited = 0, lease_owner = NULL, lease_until = NULL
                        """,
                    [
                        closing.destination?.stored, closing.results?.stored, closing.failedRows?.stored, now.stored,
                    ])
                let state = closing.item.item.state
                let hasFailed = state == .failed || state == .rejected || state == .cancelled
                try Self.releaseMedia(
                    db, of: id, leavesTo: closing.releasesMedia ? (hasFailed ? "failed" : "archive") : nil,
                    isRemembered: state != .complete, wasCancelled: state == .cancelled)
                try Self.dropSegments(db, of: id)
                try db.cachedStatement(sql: "DELETE FROM results_parts WHERE import_id = ?").execute(arguments: [id])
            }
        }
    }

    /// Lets go of the files that an import names; the last import that named a file decides where it goes.
    ///
    /// Where they went is remembered for an import that may be taken up again.
    private static func releaseMedia(
        _ db: Database, of id: String, leavesTo: String?, isRemembered: Bool, wasCancelled: Bool
    ) throws {
        let alone = try Int64.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT media_id FROM (SELECT DISTINCT media_id FROM media_refs WHERE import_id = ?1) AS mine
                    WHERE NOT EXISTS (
                        SELECT 1 FROM media_refs AS theirs WHERE theirs.media_id = mine.media_id AND theirs.import_id <> ?1)
                    """),
            arguments: [id])
        for media in alone {
            // A file of which nothing was ever found has nothing to move, unless nobody looked any more because the import was
            // cancelled; one outside the watch is not ours; and one that another import names under a row of its own (it was
            // seen before it settled, or failed once) leaves with that.
            if let leavesTo, try !isNamedElsewhere(db, media, but: id) {
                try db.cachedStatement(
                    sql: """
                        UPDATE media SET phase = 'leaving', leaves_to = ?, left_by = ?, next_attempt = 0,
                            lease_owner = NULL, lease_until = NULL
                        WHERE id = ? AND root = 0
                            AND (? OR (inode IS NOT NULL AND phase IN ('uploaded', 'failed')))
                        """
                ).execute(arguments: [leavesTo, isRemembered ? id : nil, media, wasCancelled])
                if db.changesCount == 1 { continue }
            }
            // One that stays where it is must not be taken for a new one later.
            try db.cachedStatement(
                sql: """
                    INSERT OR REPLACE INTO kept (watch, path, size, modified)
                    SELECT watch, path, size, modified FROM media WHERE id = ? AND inode IS NOT NULL AND root = 0
                    """
            ).execute(arguments: [media])
            try db.cachedStatement(sql: "DELETE FROM media WHERE id = ?").execute(arguments: [media])
        }
    }

    public func recordKept(_ files: [KeptFile], watch: String) async throws {
        try await write { db in
            for file in files {
                try db.cachedStatement(
                    sql: "INSERT OR REPLACE INTO kept (watch, path, size, modified) VALUES (?, ?, ?, ?)"
                )
                .execute(arguments: [watch, file.path.stored, file.size, file.modified])
            }
        }
    }

    public func keptFiles(watch: String, among files: [KeptFile]) async throws -> Set<FilePath> {
        try await read { db in
            var kept = Set<FilePath>()
            for file in files {
                let isKept = try Bool.fetchOne(
                    db.cachedStatement(
                        sql: "SELECT 1 FROM kept WHERE watch = ? AND path = ? AND size = ? AND modified = ?"),
                    arguments: [watch, file.path.stored, file.size, file.modified])
                if isKept == true { kept.insert(file.path) }
            }
            return kept
        }
    }

    private static func isNamedElsewhere(_ db: Database, _ media: Int64, but id: String) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT EXISTS (
                        SELECT 1 FROM media AS mine
                            JOIN media AS other USING (watch, root, path)
                            JOIN media_refs ON media_refs.media_id = other.id
                        WHERE mine.id = ? AND other.id <> mine.id AND import_id <> ?)
                    """),
            arguments: [media, id]) ?? false
    }

    public func recordMediaDestinations(_ items: [(Leased<MediaRecord>, FilePath)], at now: Date) async throws {
        try await write { db in
            for (item, destination) in items {
                try Self.update(db, item, set: "destination = ?", [destination.stored])
            }
        }
    }

    public func postponeLeaving(_ item: Leased<MediaRecord>, until: Date, at now: Date) async throws {
        try await write { db in
            try Self.update(db, item, set: "next_attempt = ?, lease_owner = NULL, lease_until = NULL", [until.stored])
        }
    }

    public func recordMediaGone(_ items: [Leased<MediaRecord>], at now: Date) async throws {
        try await write { db in
            for item in items {
                try db.cachedStatement(
                    sql: """
                        INSERT OR REPLACE INTO put_away SELECT left_by, path, destination FROM media
                        WHERE id = ? AND left_by IS NOT NULL AND destination IS NOT NULL
                        """
                ).execute(arguments: [item.item.id])
                try db.cachedStatement(sql: "DELETE FROM media WHERE id = ? AND lease_owner = ? AND lease_fence = ?")
                    .execute(arguments: [item.item.id, item.lease.owner.rawValue, item.lease.fence])
                guard db.changesCount == 1 else { throw LedgerError.leaseLost(what: "media file \(item.item.path)") }
            }
        }
    }
}
