public import Foundation
internal import GRDB
public import SystemPackage

extension SQLiteLedger {
    public func leaseMedia(for grant: LeaseGrant, limit: Int) async throws -> [Leased<MediaRecord>] {
        try await leaseMedia(
            phases: ["awaited", "pending"], " AND watch NOT IN (SELECT watch FROM pauses)", for: grant, limit: limit)
    }

    public func leaseLeavingMedia(for grant: LeaseGrant, limit: Int) async throws -> [Leased<MediaRecord>] {
        try await leaseMedia(phases: ["leaving"], for: grant, limit: limit)
    }

    private func leaseMedia(
        phases: [String], _ condition: String = "", for grant: LeaseGrant, limit: Int
    ) async throws -> [Leased<MediaRecord>] {
        // One ordered walk of the index for each phase, which ends at the limit: `phase IN (…) ORDER BY next_attempt`
        // would sort everything that is due, again for each lease.
        let due = phases.map { phase in
            """
            SELECT * FROM (
                SELECT id, next_attempt FROM media WHERE phase = '\(phase)' AND phase IN ('awaited', 'pending', 'leaving')
                    AND next_attempt <= ?3 AND (lease_owner IS NULL OR lease_until < ?3)\(condition)
                ORDER BY next_attempt LIMIT ?4)
            """
        }
        let sql = """
            UPDATE media SET lease_owner = ?1, lease_fence = lease_fence + 1, lease_until = ?2
            WHERE id IN (SELECT id FROM (\(due.joined(separator: " UNION ALL "))) ORDER BY next_attempt LIMIT ?4)
            RETURNING *
            """
        return try await write { db in
            try Row.fetchAll(
                db.cachedStatement(sql: sql),
                arguments: [grant.owner.rawValue, grant.until.stored, grant.now.stored, limit]
            )
            .compactMap { row in try row.lease.map { Leased(try MediaRecord(row: row), lease: $0) } }
            .sorted { $0.item.id < $1.item.id }
        }
    }

    public func wakeMedia(watch: String, paths: [FilePath], at now: Date) async throws {
        try await write { db in
            for path in paths {
                try db.cachedStatement(
                    sql: """
                        UPDATE media SET next_attempt = ?
                        WHERE watch = ? AND root = 0 AND path = ? AND phase = 'awaited' AND next_attempt > ?
                        """
                ).execute(arguments: [now.stored, watch, path.stored, now.stored])
            }
        }
    }

    public func recordFound(_ item: Leased<MediaRecord>, identity: MediaIdentity, at now: Date) async throws {
        try await write { db in
            let before = try Self.standing(db, item)
            try Self.update(
                db, item, set: "device = ?, inode = ?, size = ?, modified = ?, changed = ?, phase = 'pending'",
                Self.columns(of: identity))
            for id in try Self.imports(db, naming: item.item.id) {
                try db.cachedStatement(
                    sql:
                        "UPDATE imports SET media_awaited = media_awaited - ?, media_bytes = media_bytes + ? WHERE id = ?"
                ).execute(arguments: [before.isAwaited ? 1 : 0, identity.size - before.size, id])
                try Self.refresh(db, id, at: now)
            }
        }
    }

    public func postpone(_ item: Leased<MediaRecord>, until: Date, isAwaited: Bool, at now: Date) async throws {
        try await write { db in
            let before = try Self.standing(db, item)
            try Self.update(
                db, item,
                set: "phase = ?, next_attempt = ?, attempts = attempts + 1, lease_owner = NULL, lease_until = NULL",
                [isAwaited ? "awaited" : "pending", until.stored])
            let change = (isAwaited ? 1 : 0) - (before.isAwaited ? 1 : 0)
            guard change != 0 else { return }
            for id in try Self.imports(db, naming: item.item.id) {
                try db.cachedStatement(sql: "UPDATE imports SET media_awaited = media_awaited + ? WHERE id = ?")
                    .execute(arguments: [change, id])
                try Self.refresh(db, id, at: now)
            }
        }
    }

    @discardableResult
    public func recordUploaded(
        _ item: Leased<MediaRecord>, content: UploadedContent, warning: ErrorEntry?, at now: Date
    ) async throws -> Bool {
        try await write { db in
            let before = try Self.standing(db, item)
            try Self.update(
                db, item,
                set: """
                    phase = 'uploaded', sha256 = ?, url = ?, uploaded_at = ?, warning = ?,
                    lease_owner = NULL, lease_until = NULL
                    """,
                [Data(content.sha256), content.url, content.uploadedAt.stored, try warning?.stored()])
            try Self.remember(db, content)
            if let warning {
                for id in try Self.imports(db, naming: item.item.id) { try Self.addWarnings(db, to: id, [warning]) }
            }
            return try Self.mediaEnded(
                db, item.item, wasAwaited: before.isAwaited, uploaded: content.bytes, at: now)
        }
    }

