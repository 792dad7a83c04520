internal import DataRows
internal import Foundation
internal import LabelboxAPI
internal import Ledger
internal import Locking

/// Settles submissions of which nobody knows whether the server took them.
///
/// A submit is never sent again blindly. Its rows' keys are looked up until all of them exist, or until what does not
/// exist has been absent for so long that it cannot be the index that lags.
struct Doubting: Sendable {
    let ledger: any LedgerStore
    let keys: KeySearch
    let settling: SubmissionSettling
    let deleting: Deleting
    let submitting: Bell
    let context: StageContext
    let words: LooseWords
    /// How many rows each submission had at the last look; forgotten with the process, which only prolongs the doubt.
    let seen = Locked<[SubmissionID: Int]>([:])

    /// The index of keys lags by seconds.
    static let firstLook: Duration = .seconds(5)
    private static let interval: Duration = .seconds(10)
    /// What was absent for so long after the call is taken to be absent.
    private static let certainty: TimeInterval = 60

    func stage(bell: Bell, grants: @escaping @Sendable () -> LeaseGrant) -> Stage<Leased<SubmissionRecord>> {
        Stage(
            name: "settling doubts", width: { 2 }, bell: bell,
            lease: { try await ledger.leaseSubmissions(in: [.ambiguous], for: grants(), limit: $0) },
            nextDue: { try await ledger.nextDue(.submissions([.ambiguous]), after: $0) },
            work: look,
            giveBack: { item, error in
                let now = context.clock.now
                try await ledger.recordAmbiguous(
                    item, nextLook: now.advanced(by: Self.interval), reason: "looking its rows up failed: \(error)",
                    at: now)
            })
    }

    private func look(_ item: Leased<SubmissionRecord>) async throws {
        let submission = item.item
        if submission.operation == RowOperation.delete.rawValue { return try await deleting.delete(item) }
        // That a row was changed cannot be seen, but the same change twice leads to the same row: it is sent again as it was,
        // and judged by what was found before it was sent first.
        guard submission.onlyCreates else {
            let now = context.clock.now
            try await ledger.recordNotSubmitted(
                item, until: now, reason: "the answer to the call was lost; its changes are sent again", at: now)
            return submitting.ring()
        }
        let words = words.words(of: submission.id)
        let wanted = try await settling.openKeys(submission, words ?? TaskReport(status: ""))
        // An answer that comes late tells how it was when it was asked for, or a little later.
        let asked = context.clock.now
        let found = try await keys.find(wanted)
        let now = context.clock.now
        let before = seen.withLock { $0.updateValue(found.count, forKey: submission.id) }
        let isCertain = asked.timeIntervalSince(submission.submittedAt ?? asked) >= Self.certainty
        // While rows still appear, the task is at work.
        let isGrowing = before.map { found.count > $0 } ?? (found.count > 0 && !isCertain)
        if found.count == Set(wanted).count || (isCertain && !isGrowing) {
            try await settling.settleDoubt(item, words: words, found: found)
            seen.withLock { $0[submission.id] = nil }
            return self.words.forget(submission.id)
        }
        try await ledger.recordAmbiguous(
            item, nextLook: now.advanced(by: Self.interval),
            reason:
                "\(found.count) of \(wanted.count) rows of a call without an answer exist; they are looked up again, and nothing is sent twice",
            at: now)
    }
}
