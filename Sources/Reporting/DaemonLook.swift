internal import Foundation
internal import Ledger
internal import SystemPackage

/// Puts together what the ledger says of the daemon's work with what its rooms say.
struct DaemonLook: Sendable {
    private let store: any LedgerStore
    private var oldest: [String: (since: Date, path: FilePath)] = [:]

    init(store: any LedgerStore) { self.store = store }

    /// What the daemon is at.
    mutating func report(_ snapshot: DaemonSnapshot, at now: Date) async throws -> DaemonReport {
        let totals = try await store.totals()
        var oldest: [String: DaemonReport.Oldest] = [:]
        for watch in snapshot.watches {
            oldest[watch.name] = try await oldestImport(watch.name, since: totals.oldestUnfinished[watch.name])
        }
        return DaemonReport(snapshot, totals: totals, oldest: oldest, at: now)
    }

    /// The path of the oldest unfinished import, looked for only when it is another than before.
    private mutating func oldestImport(_ watch: String, since: Date?) async throws -> DaemonReport.Oldest? {
        guard let since else {
            oldest[watch] = nil
            return nil
        }
        if oldest[watch]?.since != since {
            let states = ImportState.allCases.filter { !$0.isFinal }
            // A millisecond more than when it was seen, since only earlier ones are listed.
            let filter = ImportFilter(watch: watch, states: states, seenBefore: since + 0.001, limit: 1)
            oldest[watch] = try await store.imports(filter).first.map { (since, $0.path) }
        }
        return oldest[watch].map { DaemonReport.Oldest(path: $0.path, since: $0.since) }
    }
}
