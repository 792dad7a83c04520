internal import Foundation
internal import GRDB
public import SystemPackage

/// Takes over what can be read of a damaged ledger into a new one.
///
/// A page that is not as it was written is not read, so whatever is taken over is what was written. Work that had not ended
/// is taken over when the whole ledger is readable and is the latest, or not at all: of half of it nobody could say what it
/// means.
public struct LedgerSalvage: Sendable {
    /// Whether all of it was taken over, work that has not ended included.
    public private(set) var isWhole = false
    /// Whether the old ledger was read from end to end as far as it tells which files stay in their folders.
    public private(set) var knowsKeptFiles = false
    public private(set) var finishedImports = 0
    public private(set) var unfinishedImports = 0
    /// Addresses of uploaded content.
    public private(set) var contents = 0
    /// What could not be read, and why.
    public private(set) var troubles: [String] = []

    /// What is taken over of a whole ledger, each after what it refers to.
    private static let tables = [
        "imports", "segments", "media", "media_refs", "contents", "submissions", "import_tasks", "results_parts",
        "kept",
        "findings", "requests", "pauses", "put_away",
    ]

    /// What means something by itself, how it is ordered, and which of it.
    private static let parts = [
        ("imports", "rowid", "phase = 'closed'"),
        ("contents", "sha256, bytes, type", "TRUE"),
        ("kept", "watch, path", "TRUE"),
        ("media", "id", "phase = 'leaving'"),
        ("submissions", "rowid", "phase = 'settled'"),
        ("import_tasks", "import_id, submission_id", "TRUE"),
    ]

    private static let rowsAtOnce = 5_000

    /// Nothing is there to be taken over.
    public init() {}

    /// Takes over from the ledger at a path, which is left as it is.
    ///
    /// - Throws: ``LedgerError/newer(path:found:)`` for one of a newer version, and what the new ledger has against it.
    public init(from old: FilePath, into new: SQLiteLedger) async throws(LedgerError) {
        let examination = try await LedgerExamination.of(old)
        if let version = examination.version { throw .newer(path: old.string, found: version) }
        troubles = examination.damage
        do {
            guard PageSums.beginning(of: old.string) == .summed else { return }
            var configuration = Configuration()
            configuration.readonly = true
            // Where the schema lies on the damaged page nothing can be read; the examination has told so.
            guard let source = try? DatabaseQueue(path: old.string, configuration: configuration) else { return }
            defer { try? source.close() }
            isWhole = examination.damage.isEmpty && examination.contradictions.isEmpty
            if isWhole {
                // One of an older version has fewer of them.
                for table in Self.tables {
                    if try Self.has(table, source) { try copy(table, "TRUE", ordered: nil, from: source, into: new) }
                }
                knowsKeptFiles = true
            } else {
                for (table, order, filter) in Self.parts {
                    let ends = try ["", " DESC"].map { direction in
                        let columns = order.split(separator: ",").map { $0 + direction }.joined(separator: ",")
                        return try copy(table, filter, ordered: columns, from: source, into: new)
                    }
                    if table == "kept" { knowsKeptFiles = ends[0] }
                }
            }
            try await new.pool.write { try Self.count($0) }
            (finishedImports, unfinishedImports, contents) = try await new.pool.read { db in
                func number(_ sql: String) throws -> Int {
                    try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM \(sql)") ?? 0
                }
                return (
                    try number("imports WHERE phase = 'closed'"), try number("imports WHERE phase <> 'closed'"),
                    try number("contents")
                )
            }
        } catch {
            throw SQLiteLedger.ledgerError(error, path: new.path)
        }
    }

    private static func has(_ table: String, _ source: DatabaseQueue) throws -> Bool {
        try source.unsafeRead { try $0.tableExists(table) }
    }

    /// Copies rows until the end, or until a page that cannot be read; says whether it came to the end.
    @discardableResult
    private mutating func copy(
        _ table: String, _ filter: String, ordered order: String?, from source: DatabaseQueue, into new: SQLiteLedger
    ) throws -> Bool {
        let ordered = order.map { " ORDER BY \($0)" } ?? ""
        var isInserting = false
        func insert(_ batch: [Row]) throws {
            isInserting = true
            try Self.insert(batch, into: table, of: new)
            isInserting = false
        }
        var batch: [Row] = []
        do {
            // Without a transaction around it: a page that cannot be read ends that, too.
            try source.unsafeRead { old in
                let rows = try Row.fetchCursor(old, sql: "SELECT * FROM \(table) WHERE \(filter)\(ordered)")
                while let row = try rows.next() {
                    batch.append(row.copy())
                    guard batch.count == Self.rowsAtOnce else { continue }
                    try insert(batch)
                    batch = []
                }
            }
            try insert(batch)
            return true
        } catch let error as DatabaseError {
            if isInserting { throw error }
            try insert(batch)
            var trouble = "\(table): \(error.message ?? "\(error)")"
            if case .corrupt(_, let why) = SQLiteLedger.ledgerError(error, path: source.path) {
                trouble = "\(table): \(why)"
            }
            if !troubles.contains(trouble) { troubles.append(trouble) }
        }
        // One that is whole was read to its end before.
        isWhole = false
        return false
    }

    /// Inserts what is not there yet, with the columns that both have.
    private static func insert(_ rows: [Row], into table: String, of new: SQLiteLedger) throws {
        guard let first = rows.first else { return }
        try new.pool.write { db in
            let known = Set(try db.columns(in: table).map(\.name))
            let names = first.columnNames.filter { known.contains($0) }
            let statement = try db.makeStatement(
                sql: """
                    INSERT OR IGNORE INTO \(table) (\(names.joined(separator: ", ")))
                    VALUES (\(names.map { _ in "?" }.joined(separator: ", ")))
                    """)
            for row in rows {
                try statement.execute(arguments: StatementArguments(names.map { row[$0] as DatabaseValue }))
            }
        }
    }

    /// Counts anew what is counted, since rows came in whole and not by their steps.
    static func count(_ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE counters SET value = MAX(value, (SELECT COALESCE(MAX(revision), 0) FROM imports))
                    WHERE name = 'revision';
                DELETE FROM import_tallies;
                INSERT INTO import_tallies SELECT watch, state, COUNT(*) FROM imports GROUP BY watch, state;
                DELETE FROM row_tallies;
                INSERT INTO row_tallies (watch, total, rejected, submitted, created, updated, present, failed, deleted,
                        warnings)
                    SELECT watch, SUM(rows_total), SUM(rows_rejected), SUM(rows_submitted), SUM(rows_created),
                        SUM(rows_updated), SUM(rows_present), SUM(rows_failed), SUM(rows_deleted), SUM(warnings_total)
                    FROM imports GROUP BY watch;
                """)
    }
}
