internal import DataRows
internal import Foundation
internal import LabelboxAPI
internal import Ledger

/// Deletes the rows that a submission names.
///
/// What its names mean is looked up once and made durable before the call. So a call without an answer can be judged, by
/// looking for the rows themselves: those that are gone are deleted, and those that are still there are asked for again,
/// which hurts nobody.
struct Deleting: Sendable {
    let ledger: any LedgerStore
    let client: LabelboxClient
    let lookup: DeletionLookup
    let settling: SubmissionSettling
    let account: AccountFacts
    let context: StageContext
    let doubting: Bell

    /// A server that refuses so many calls, and takes none, is not asked again for each single row.
    private static let mostRefusals = 40

    /// Deletes, or goes on deleting after a call without an answer.
    ///
    /// - Throws: ``AfterIntent`` when a call may have been made.
    func delete(_ item: Leased<SubmissionRecord>) async throws {
        let submission = item.item
        let deletion: Deletion
        var rest: [DataRowID]
        if let known = try await ledger.findings(of: submission.id) {
            deletion = try Deletion.decode(known)
            let ids = deletion.ids
            let places = try await lookup.rows.datasets(of: ids)
            rest = ids.filter { places[$0] != nil }
        } else {
            if let refusal = try await account.refusal(of: submission.datasetID) {
                return try await settling.failAll(item, with: refusal)
            }
            deletion = try await lookup.look(
                up: try await settling.deletionRequests(submission), in: submission.datasetID)
            rest = deletion.ids
            if !rest.isEmpty {
                try await ledger.recordFindings(item, found: try deletion.encoded(), at: context.clock.now)
            }
        }
        guard !rest.isEmpty else { return try await settling.settleDeletion(item, deletion, failures: [:]) }
        try await ledger.recordIntent(item, manifestURL: nil, at: context.clock.now)
        do {
            try await call(item, rest, deletion)
        } catch {
            if error is CancellationError { throw error }
            throw AfterIntent(cause: error)
        }
    }

    // MARK: The call

    /// Asks for the deletion, of fewer rows at a time where the server refuses many.
    private func call(_ item: Leased<SubmissionRecord>, _ ids: [DataRowID], _ deletion: Deletion) async throws {
        var parts = stride(from: 0, to: ids.count, by: LabelboxClient.mostDeletedRows).map {
            Array(ids[$0..<min(ids.count, $0 + LabelboxClient.mostDeletedRows)])
        }
        parts.reverse()
        var confirmed = Set<DataRowID>()
        var failures: [DataRowID: ErrorEntry] = [:]
        var refusals = 0
        while let part = parts.popLast() {
            do {
                confirmed.formUnion(try await client.deleteDataRows(part, once: true))
                context.observer.deleted(item.item.id, rows: part.count)
            } catch {
                switch error.outcome {
                case .unknown: return try await doubt(item, error)
                case .notProcessed:
                    // The gate retries these for as long as the daemon runs, so this is the end of the daemon.
                    let now = context.clock.now
                    return try await ledger.recordNotSubmitted(item, until: now, reason: "\(error)", at: now)
                case .failed:
                    refusals += 1
                    let isHopeless = error.kind == .permission || refusals >= Self.mostRefusals && confirmed.isEmpty
                    guard isHopeless || part.count == 1 else {
                        parts += [Array(part[(part.count / 2)...]), Array(part[..<(part.count / 2)])]
                        continue
                    }
                    let refused = isHopeless ? part + parts.joined() : part
                    if isHopeless { parts = [] }
                    for id in refused { failures[id] = ErrorEntry(code: error.code, message: "\(error)") }
                }
            }
        }
        // What the server did not name is looked for: it counts what is there, and not what was said.
        let unnamed = ids.filter { !confirmed.contains($0) && failures[$0] == nil }
        for id in try await lookup.rows.datasets(of: unnamed).keys {
            failures[id] = ErrorEntry(
                code: "not_deleted",
                message: "Labelbox took the deletion of row \(id) and did not delete it; drop the row again")
        }
        try await settling.settleDeletion(item, deletion, failures: failures)
    }

    private func doubt(_ item: Leased<SubmissionRecord>, _ error: LabelboxError) async throws {
        let now = context.clock.now
        try await ledger.recordAmbiguous(
            item, nextLook: now.advanced(by: Doubting.firstLook),
            reason: "the answer to the deletion was lost (\(error)); its rows are looked up", at: now)
        context.observer.ambiguous(item.item.id, reason: "\(error)")
        doubting.ring()
    }
}

/// Something went wrong after the intent was made durable: nobody knows any more what the server did.
struct AfterIntent: Error {
    let cause: any Error
}
