import DataRows
import Foundation
import GRDB
import Glibc
import Ledger
import SystemPackage

/// Writes steps to a ledger and says of each that it is durable, until it is killed.
///
/// `ledger-torture PATH ROUND`: prints `opened GROUP` when the three imports of a group are recorded, and `planned ID`
/// when an import's plan is. `ledger-torture PATH --put-log-away` only moves what is in the write-ahead log into the file.
/// `ledger-torture PATH --run SQL` changes a ledger by a mistake that is put in by hand, with sums that are right.
@main struct Torture {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == (arguments.dropFirst(2).first == "--run" ? 4 : 3) else {
            throw LedgerError.unknown(what: "arguments: ledger-torture PATH ROUND")
        }
        let round = arguments[2]
        let ledger = try SQLiteLedger.open(at: FilePath(arguments[1]))
        if round == "--run" {
            let sql = arguments[3]
            try ledger.close()
            return try await DatabaseQueue(path: arguments[1]).write { try $0.execute(sql: sql) }
        }
        if round == "--put-log-away" { return try ledger.close() }
        _ = try await ledger.recover(as: LeaseOwner(rawValue: round), at: Date())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 { group.addTask { try await open(ledger, prefix: "\(round)-\(writer)") } }
            group.addTask { try await plan(ledger, as: LeaseOwner(rawValue: round)) }
            try await group.waitForAll()
        }
    }

    private static func open(_ ledger: SQLiteLedger, prefix: String) async throws {
        for number in 0..<100_000 {
            let imports = (0..<3).map { part in
                NewImport(
                    id: ImportID(rawValue: "\(prefix)-\(number)/\(part)"), watch: "w", path: "p", claimedPath: "c",
                    bytes: 1, seenAt: Date())
            }
            try await ledger.open(imports, at: Date())
            say("opened \(prefix)-\(number)")
        }
    }

    private static func plan(_ ledger: SQLiteLedger, as owner: LeaseOwner) async throws {
        for _ in 0..<100_000 {
            let grant = LeaseGrant(owner: owner, now: Date(), until: Date(timeIntervalSinceNow: 60))
            for item in try await ledger.leaseImports(in: .claimed, for: grant, limit: 4) {
                var plan = ImportPlan(
                    datasetID: DatasetID(rawValue: "d"), operation: "create", batchKey: "k", maximumRowsPerTask: 100,
                    linger: 0, instructions: Data())
                plan.totalRows = 7
                plan.rejectedRows = 2
                plan.segments = [
                    PlannedSegment(firstRow: 0, rowCount: 4, validRows: 3, offset: 0, length: 1),
                    PlannedSegment(firstRow: 4, rowCount: 3, validRows: 2, offset: 1, length: 1),
                ]
                try await ledger.recordPlan(plan, of: item, isFirst: true, at: Date())
                say("planned \(item.item.id)")
            }
        }
    }

    /// One write for each line, so that a kill cannot cut one.
    private static func say(_ line: String) {
        _ = "\(line)\n".utf8CString.withUnsafeBytes { write(1, $0.baseAddress, $0.count - 1) }
    }
}
