public import DataRows
public import Foundation
internal import GRDB
public import SystemPackage

extension SQLiteLedger {
    public func imports(changedAfter revision: Int, limit: Int) async throws -> [ImportRecord] {
        try await read { db in
            try db.cachedStatement(sql: "SELECT * FROM imports WHERE revision > ? ORDER BY revision LIMIT ?")
                .records([revision, limit]) { try ImportRecord(row: $0) }
        }
    }

    public func find(_ id: ImportID) async throws -> ImportRecord? {
        try await read { try Self.find($0, id) }
    }

    public func find(_ ids: [ImportID]) async throws -> [ImportRecord] {
        try await read { db in try ids.compactMap { try Self.find(db, $0) } }
    }

    private static func find(_ db: Database, _ id: ImportID) throws -> ImportRecord? {
        try db.cachedStatement(sql: "SELECT * FROM imports WHERE id = ?").records([id.rawValue]) {
            try ImportRecord(row: $0)
        }.first
    }

    public func find(watch: String?, path: FilePath) async throws -> [ImportRecord] {
        try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM imports WHERE \(watch == nil ? "?1 IS NULL" : "watch = ?1") AND path = ?2
                    ORDER BY rowid DESC LIMIT 100
                    """, arguments: [watch, path.stored]
            ).map { try ImportRecord(row: $0) }
        }
    }

    public func tasks(ofLatestAmong records: [ImportRecord]) async throws -> [ImportID: [TaskEntry]] {
        try await read { db in
            var found: [ImportID: [TaskEntry]] = [:]
            for record in records where try Self.isLatest(db, record) {
                found[record.id] = try Self.tasks(db, of: record.id)
            }
            return found
        }
    }

    private static func isLatest(_ db: Database, _ record: ImportRecord) throws -> Bool {
        let latest = try String.fetchOne(
            db.cachedStatement(sql: "SELECT id FROM imports WHERE path = ? AND watch = ? ORDER BY rowid DESC LIMIT 1"),
            arguments: [record.path.stored, record.watch])
        return latest == record.id.rawValue
    }

    public func imports(_ filter: ImportFilter) async throws -> [ImportRecord] {
        try await read { db in
            var conditions = ["TRUE"]
            var arguments: [(any DatabaseValueConvertible)?] = []
            if let watch = filter.watch {
                conditions.append("watch = ?")
                arguments.append(watch)
            }
            if !filter.states.isEmpty {
                conditions.append("state IN (\(filter.states.map { _ in "?" }.joined(separator: ", ")))")
                arguments.append(contentsOf: filter.states.map(\.rawValue))
                // It says nothing new, but there is an index of those few.
                if !filter.states.contains(where: \.isFinal) { conditions.append("phase <> 'closed'") }
            }
            if let before = filter.seenBefore {
                conditions.append("seen_at < ?")
                arguments.append(before.stored)
            }
            if let before = filter.before {
                conditions.append("revision < ?")
                arguments.append(before)
            }
            arguments.append(filter.limit)
            return try Row.fetchAll(
                db,
                sql:
                    "SELECT * FROM imports WHERE \(conditions.joined(separator: " AND ")) ORDER BY revision DESC LIMIT ?",
                arguments: StatementArguments(arguments)
            ).map { try ImportRecord(row: $0) }
        }
    }

    public func tasks(of id: ImportID) async throws -> [TaskEntry] {
        try await read { try Self.tasks($0, of: id) }
    }

    private static func tasks(_ db: Database, of id: ImportID) throws -> [TaskEntry] {
        try db.cachedStatement(
            sql: """
                SELECT submissions.*, import_tasks.rows AS task_rows
                FROM import_tasks JOIN submissions ON submissions.id = submission_id
                WHERE import_id = ? AND (submit_with <> 'createDataRow' OR phase <> 'settled')
                ORDER BY created_at
                """
        ).records([id.rawValue]) { try TaskEntry(row: $0) }
    }

    public func tasks(isOpen: Bool?, limit: Int) async throws -> [(TaskEntry, [ImportRecord])] {
        try await read { db in
            let condition =
                switch isOpen {
                case true?: "phase <> 'settled'"
                case false?: "phase = 'settled'"
                case nil: "TRUE"
                }
            return try Row.fetchAll(
                db,
                sql: "SELECT *, rows AS task_rows FROM submissions WHERE \(condition) ORDER BY created_at DESC LIMIT ?",
                arguments: [limit]
            ).map { row in
                let imports = try Row.fetchAll(
                    db.cachedStatement(
                        sql: """
                            SELECT imports.* FROM import_tasks JOIN imports ON imports.id = import_id
                            WHERE submission_id = ? ORDER BY imports.seen_at LIMIT 100
                            """),
                    arguments: [row["id"] as String]
                ).map { try ImportRecord(row: $0) }
                return (try TaskEntry(row: row), imports)
            }
        }
    }

    public func missingMedia(of id: ImportID, limit: Int) async throws -> [String] {
        try await read { db in
            try String.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT DISTINCT name FROM media_refs JOIN media ON media.id = media_id
                        WHERE import_id = ? AND phase = 'awaited' ORDER BY name LIMIT ?
                        """),
                arguments: [id.rawValue, limit])
        }
    }

    public func nextDue(_ queue: LedgerQueue, after now: Date) async throws -> Date? {
        let sql =
            switch queue {
            case .imports(let phase):
                """
                SELECT MIN(next_attempt) FROM imports
                WHERE phase = '\(phase.rawValue)' AND phase <> 'closed' AND next_attempt > ? AND lease_owner IS NULL
                """
            case .media, .leavingMedia:
                """
                SELECT MIN(next_attempt) FROM media
                WHERE phase IN (\(queue == .media ? "'awaited', 'pending'" : "'leaving'"))
                    AND phase IN ('awaited', 'pending', 'leaving') AND next_attempt > ? AND lease_owner IS NULL
                """
            case .submissions(let phases):
                """
                SELECT MIN(next_attempt) FROM submissions
                WHERE phase IN (\(phases.map { "'\($0.rawValue)'" }.joined(separator: ", ")))
                    AND phase <> 'settled' AND next_attempt > ? AND lease_owner IS NULL
                """
            }
        return try await read { db in
            try Double.fetchOne(db.cachedStatement(sql: sql), arguments: [now.stored])
                .map { Date(timeIntervalSince1970: $0) }
        }
    }

    public func totals() async throws -> LedgerTotals {
        try await read { db in
            var totals = LedgerTotals()
            for row in try Row.fetchAll(db.cachedStatement(sql: "SELECT * FROM import_tallies WHERE imports <> 0")) {
                totals.imports[row["watch"], default: [:]][try row.word("state")] = row["imports"]
            }
            for row in try Row.fetchAll(db.cachedStatement(sql: "SELECT * FROM row_tallies")) {
                var rows = RowCounts()
                rows.total = row["total"]
                rows.rejected = row["rejected"]
                rows.submitted = row["submitted"]
                rows.created = row["created"]
                rows.updated = row["updated"]
                rows.alreadyPresent = row["present"]
                rows.failed = row["failed"]
                rows.deleted = row["deleted"]
                totals.rows[row["watch"]] = rows
                totals.warnings[row["watch"]] = row["warnings"]
            }
            let watches = try Row.fetchAll(
                db.cachedStatement(
                    sql: "SELECT watch, MIN(seen_at) AS oldest FROM imports WHERE phase <> 'closed' GROUP BY watch"))
            for row in watches { totals.oldestUnfinished[row["watch"]] = row.date("oldest") }
            let submissions = try Row.fetchAll(
                db.cachedStatement(
                    sql: "SELECT phase, COUNT(*) AS n FROM submissions WHERE phase <> 'settled' GROUP BY phase"))
            for row in submissions { totals.submissions[try row.word("phase")] = row["n"] }
            let media = try Row.fetchAll(
                db,
                sql: """
                    SELECT phase, COUNT(*) AS n FROM media WHERE phase IN ('awaited', 'pending', 'leaving') GROUP BY phase
                    """)
            for row in media { totals.media[try row.word("phase")] = row["n"] }
            totals.readySegments =
                try Int.fetchOne(db.cachedStatement(sql: "SELECT COUNT(*) FROM segments WHERE phase = 'ready'")) ?? 0
            return totals
        }
    }
}