    /// Gives an import that was just planned the warnings of those of its files that are uploaded already.
    static func takeWarnings(_ db: Database, ofMediaOf id: String) throws {
        let warnings = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT warning FROM media WHERE phase = 'uploaded' AND warning IS NOT NULL
                        AND id IN (SELECT media_id FROM media_refs WHERE import_id = ?) ORDER BY id
                    """), arguments: [id]
        ).compactMap { try $0.errorEntry("warning") }
        try addWarnings(db, to: id, warnings)
    }

    public func recordContent(_ content: UploadedContent) async throws {
        try await write { try Self.remember($0, content) }
    }

    private static func remember(_ db: Database, _ content: UploadedContent) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO contents (sha256, bytes, type, url, uploaded_at) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET url = excluded.url, uploaded_at = excluded.uploaded_at
                WHERE excluded.uploaded_at >= contents.uploaded_at
                """
        ).execute(arguments: [
            Data(content.sha256), content.bytes, content.type, content.url, content.uploadedAt.stored,
        ])
        try db.cachedStatement(
            sql: """
                INSERT INTO counters (name, value) VALUES ('latest_upload', ?)
                ON CONFLICT (name) DO UPDATE SET value = MAX(value, excluded.value)
                """
        ).execute(arguments: [Int(content.uploadedAt.stored.rounded(.up))])
    }

    public func recordFailed(_ item: Leased<MediaRecord>, failure: ErrorEntry, at now: Date) async throws {
        try await write { db in
            let before = try Self.standing(db, item)
            try Self.update(
                db, item, set: "phase = 'failed', failure = ?, lease_owner = NULL, lease_until = NULL",
                [try failure.stored()])
            _ = try Self.mediaEnded(db, item.item, wasAwaited: before.isAwaited, uploaded: nil, at: now)
        }
    }

    public func knownContent(
        sha256: [UInt8], bytes: Int64, type: String, uploadedAfter: Date
    ) async throws -> UploadedContent? {
        try await read { db in
            try Row.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT url, uploaded_at FROM contents
                        WHERE sha256 = ? AND bytes = ? AND type IN (?, '') AND uploaded_at > ? ORDER BY type DESC LIMIT 1
                        """),
                arguments: [Data(sha256), bytes, type, uploadedAfter.stored]
            ).map {
                UploadedContent(
                    sha256: sha256, bytes: bytes, type: type, url: $0["url"],
                    uploadedAt: Date(timeIntervalSince1970: $0["uploaded_at"]))
            }
        }
    }

    public func knowsContent(bytes: Int64) async throws -> Bool {
        try await read { db in
            // The constant lets the index of large contents be used.
            try Bool.fetchOne(
                db.cachedStatement(
                    sql: "SELECT EXISTS (SELECT 1 FROM contents WHERE bytes = ? AND bytes >= \(LargeContent.bytes))"),
                arguments: [bytes]) ?? false
        }
    }

    public func limit(_ name: String, of server: String) async throws -> Int? {
        try await read { db in
            try Int.fetchOne(db, sql: "SELECT value FROM counters WHERE name = ?", arguments: ["\(name) \(server)"])
        }
    }

    public func recordLimit(_ limit: Int, on name: String, of server: String) async throws {
        try await write { db in
            try db.execute(
                sql: "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                arguments: ["\(name) \(server)", limit])
        }
    }

    public func namedPaths(watch: String, among paths: [FilePath]) async throws -> Set<FilePath> {
        try await read { db in
            var named = Set<FilePath>()
            for path in paths {
                let isNamed = try Bool.fetchOne(
                    db.cachedStatement(
                        sql: """
                            SELECT 1 FROM media WHERE watch = ? AND root = 0 AND path = ?
                                AND (phase = 'leaving' OR EXISTS (SELECT 1 FROM media_refs WHERE media_id = media.id)) LIMIT 1
                            """),
                    arguments: [watch, path.stored])
                if isNamed == true { named.insert(path) }
            }
            return named
        }
    }

    public func hasUnplannedImports(watch: String) async throws -> Bool {
        try await read { db in
            try Bool.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT EXISTS (SELECT 1 FROM imports WHERE phase = 'claimed' AND phase <> 'closed' AND watch = ?)
                        """),
                arguments: [watch]) ?? false
        }
    }

    public func unplannedPaths(watch: String, limit: Int) async throws -> [FilePath] {
        try await read { db in
            try Row.fetchAll(
                db.cachedStatement(
                    sql: "SELECT path FROM imports WHERE phase = 'claimed' AND phase <> 'closed' AND watch = ? LIMIT ?"),
                arguments: [watch, limit]
            ).map { $0.path("path") }
        }
    }

    // MARK: -

    static func update(
        _ db: Database, _ item: Leased<MediaRecord>, set assignments: String,
        _ values: [(any DatabaseValueConvertible)?]
    ) throws {
        try db.cachedStatement(
            sql: "UPDATE media SET \(assignments) WHERE id = ? AND lease_owner = ? AND lease_fence = ?"
        ).execute(
            arguments: StatementArguments(values + [item.item.id, item.lease.owner.rawValue, item.lease.fence]))
        guard db.changesCount == 1 else { throw LedgerError.leaseLost(what: "media file \(item.item.path)") }
    }

    /// How a file stands now: the caller's copy dates from its lease, and a step since then may have changed it.
    private static func standing(
        _ db: Database, _ item: Leased<MediaRecord>
    ) throws -> (isAwaited: Bool, size: Int64) {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT phase, size FROM media WHERE id = ?"), arguments: [item.item.id])
        guard let row else { throw LedgerError.leaseLost(what: "media file \(item.item.path)") }
        return (row["phase"] as String == "awaited", row["size"] ?? 0)
    }

    /// The imports that count a file: one that is still being planned counts its media when the plan ends.
    private static func imports(_ db: Database, naming media: Int64) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT DISTINCT import_id FROM media_refs JOIN imports ON imports.id = import_id
                    WHERE media_id = ? AND phase = 'moving'
                    """), arguments: [media])
    }

    /// Tells the segments that wait for a file, and the imports that count it, that its way has ended.
    ///
    /// - Returns: whether it was the last file of one of them.
    private static func mediaEnded(
        _ db: Database, _ media: MediaRecord, wasAwaited: Bool, uploaded: Int64?, at now: Date
    ) throws -> Bool {
        try db.cachedStatement(
            sql: """
                UPDATE segments SET media_open = media_open - 1
                WHERE id IN (SELECT segment_id FROM media_refs WHERE media_id = ?) AND media_open > 0
                """
        ).execute(arguments: [media.id])
        try db.cachedStatement(
            sql: """
                UPDATE segments SET ready_at = ?,
                    phase = CASE WHEN (SELECT holds FROM imports WHERE id = import_id) THEN 'held' ELSE 'ready' END
                WHERE id IN (SELECT segment_id FROM media_refs WHERE media_id = ?) AND phase = 'waiting' AND media_open = 0
                """
        ).execute(arguments: [now.stored, media.id])
        var wasLast = db.changesCount > 0
        for id in try imports(db, naming: media.id) {
            let open = try Int.fetchOne(
                db.cachedStatement(
                    sql: """
                        UPDATE imports SET media_open = media_open - 1, media_awaited = media_awaited - ?,
                            media_uploaded_files = media_uploaded_files + ?, media_uploaded_bytes = media_uploaded_bytes + ?,
                            started_at = COALESCE(started_at, ?)
                        WHERE id = ? RETURNING media_open
                        """),
                arguments: [wasAwaited ? 1 : 0, uploaded == nil ? 0 : 1, uploaded ?? 0, now.stored, id])
            if open == 0 {
                wasLast = true
                try settleHold(db, id, at: now)
            }
            try refresh(db, id, at: now)
        }
        return wasLast
    }

    /// Lets an import that takes all or nothing go on once all its media is there, or ends it when one file failed.
    static func settleHold(_ db: Database, _ id: String, at now: Date) throws {
        guard
            let row = try Row.fetchOne(
                db.cachedStatement(
                    sql: "SELECT 1 FROM imports WHERE id = ? AND holds AND media_open = 0 AND phase = 'moving'"),
                arguments: [id]), !row.isEmpty
        else { return }
        let failure = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT media.failure FROM media JOIN media_refs ON media_refs.media_id = media.id
                    WHERE media_refs.import_id = ? AND media.phase = 'failed' LIMIT 1
                    """), arguments: [id]
        )?.errorEntry("failure")
        guard let failure else {
            try db.cachedStatement(
                sql: "UPDATE segments SET phase = 'ready', ready_at = ? WHERE import_id = ? AND phase = 'held'"
            ).execute(arguments: [now.stored, id])
            return
        }
        try addErrors(db, to: id, [failure], total: 1)
        try db.cachedStatement(sql: "DELETE FROM segments WHERE import_id = ?").execute(arguments: [id])
        try db.cachedStatement(
            sql: """
                UPDATE imports SET phase = 'closing', state = 'rejected', segments_open = 0,
                    reason = 'nothing was imported, since on_invalid_row is reject and a media file failed'
                WHERE id = ?
                """
        ).execute(arguments: [id])
    }
}
