internal import DataRows
public import Foundation
internal import GRDB

extension SQLiteLedger {
    public func recover(as owner: LeaseOwner, at now: Date) async throws -> Recovery {
        try await write { db in
            var recovery = Recovery()
            for table in ["imports", "media", "submissions"] {
                try db.execute(
                    sql: """
                        UPDATE \(table) SET lease_owner = NULL, lease_until = NULL
                        WHERE lease_owner IS NOT NULL AND lease_owner <> ?
                        """, arguments: [owner.rawValue])
            }
            // Due times were in the clock of a process that is gone.
            try db.execute(
                sql: "UPDATE imports SET next_attempt = NULL WHERE phase <> 'closed' AND next_attempt > ?",
                arguments: [now.stored])
            try db.execute(
                sql:
                    "UPDATE media SET next_attempt = ? WHERE phase IN ('awaited', 'pending', 'leaving') AND next_attempt > ?",
                arguments: [now.stored, now.stored])
            try db.execute(
                sql: "UPDATE submissions SET next_attempt = ? WHERE phase <> 'settled' AND next_attempt > ?",
                arguments: [now.stored, now.stored])
            try db.execute(
                sql: "UPDATE segments SET ready_at = ? WHERE phase = 'ready' AND ready_at > ?",
                arguments: [now.stored, now.stored])
            try Self.disbelieveTheFuture(db, at: now)
            // What is counted from a time begins anew: while nobody looked, the calendar's clock may have been set. A wait gets
            // longer by that, and a doubt is never taken for settled because a clock leapt.
            try db.execute(
                sql:
                    "UPDATE media SET since = ? WHERE phase = 'awaited' AND phase IN ('awaited', 'pending', 'leaving')",
                arguments: [now.stored])
            try db.execute(
                sql: "UPDATE submissions SET submitted_at = ? WHERE phase = 'ambiguous' AND phase <> 'settled'",
                arguments: [now.stored])
            try db.execute(
                sql: """
                    UPDATE submissions SET phase = 'ambiguous', next_attempt = ?1, reason = ?2, submitted_at = ?1
                    WHERE phase = 'submitting' AND phase <> 'settled'
                    """,
                arguments: [now.stored, "the daemon stopped between the call and its answer; its rows are looked up"])
            recovery.ambiguousSubmissions = db.changesCount
            recovery.unfinishedImports =
                try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM imports WHERE phase <> 'closed'") ?? 0
            recovery.openSubmissions =
                try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM submissions WHERE phase <> 'settled'") ?? 0
            return recovery
        }
    }

    /// Takes what happened after now to have happened now, of what is unfinished.
    ///
    /// Nothing has: an earlier process had a clock that was ahead. Else, who waits since then would wait until that time comes,
    /// and longer; and what was uploaded then would be fresh once more when it does.
    private static func disbelieveTheFuture(_ db: Database, at now: Date) throws {
        for change in [
            "UPDATE imports SET seen_at = ?1 WHERE phase <> 'closed' AND seen_at > ?1",
            "UPDATE media SET since = ?1 WHERE phase IN ('awaited', 'pending', 'leaving') AND since > ?1",
            "UPDATE submissions SET created_at = ?1 WHERE phase <> 'settled' AND created_at > ?1",
            "UPDATE submissions SET submitted_at = ?1 WHERE phase <> 'settled' AND submitted_at > ?1",
        ] {
            try db.execute(sql: change, arguments: [now.stored])
        }
        // The addresses of everything that was ever uploaded: gone through only where there is something to find.
        let latest = try Int.fetchOne(db, sql: "SELECT value FROM counters WHERE name = 'latest_upload'")
        guard let latest, Double(latest) > now.stored + 1 else { return }
        try db.execute(sql: "DELETE FROM contents WHERE uploaded_at > ?", arguments: [now.stored])
        try db.execute(
            sql: "UPDATE counters SET value = ? WHERE name = 'latest_upload'", arguments: [Int(now.stored)])
    }

    public func onChange(_ changed: @escaping @Sendable () -> Void) {
        queue.onChange(changed)
    }

    public func renewLeases(of owner: LeaseOwner, until: Date) async throws {
        try await write { db in
            for table in ["imports", "media", "submissions"] {
                try db.execute(
                    sql: "UPDATE \(table) SET lease_until = ? WHERE lease_owner = ?",
                    arguments: [until.stored, owner.rawValue])
            }
        }
    }

    public func revision() async throws -> Int {
        try await read { try Int.fetchOne($0, sql: "SELECT value FROM counters WHERE name = 'revision'") ?? 0 }
    }

    public func open(_ imports: [NewImport], at now: Date) async throws {
        try await write { db in
            for new in imports {
                try db.cachedStatement(
                    sql: """
                        INSERT INTO imports
                            (id, revision, watch, path, claimed_path, bytes, origin, retry_of, phase, state, seen_at,
                                updated_at)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'claimed', 'queued', ?, ?) ON CONFLICT (id) DO NOTHING
                        """
                ).execute(arguments: [
                    new.id.rawValue, try Self.nextRevision(db), new.watch, new.path.stored, new.claimedPath.stored,
                    new.bytes, new.origin.rawValue, new.retryOf?.rawValue, new.seenAt.stored, now.stored,
                ])
            }
        }
    }

