internal import Foundation
internal import GRDB
public import SystemPackage

/// All that can be found out about a ledger by reading it from end to end, without changing it.
public struct LedgerExamination: Sendable {
    /// Why nothing in it may be believed; empty for a ledger that is whole.
    public var damage: [String] = []
    /// What does not fit together in a ledger whose pages are whole: a defect of this program, or somebody's hand.
    public var contradictions: [String] = []
    /// Whether an older or newer version wrote it, in words; nil where it is this version's.
    public var version: String?
    public var imports = 0
    public var unfinished = 0
    /// Unfinished imports whose manifest is not where it was put.
    public var missingManifests: [FilePath] = []
    /// How many of the latest finished imports were looked at, and of how many the archived manifest is not there any more.
    public var archived = (looked: 0, gone: 0)

    public init() {}

    /// So much of each kind is told.
    private static let most = 20
    private static let latest = 1_000

    /// Examines the ledger at a path, also while the daemon writes to it.
    ///
    /// - Parameters:
    ///   - path: the ledger's.
    ///   - looksAtFiles: whether the files that it names are looked for, too.
    /// - Returns: what was found.
    /// - Throws: ``LedgerError`` where it cannot be read for a reason that is no damage, such as a missing permission.
    public static func of(
        _ path: FilePath, looksAtFiles: Bool = true
    ) async throws(LedgerError) -> LedgerExamination {
        var found = LedgerExamination()
        // Before it is opened: a page of the file may be half written, as long as the log has it whole.
        let isAllInFile = isEmpty(path.string + "-wal")
        let ledger: SQLiteLedger
        do throws(LedgerError) {
            ledger = try SQLiteLedger.openReadOnly(at: path)
        } catch {
            return try found.adding(error).naming(pagesOf: path, if: isAllInFile)
        }
        do {
            found = try await ledger.pool.read { [found] db in
                var found = found
                try found.examine(db)
                if looksAtFiles, found.damage.isEmpty { try found.lookAtFiles(db) }
                return found
            }
            // Reading has ended; what cannot be closed is closed with the process.
            try? ledger.close()
        } catch {
            try? ledger.close()
            found = try found.adding(SQLiteLedger.ledgerError(error, path: path.string))
        }
        return found.naming(pagesOf: path, if: isAllInFile)
    }

    /// Adds which pages are damaged, also those that nobody reads, where the log holds none of them.
    private func naming(pagesOf path: FilePath, if isAllInFile: Bool) -> LedgerExamination {
        guard isAllInFile || !damage.isEmpty else { return self }
        let pages = PageSums.damagedPages(of: path.string, limit: Self.most + 1)
        guard !pages.isEmpty else { return self }
        var found = self
        let list = pages.prefix(Self.most).map(String.init).joined(separator: ", ")
        found.damage.insert(
            "pages that are not as they were written: \(list)\(pages.count > Self.most ? " and more" : "")", at: 0)
        return found
    }

    private static func isEmpty(_ path: String) -> Bool {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int).map { $0 == 0 } ?? true
    }

    private func adding(_ error: LedgerError) throws(LedgerError) -> LedgerExamination {
        var found = self
        switch error {
        case .corrupt(_, let why): found.damage.append(why)
        case .newer(_, let version): found.version = "a newer version (\(version)) wrote it"
        case .unavailable where found.damage.isEmpty: throw error
        case .unknown where found.damage.isEmpty: throw error
        case .defect(_, let why), .unavailable(_, let why): found.damage.append(why)
        case .unknown(let what), .leaseLost(let what): found.damage.append(what)
        }
        return found
    }

    private mutating func examine(_ db: Database) throws {
        let answers = try String.fetchAll(db, sql: "PRAGMA integrity_check(\(Self.most))")
        // One answer may have several lines, the first of which only names the database.
        if answers != ["ok"] {
            damage += answers.flatMap { $0.split(separator: "\n") }.filter { !$0.hasPrefix("***") }.map(String.init)
        }
        guard damage.isEmpty else { return }
        imports = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM imports") ?? 0
        unfinished = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM imports WHERE phase <> 'closed'") ?? 0
        for (sql, sentence) in Self.counts {
            let number = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM (\(sql))") ?? 0
            if number > 0 { contradictions.append("\(number) \(sentence)") }
        }
    }

    private mutating func lookAtFiles(_ db: Database) throws {
        let open = try Row.fetchCursor(
            db, sql: "SELECT claimed_path FROM imports WHERE phase IN ('claimed', 'moving') ORDER BY seen_at")
        while let row = try open.next(), missingManifests.count < Self.most {
            let path = row.path("claimed_path")
            if !Self.exists(path) { missingManifests.append(path) }
        }
        let closed = try Row.fetchCursor(
            db,
            sql: """
                SELECT destination FROM imports WHERE phase = 'closed' AND destination IS NOT NULL
                ORDER BY revision DESC LIMIT \(Self.latest)
                """)
        while let row = try closed.next() {
            archived.looked += 1
            if !Self.exists(row.path("destination")) { archived.gone += 1 }
        }
    }

    private static func exists(_ path: FilePath) -> Bool { FileManager.default.fileExists(atPath: path.string) }

    /// What must be empty, and the sentence about it.
    private static let counts = [
        (
            """
            SELECT 1 FROM imports WHERE phase = 'moving'
                AND segments_open <> (SELECT COUNT(*) FROM segments WHERE import_id = imports.id)
            """, "imports have another number of open segments than they count"
        ),
        ("SELECT 1 FROM segments WHERE import_id NOT IN (SELECT id FROM imports)", "segments are of no import"),
        (
            """
            SELECT 1 FROM segments WHERE submission_id IS NOT NULL
                AND submission_id NOT IN (SELECT id FROM submissions WHERE phase <> 'settled')
            """, "segments are in no open submission"
        ),
        (
            """
            SELECT 1 FROM submissions WHERE phase <> 'settled'
                AND id NOT IN (SELECT submission_id FROM segments WHERE submission_id IS NOT NULL)
            """, "open submissions have no segments"
        ),
        (
            "SELECT 1 FROM media_refs WHERE media_id NOT IN (SELECT id FROM media)",
            "rows name media that is not recorded"
        ),
        (
            """
            SELECT watch, state, COUNT(*) FROM imports GROUP BY watch, state
            EXCEPT SELECT watch, state, imports FROM import_tallies
            """, "counts of imports are wrong"
        ),
        (
            """
            SELECT watch, SUM(rows_total), SUM(rows_created), SUM(rows_failed), SUM(rows_present), SUM(rows_updated)
                FROM imports GROUP BY watch
            EXCEPT SELECT watch, total, created, failed, present, updated FROM row_tallies
            """, "counts of rows are wrong"
        ),
    ]
}
