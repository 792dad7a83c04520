internal import DataRows
internal import Foundation
internal import Ledger

/// Finds out what is there before rows are changed.
///
/// The server says of a row that it was taken, and not whether it was created or updated; and given the key of a row to update
/// that does not exist, it would create one. A thousand keys cost two requests.
struct Changing: Sendable {
    let ledger: any LedgerStore
    let keys: KeySearch
    let settling: SubmissionSettling
    let context: StageContext

    /// A row that has a key.
    private struct Keyed: Sendable {
        var segment: Int64
        var row: Int
        var key: String
        /// It is for an existing row; the others are new, and refused where their key exists.
        var isTarget: Bool
    }

    /// What was found when the submission was sent first, or is found now.
    func findings(_ item: Leased<SubmissionRecord>) async throws -> Findings {
        let submission = item.item
        // Once a call was made, it may have been this submission that created what exists.
        if submission.manifestURL != nil, let known = try await ledger.findings(of: submission.id) {
            return try Findings.decode(known)
        }
        let rows = try await settling.pass(submission, [Keyed]()) { rows, segment, row, fate, chunk in
            guard case .send(let identity) = fate else { return }
            switch identity.target {
            case .id?: return
            case .globalKey(let range)?:
                rows.append(Keyed(segment: segment.id, row: row, key: chunk.string(in: range), isTarget: true))
            case nil:
                guard let range = identity.globalKey else { return }
                rows.append(Keyed(segment: segment.id, row: row, key: chunk.string(in: range), isTarget: false))
            }
        }
        let found = rows.isEmpty ? [:] : try await keys.find(Array(Set(rows.map(\.key))))
        let isUpdate = submission.operation == RowOperation.update.rawValue
        var findings = Findings()
        for row in rows {
            let isPresent = found[row.key] != nil
            findings.add(
                segment: row.segment, row: row.row, isPresent: isPresent,
                isMissing: isUpdate && row.isTarget && !isPresent)
        }
        try await ledger.recordFindings(item, found: try findings.encoded(), at: context.clock.now)
        return findings
    }
}
