internal import Foundation
internal import GRDB
public import SystemPackage

/// The ledger of one host: a SQLite file.
///
/// WAL with `synchronous=FULL`: a commit that was answered survives a power cut. Steps are grouped into commits by
/// ``CommitQueue``. Readers, `datarowctl` among them, never wait for the writer.
public final class SQLiteLedger: LedgerStore {
    let path: String
    let pool: DatabasePool
    let queue: CommitQueue
    private let views: ViewQueue
    private let report = DamageReport()
    private let turns: LedgerTurns?
    /// Makes the names of submissions.
    let freshName: @Sendable () -> String

    /// Opens or creates the ledger, makes a backup of an older one and brings it up to date.
    public static func open(at path: FilePath) throws(LedgerError) -> SQLiteLedger {
        try open(at: path, tracing: nil)
    }

    /// As ``open(at:)``; `tracing` is told each statement before it runs, `turns` decide when what runs.
    package static func open(
        at path: FilePath, tracing: (@Sendable (String) -> Void)?, turns: LedgerTurns? = nil
    ) throws(LedgerError) -> SQLiteLedger {
        let ledger = try translating(path.string) {
            try prepareFile(path.string)
            var configuration = Configuration()
            configuration.busyMode = .timeout(10)
            configuration.prepareDatabase { db in
                try PageSums.reserve(db)
                try db.execute(sql: "PRAGMA foreign_keys = OFF")
                // In KiB, for each of five connections: those that read look at little, and at little of it twice.
                try db.execute(sql: "PRAGMA cache_size = -\(db.configuration.readonly ? 512 : 4096)")
                if let tracing {
                    db.trace { event in
                        if case .statement(let statement) = event { tracing(statement.sql) }
                    }
                }
            }
            configuration.maximumReaderCount = 4
            let pool = try DatabasePool(path: path.string, configuration: configuration)
            // Not in `prepareDatabase`: a pool sets NORMAL after that, when it turns WAL on, and commits would not be synced.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            return SQLiteLedger(path: path.string, pool: pool, mark: try LedgerMark(besides: path.string), turns: turns)
        }
        try ledger.migrate()
        return ledger
    }

    /// Creates a ledger as an older version left it, for tests of what becomes of it.
    package static func createOld(at path: FilePath, version: String) throws {
        var configuration = Configuration()
        if version >= Migrations.summed {
            try PageSums.install()
            configuration.prepareDatabase { try PageSums.reserve($0) }
        }
        let queue = try DatabaseQueue(path: path.string, configuration: configuration)
        try Migrations.migrator.migrate(queue, upTo: version)
        try queue.close()
    }

    /// Opens an existing ledger to look at it, also while the daemon writes to it.
    public static func openReadOnly(at path: FilePath) throws(LedgerError) -> SQLiteLedger {
        let mark = LedgerMark.read(besides: path.string)
        let ledger = try translating(path.string) {
            guard FileManager.default.fileExists(atPath: path.string) else {
                throw LedgerError.unknown(
                    what: "file \(path.string): the daemon has not run with this state directory, "
                        + "or you may not look into it")
            }
            try PageSums.install()
            if case .foreign(let why) = PageSums.beginning(of: path.string) {
                throw LedgerError.corrupt(path: path.string, why: why)
            }
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(10)
            configuration.maximumReaderCount = 2
            return SQLiteLedger(
                path: path.string, pool: try DatabasePool(path: path.string, configuration: configuration))
        }
        // First, since an old state of a ledger may look like an older version.
        try translating(path.string) { try checkWholeness(of: ledger.pool, path.string, since: mark) }
        try ledger.checkVersion()
        return ledger
    }

    private init(path: String, pool: DatabasePool, mark: LedgerMark? = nil, turns: LedgerTurns? = nil) {
        self.path = path
        self.pool = pool
        self.turns = turns
        freshName = if let turns { turns.name } else { { UUID().uuidString.lowercased() } }
        queue = CommitQueue(writer: pool, mark: mark, turns: turns)
        views = ViewQueue(reader: pool, connections: pool.configuration.maximumReaderCount)
    }

    /// Ends all connections; whatever is asked of the ledger afterwards fails.
    ///
    /// What is in the log goes to the file, where pages have sums: the pool does not see to it, since it closes a connection
    /// last that may only read. Where somebody reads just now, the next start does it.
    public func close() throws {
        queue.close()
        if !pool.configuration.readonly {
            try? pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA busy_timeout = 0")
                try db.checkpoint(.truncate)
            }
        }
        try pool.close()
    }

    /// SQLite's `synchronous` of the connection that writes: 2 is FULL, with which a commit that was answered is on the disk.
    package func synchronousMode() async throws -> Int? {
        try await pool.write { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
    }

    // MARK: Access

    func write<Value: Sendable>(_ step: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do { return try await queue.perform(step) } catch { throw noted(Self.ledgerError(error, path: path)) }
    }

    func read<Value: Sendable>(_ view: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do {
            guard let turns else { return try await views.perform(view) }
            return try await turns.result { [pool] in
                if let trouble = turns.trouble() { throw trouble }
                return try pool.read(view)
            }
        } catch {
            throw noted(Self.ledgerError(error, path: path))
        }
    }

    /// Has `found` called, once, when a step or a look meets damage: from then on nothing may be believed.
    public func onDamage(_ found: @escaping @Sendable (LedgerError) -> Void) { report.onDamage(found) }

    /// Reads everything, which takes long for a long history, and tells of damage as if a step had met it.
    public func examine() async {
        // One that cannot be read just now was opened before, and the steps will tell.
        guard let found = try? await LedgerExamination.of(FilePath(path), looksAtFiles: false),
            let why = found.damage.first
        else { return }
        report.found(.corrupt(path: path, why: why))
    }

    /// The damage that was met first since the ledger was opened.
    public var damage: LedgerError? { report.current }

    private func noted(_ error: LedgerError) -> LedgerError {
        if case .corrupt = error { report.found(error) }
        return error
    }

    static func translating<Value>(_ path: String, _ body: () throws -> Value) throws(LedgerError) -> Value {
        do { return try body() } catch { throw ledgerError(error, path: path) }
    }
}

/// Decides when steps and views have their turn, and on which thread, in the place of the connections' own queues.
package struct LedgerTurns: Sendable {
    /// Has `body` run later, once.
    let later: @Sendable (_ body: @escaping @Sendable () -> Void) -> Void
    /// Makes the names of submissions, none of them twice.
    let name: @Sendable () -> String
    /// What keeps the next commit or view from being made, if anything does.
    let trouble: @Sendable () -> LedgerError?

    package init(
        later: @escaping @Sendable (_ body: @escaping @Sendable () -> Void) -> Void,
        name: @escaping @Sendable () -> String,
        trouble: @escaping @Sendable () -> LedgerError? = { nil }
    ) {
        self.later = later
        self.name = name
        self.trouble = trouble
    }

    func result<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            later { continuation.resume(with: Result { try body() }) }
        }
    }
}

extension Date {
    /// How times stand in the ledger: seconds since 1970.
    var stored: Double { timeIntervalSince1970 }
}
