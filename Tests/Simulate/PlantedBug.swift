import Foundation
import GRDB
import LabelboxAPI
import SystemPackage

/// A mistake that is put in by hand, to see that it is found; never in the product's own code.
enum PlantedBug: String, CaseIterable, Sendable {
    /// A submit whose answer was lost is sent again at once.
    case resendOnUnknown = "resend-on-unknown"
    /// The intent to submit is not durable when the call goes out.
    case forgetIntent = "forget-intent"
    /// A manifest is put away before the ledger knows where.
    case archiveBeforeCommit = "archive-before-commit"

    /// Does to what a crash left what the mistake would have done.
    func atCrash(_ folders: Folders) throws {
        switch self {
        case .resendOnUnknown: break
        case .forgetIntent:
            try ledger(of: folders).write { db in
                try db.execute(sql: "UPDATE submissions SET phase = 'sealed' WHERE phase = 'submitting'")
            }
        case .archiveBeforeCommit:
            let paths = try ledger(of: folders).read { db in
                try Row.fetchAll(
                    db, sql: "SELECT path, claimed_path FROM imports WHERE phase = 'closing' AND destination IS NULL")
            }
            for row in paths {
                let (path, claimed): (String, String) = (Self.text(row["path"]), Self.text(row["claimed_path"]))
                folders.archive(claimed, as: path)
            }
        }
    }

    private static func text(_ bytes: Data) -> String { String(decoding: bytes, as: UTF8.self) }

    private func ledger(of folders: Folders) throws -> DatabaseQueue {
        try DatabaseQueue(path: folders.state.appending("ledger.sqlite").string)
    }
}

/// Sends a submit again when it is not known what became of the first.
struct ResendingGate: RequestGate {
    let gate: any RequestGate

    func run<Value: Sendable>(
        _ kind: RequestKind, _ attempt: @Sendable () async throws(LabelboxError) -> Value
    ) async throws(LabelboxError) -> Value {
        do { return try await gate.run(kind, attempt) } catch {
            guard kind == .submit, error.outcome == .unknown, error.kind != .cancelled else { throw error }
            return try await gate.run(kind, attempt)
        }
    }
}
