internal import GRDB

// What is asked of a ledger's file before anything in it is believed.

extension SQLiteLedger {
    func checkVersion() throws(LedgerError) {
        try Self.translating(path) {
            try pool.read { db in
                guard try !Migrations.migrator.hasBeenSuperseded(db) else {
                    let found = try Migrations.migrator.appliedIdentifiers(db).max() ?? "?"
                    throw LedgerError.newer(path: path, found: found)
                }
                guard try Migrations.migrator.hasCompletedMigrations(db) else {
                    throw LedgerError.unavailable(
                        path: path,
                        why: "it was written by an older version; start the daemon once to bring it up to date")
                }
            }
        }
    }

    func migrate() throws(LedgerError) {
        try Self.translating(path) {
            let (applied, isComplete) = try pool.read { db in
                guard try !Migrations.migrator.hasBeenSuperseded(db) else {
                    let found = try Migrations.migrator.appliedIdentifiers(db).max() ?? "?"
                    throw LedgerError.newer(path: path, found: found)
                }
                return (
                    try Migrations.migrator.appliedIdentifiers(db), try Migrations.migrator.hasCompletedMigrations(db)
                )
            }
            if isComplete { return }
            if let version = applied.max() { try backUp(version: version) }
            try Migrations.migrator.migrate(pool)
        }
    }

    /// Copies the ledger before it is migrated; a copy that exists already is from a migration that was cut off.
    private func backUp(version: String) throws {
        let copy = try DatabaseQueue(path: "\(path).before-\(version)")
        try pool.backup(to: copy)
        try copy.close()
    }

    // MARK: Wholeness

    /// Looks at the file before SQLite does, and gives one of an older version room for sums.
    ///
    /// A ledger that is refused is left as it is, with its log: it is what a new one is made from.
    static func prepareFile(_ path: String) throws {
        try PageSums.install()
        let mark = LedgerMark.read(besides: path)
        switch (PageSums.beginning(of: path), mark) {
        case (.nothing, nil), (.nothing, 0?), (.summed, nil): return
        case (.nothing, let mark?):
            throw LedgerError.corrupt(
                path: path,
                why: mark == LedgerMark.barred
                    ? "a rebuild of it was cut off; run it again"
                    : "it is gone, and \(LedgerMark.path(path)) tells of \(mark) commits")
        case (.summed, let mark?):
            var configuration = Configuration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try checkWholeness(of: queue, path, since: mark)
            try queue.close()
        case (.foreign(let why), _): throw LedgerError.corrupt(path: path, why: why)
        case (.plain, _?): throw LedgerError.corrupt(path: path, why: "its header is damaged")
        case (.plain, nil): try giveSums(path)
        }
    }

    /// Rewrites a ledger of an older version, after a backup, so that each page has a sum.
    ///
    /// It is one transaction of SQLite's, and done again when it was cut off.
    private static func giveSums(_ path: String) throws {
        var configuration = Configuration()
        configuration.prepareDatabase { try PageSums.reserve($0) }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        let applied = try queue.read { db in
            guard try !Migrations.migrator.hasBeenSuperseded(db) else {
                let found = try Migrations.migrator.appliedIdentifiers(db).max() ?? "?"
                throw LedgerError.newer(path: path, found: found)
            }
            return try Migrations.migrator.appliedIdentifiers(db)
        }
        if applied.contains(Migrations.summed) {
            throw LedgerError.corrupt(path: path, why: "its header is damaged")
        }
        if let version = applied.max() {
            let copy = try DatabaseQueue(path: "\(path).before-\(version)")
            try queue.backup(to: copy)
            try copy.close()
        }
        try queue.vacuum()
        try queue.close()
    }

    /// Whether this is the ledger that was left, with each commit that anybody may have acted upon.
    ///
    /// `mark` was read before, since whoever only looks may do so while the daemon goes on.
    static func checkWholeness(of reader: any DatabaseReader, _ path: String, since mark: Int?) throws {
        guard let mark, mark > 0 else { return }
        let commits = try reader.read { db in
            guard try db.tableExists("counters") else { return Int?.none }
            return try Int.fetchOne(db, sql: "SELECT value FROM counters WHERE name = 'commits'")
        }
        guard mark != LedgerMark.barred else {
            throw LedgerError.corrupt(path: path, why: "a rebuild of it was cut off; run it again")
        }
        guard commits ?? 0 >= mark else {
            throw LedgerError.corrupt(
                path: path,
                why:
                    "it is older than it was: it has \(commits ?? 0) commits, and \(LedgerMark.path(path)) tells of \(mark)"
            )
        }
    }
}
