internal import DataRows
public import Foundation
internal import GRDB

extension SQLiteLedger {
    public func take(_ requests: [(OperatorRequest, Operator)], at now: Date) async throws {
        try await write { db in
            for (request, by) in requests {
                try db.cachedStatement(
                    sql: """
                        INSERT INTO requests
                            (id, verb, watch, import_id, failed_only, uid, user, asked_at, taken_at, state)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open') ON CONFLICT (id) DO NOTHING
                        """
                ).execute(arguments: [
                    request.id, request.verb.rawValue, request.watch, request.importID, request.failedOnly == true,
                    by.uid, by.name, request.askedAt, now.stored,
                ])
            }
            try db.cachedStatement(
                sql: """
                    DELETE FROM requests WHERE state <> 'open' AND number <= (
                        SELECT number FROM requests ORDER BY number DESC LIMIT 1 OFFSET ?)
                    """
            ).execute(arguments: [Self.keptRequests])
        }
    }

    /// How many requests are kept for those who ask what came of them.
    private static let keptRequests = 1_000

    public func openRequests(limit: Int) async throws -> [RecordedRequest] {
        try await read { db in
            try Row.fetchAll(
                db.cachedStatement(sql: "SELECT * FROM requests WHERE state = 'open' ORDER BY number LIMIT ?"),
                arguments: [limit]
            ).map { try RecordedRequest(row: $0) }
        }
    }

    public func request(_ id: String) async throws -> RecordedRequest? {
        try await read { db in
            try Row.fetchOne(
                db.cachedStatement(sql: "SELECT * FROM requests WHERE id = ?"), arguments: [id]
            ).map { try RecordedRequest(row: $0) }
        }
    }

    public func end(
        _ request: String, as state: RecordedRequest.State, outcome: String, at now: Date
    ) async throws {
        try await write { db in try Self.end(db, request, as: state, outcome: outcome, at: now) }
    }

    static func end(
        _ db: Database, _ request: String, as state: RecordedRequest.State, outcome: String, at now: Date
    ) throws {
        try db.cachedStatement(
            sql: "UPDATE requests SET state = ?, outcome = ?, ended_at = ? WHERE id = ? AND state = 'open'"
        ).execute(arguments: [state.rawValue, outcome, now.stored, request])
    }

    // MARK: Pauses

    public func pause(_ request: RecordedRequest, outcome: String, at now: Date) async throws {
        try await write { db in
            // Who paused first is who is named: asking again changes nothing.
            try db.cachedStatement(
                sql: "INSERT INTO pauses (watch, uid, user, since) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
            ).execute(arguments: [
                request.request.watch ?? "", request.by.uid, request.by.name, now.stored,
            ])
            try Self.end(db, request.request.id, as: .done, outcome: outcome, at: now)
        }
    }

    public func resume(_ request: RecordedRequest, outcome: String, at now: Date) async throws {
        try await write { db in
            try db.cachedStatement(sql: "DELETE FROM pauses WHERE watch = ?")
                .execute(arguments: [request.request.watch ?? ""])
            try Self.end(db, request.request.id, as: .done, outcome: outcome, at: now)
        }
    }

    public func pauses() async throws -> [OperatorPause] {
        try await read { db in
            try Row.fetchAll(db.cachedStatement(sql: "SELECT * FROM pauses ORDER BY watch")).map { row in
                let watch: String = row["watch"]
                return OperatorPause(
                    watch: watch.isEmpty ? nil : watch, by: Operator(uid: row["uid"], name: row["user"]),
                    since: Date(timeIntervalSince1970: row["since"]))
            }
        }
    }
}

extension RecordedRequest {
    init(row: Row) throws {
        self.init(
            request: OperatorRequest(
                id: row["id"], verb: try row.word("verb"), watch: row["watch"],
                importID: (row["import_id"] as String?).map { ImportID(rawValue: $0) }, failedOnly: row["failed_only"],
                askedAt: Date(timeIntervalSince1970: row["asked_at"])),
            by: Operator(uid: row["uid"], name: row["user"]),
            takenAt: Date(timeIntervalSince1970: row["taken_at"]), state: try row.word("state"),
            outcome: row["outcome"], endedAt: row.date("ended_at"))
    }
}