    public func leaseImports(
        in phase: ImportPhase, for grant: LeaseGrant, limit: Int
    ) async throws -> [Leased<ImportRecord>] {
        try await write { db in
            try db.cachedStatement(
                sql: """
                    UPDATE imports SET lease_owner = ?, lease_fence = lease_fence + 1, lease_until = ?
                    WHERE id IN (
                        SELECT id FROM imports WHERE phase = ? AND phase <> 'closed'
                            AND (lease_owner IS NULL OR lease_until < ?)
                            AND (next_attempt IS NULL OR next_attempt <= ?)
                        ORDER BY seen_at LIMIT ?)
                    RETURNING *
                    """
            ).records([
                grant.owner.rawValue, grant.until.stored, phase.rawValue, grant.now.stored, grant.now.stored, limit,
            ]) { row in try row.lease.map { Leased(try ImportRecord(row: row), lease: $0) } }
            .sorted { $0.item.seenAt < $1.item.seenAt }
        }
    }

    public func postpone(_ item: Leased<ImportRecord>, until: Date, reason: String, at now: Date) async throws {
        try await write { db in
            try Self.update(
                db, item, at: now,
                set: """
                    next_attempt = ?, attempts = attempts + 1, delay = ?, lease_owner = NULL, lease_until = NULL
                    """, [until.stored, reason])
        }
    }
}

// MARK: - What every step on imports shares

extension SQLiteLedger {
    /// The number of the next change.
    static func nextRevision(_ db: Database) throws -> Int {
        try Int.fetchOne(
            db.cachedStatement(sql: "UPDATE counters SET value = value + 1 WHERE name = 'revision' RETURNING value"))
            ?? 0
    }

    /// Changes a leased import, and fails when the lease is gone.
    static func update(
        _ db: Database, _ item: Leased<ImportRecord>, at now: Date, set assignments: String,
        _ values: [(any DatabaseValueConvertible)?]
    ) throws {
        try db.cachedStatement(
            sql: """
                UPDATE imports SET \(assignments), revision = ?, updated_at = ?
                WHERE id = ? AND lease_owner = ? AND lease_fence = ?
                """
        ).execute(
            arguments: StatementArguments(
                values + [
                    try nextRevision(db), now.stored, item.item.id.rawValue, item.lease.owner.rawValue,
                    item.lease.fence,
                ]))
        guard db.changesCount == 1 else { throw LedgerError.leaseLost(what: "import \(item.item.id)") }
    }

    /// Marks an import as changed, and works out the state that users see from where its parts stand.
    static func refresh(_ db: Database, _ id: String, at now: Date) throws {
        try db.cachedStatement(
            sql: """
                UPDATE imports SET revision = ?, updated_at = ?,
                    state = CASE
                        WHEN phase <> 'moving' THEN state
                        WHEN media_awaited > 0 THEN 'waiting_for_media'
                        WHEN started_at IS NULL THEN 'queued'
                        ELSE 'importing' END
                WHERE id = ?
                """
        ).execute(arguments: [try nextRevision(db), now.stored, id])
    }

    /// Adds errors to those that an import keeps, up to ``ErrorEntry/kept``, and counts them all.
    static func addErrors(_ db: Database, to id: String, _ entries: [ErrorEntry], total: Int) throws {
        try add(db, "errors", to: id, entries, total: total)
    }

    /// Adds warnings to those that an import keeps, up to ``ErrorEntry/kept``, and counts them all.
    static func addWarnings(_ db: Database, to id: String, _ entries: [ErrorEntry]) throws {
        try add(db, "warnings", to: id, entries, total: entries.count)
    }

    private static func add(
        _ db: Database, _ column: String, to id: String, _ entries: [ErrorEntry], total: Int
    ) throws {
        guard total > 0 else { return }
        // What is kept already is not read: an import of many files with something to tell would read it for each of them.
        let kept = try Int.fetchOne(
            db.cachedStatement(sql: "SELECT json_array_length(\(column)) FROM imports WHERE id = ?"), arguments: [id])
        let more = entries.prefix(max(0, ErrorEntry.kept - (kept ?? 0)))
        try db.cachedStatement(
            sql: """
                UPDATE imports SET \(column)_total = \(column)_total + ?1, \(column) = CASE
                    WHEN ?2 = '[]' THEN \(column) WHEN \(column) = '[]' THEN ?2
                    ELSE substr(\(column), 1, length(\(column)) - 1) || ',' || substr(?2, 2) END
                WHERE id = ?3
                """
        ).execute(arguments: [total, try stored(Array(more)), id])
    }

    static func stored(_ errors: [ErrorEntry]) throws -> String {
        errors.isEmpty ? "[]" : String(bytes: try JSONEncoder().encode(errors), encoding: .utf8) ?? "[]"
    }
}
