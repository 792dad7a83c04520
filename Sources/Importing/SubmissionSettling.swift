internal import DataRows
internal import Files
internal import Foundation
internal import LabelboxAPI
internal import Ledger
internal import Results
internal import SystemPackage

/// Gives every row of a submission its outcome, from what the server reported and from what was looked up.
struct SubmissionSettling: Sendable {
    let ledger: any LedgerStore
    let reader: SubmissionReader
    let keys: KeySearch
    let account: AccountFacts
    let workFolder: WorkFolder
    let workbench: Workbench
    let context: StageContext
    let sealing: Bell
    let closing: Bell

    // MARK: Ways to end

    /// Ends a submission by what its task reported; what the report leaves open is looked up first.
    func settle(_ item: Leased<SubmissionRecord>, report: TaskReport) async throws {
        _ = try await settle(item, report: report, isPatient: false)
    }

    /// As the other, and says whether it was ended.
    ///
    /// With `isPatient` all is left as it is when the server refused a key as taken and does not find it yet: what was made
    /// lately is found by its key only later.
    func settle(_ item: Leased<SubmissionRecord>, report: TaskReport, isPatient: Bool) async throws -> Bool {
        // The usual end of a task, in which there is nothing to ask about: its rows need not be read twice.
        if item.item.onlyCreates, report.createsAll(of: item.item.rows) {
            let judged = try await judge(item.item, report)
            if judged.isWhole {
                try await record(item, judged, rest: .fail(Self.notReported(report, item.item)))
                return true
            }
        }
        var report = report
        let open = try await openNames(item.item, report)
        report.reserve(open.ids)
        if !open.keys.isEmpty {
            let found = try await keys.find(open.keys)
            if isPatient, open.keys.contains(where: { found[$0] == nil && report.isTaken($0) }) { return false }
            report.add(found: found)
        }
        let isRefusedForOthers = open.keys.contains { key in
            guard case .failed(let message)? = report.word(for: key) else { return false }
            return TaskReport.isForDuplicates(message)
        }
        try await record(
            item, report: report,
            rest: isRefusedForOthers ? .withoutDuplicates : .fail(Self.notReported(report, item.item)))
        return true
    }

    /// Ends a submission of which the server refused all or nobody knows how far it got.
    ///
    /// What exists counts; the rest is sent again: as it was the first time, in halves when it was refused before, and
    /// when a single row is left, that row is at fault.
    func settleApart(_ item: Leased<SubmissionRecord>, report: TaskReport, mayHaveArrived: Bool) async throws {
        var report = report
        let open = try await openNames(item.item, report)
        report.reserve(open.ids)
        // That a row exists says that it was created; it does not say that it was changed.
        if item.item.onlyCreates {
            report.add(found: try await keys.find(open.keys))
        }
        try await record(
            item, report: report,
            rest: report.isRefusedForDuplicates ? .withoutDuplicates : .apart(mayHaveArrived: mayHaveArrived))
    }

    /// Ends a doubt: the rows that exist were created, and those that are proven absent are sent again.
    ///
    /// - Parameters:
    ///   - item: the submission.
    ///   - words: what is known of its rows all the same, where each had a call of its own.
    ///   - found: the rows that exist, by their keys.
    /// - Throws: what the ledger or the disk has against it.
    func settleDoubt(
        _ item: Leased<SubmissionRecord>, words: TaskReport? = nil, found: [ExactName: DataRowID]
    ) async throws {
        var report = words ?? TaskReport(status: "UNKNOWN")
        report.reason = "the answer to the call was lost; what exists was found by its global keys"
        report.add(found: found)
        try await record(item, report: report, rest: .again)
    }

    /// Ends a submission whose call the server refused.
    func refused(_ item: Leased<SubmissionRecord>, _ error: LabelboxError) async throws {
        switch error.kind {
        case .permission, .notFound:
            try await failAll(item, with: ErrorEntry(code: error.code, message: "\(error)"))
        default:
            var report = TaskReport(status: "REFUSED")
            report.reason = "\(error)"
            report.isWhole = false
            if report.isRefusedForDuplicates {
                return try await settleApart(item, report: report, mayHaveArrived: false)
            }
            try await record(item, report: report, rest: .apart(mayHaveArrived: false))
        }
    }

    /// What a submission of deletions asks for; rows that cannot be read any more ask for nothing.
    func deletionRequests(_ submission: SubmissionRecord) async throws -> [DeletionRequest] {
        try await pass(submission, [DeletionRequest]()) { requests, segment, row, fate, _ in
            guard case .delete(let target?, _) = fate else { return }
            requests.append(DeletionRequest(segment: segment.id, row: row, target: target))
        }
    }

    /// Ends a submission of deletions: its rows are gone, but for those that failed.
    func settleDeletion(
        _ item: Leased<SubmissionRecord>, _ deletion: Deletion, failures: [DataRowID: ErrorEntry]
    ) async throws {
        let entries = deletion.bySegment
        let start = Judgement(report: TaskReport(status: "COMPLETE"), operation: item.item.operation)
        let judged = try await pass(item.item, start) { judgement, segment, row, fate, chunk in
            let names: RowNames
            switch fate {
            case .delete(_, let said): names = said
            // It can be that the manifest was taken away, and the row is deleted all the same.
            case .fail(_, let said): names = said
            case .send: return
            }
            guard let entry = entries[segment.id]?[row] else { return try judgement.judge(segment, row, fate, chunk) }
            judgement.take(entry.line(names, failures: failures), of: segment)
        }
        try await record(
            item, judged,
            rest: .fail(ErrorEntry(code: "not_found", message: "nothing was found out about this row; drop it again")))
    }

    /// Ends a submission none of whose rows can be imported.
    func failAll(_ item: Leased<SubmissionRecord>, with error: ErrorEntry) async throws {
        var report = TaskReport(status: "NOT_SENT")
        report.reason = error.message
        try await record(item, report: report, rest: .fail(error))
    }

    /// The keys of rows that are to be looked up before they can be judged.
    func openKeys(_ submission: SubmissionRecord, _ report: TaskReport) async throws -> [ExactName] {
        try await openNames(submission, report).keys
    }

    /// The keys of rows that are to be looked up before they can be judged, and the ids by which rows are told.
    private func openNames(
        _ submission: SubmissionRecord, _ report: TaskReport
    ) async throws -> (keys: [ExactName], ids: Set<DataRowID>) {
        try await pass(submission, (keys: [ExactName](), ids: Set<DataRowID>()), namesOnly: true) {
            state, _, _, fate, chunk in
            guard case .send(let identity) = fate else { return }
            if case .id(let range)? = identity.target {
                state.ids.insert(DataRowID(rawValue: chunk.string(in: range)))
                return
            }
            guard let range = identity.globalKey else { return }
            let key = chunk.name(in: range)
            switch report.word(for: key) {
            case .created: return
            case .failed(let message) where !TaskReport.isDuplicate(message): return
            case nil where report.isWithoutKeys: return
            case .failed, .unknown, nil: state.keys.append(key)
            }
        }
    }

    private static func notReported(_ report: TaskReport, _ submission: SubmissionRecord) -> ErrorEntry {
        let isNew = submission.operation == RowOperation.create.rawValue
        return ErrorEntry(
            code: "not_reported",
            message: "the task ended as \(report.status) without a word about this row"
                + "\(isNew ? ", and it does not exist" : "; whether it was changed is not known"); drop it again")
    }

    // MARK: One pass over the rows

    /// Tells of each row of a submission, as it is sent.
    func pass<State: Sendable>(
        _ submission: SubmissionRecord, _ start: State,
        namesOnly: Bool = false,
        body: @escaping @Sendable (inout State, SegmentRecord, Int, SubmissionReader.Fate, ChunkBuffer) throws -> Void
    ) async throws -> State {
        let abandonment = Abandonment()
        return try await abandonment.guarding {
            try await workbench.run {
                var state = start
                var chunk = ChunkBuffer()
                try reader.read(
                    submission, chunk: &chunk,
                    needs: SubmissionReader.Needs(
                        ontology: { try Workbench.wait { try await account.ontology() } },
                        // Only the row's names are wanted, and the URL is not among them.
                        textURL: { _, _ in "" }, isAbandoned: { abandonment.isAbandoned }, namesOnly: namesOnly),
                    full: { $0.removeAll() },
                    body: { segment, row, fate, chunk in
                        try body(&state, segment, row, fate, chunk)
                        chunk.removeAll()
                    })
                return state
            }
        }
    }

    // MARK: Recording

    /// What becomes of rows of which nothing was reported and nothing found.
    private enum Rest: Sendable {
        case fail(ErrorEntry)
        /// Proven absent: sent again as they were.
        case again
        case apart(mayHaveArrived: Bool)
        /// Refused for keys of other rows that are in use: sent again without those.
        case withoutDuplicates
    }

    private func record(_ item: Leased<SubmissionRecord>, report: TaskReport, rest: Rest) async throws {
        try await record(item, judge(item.item, report), rest: rest)
    }

    private func judge(_ submission: SubmissionRecord, _ report: TaskReport) async throws -> Judgement {
        let findings = submission.changesRows ? try await ledger.findings(of: submission.id) : nil
        let start = Judgement(
            report: report, operation: submission.operation, findings: try findings.map(Findings.decode))
        return try await pass(submission, start, namesOnly: !report.needsContent) {
            judgement, segment, row, fate, chunk in
            try judgement.judge(segment, row, fate, chunk)
        }
    }

    private func record(_ item: Leased<SubmissionRecord>, _ judged: Judgement, rest: Rest) async throws {
        let (submission, report) = (item.item, judged.report)
        var outcomes = try await finish(judged, rest, submission)
        // Segments of which no row was to be told anything still have to be ended.
        try await addSilent(&outcomes, submission)
        try await ledger.settle(
            item, outcomes: outcomes, status: report.status, reason: report.reason, at: context.clock.now)
        context.observer.settled(
            submission.id, task: submission.taskID, status: report.status,
            succeeded: outcomes.reduce(0) { $0 + $1.created + $1.updated + $1.alreadyPresent + $1.deleted },
            failed: outcomes.reduce(0) { $0 + $1.failed },
            again: outcomes.reduce(0) { $0 + $1.again.reduce(0) { $0 + $1.rows.count } })
        if outcomes.contains(where: { !$0.again.isEmpty }) { sealing.ring() }
        closing.ring()
    }

    private func finish(
        _ judgement: Judgement, _ rest: Rest, _ submission: SubmissionRecord
    ) async throws -> [SegmentOutcome] {
        var judgement = judgement
        let open = judgement.segments.reduce(0) { $0 + $1.open.count }
        var rest = rest
        let hasShrunk = judgement.segments.contains { $0.firstLine != nil }
        if case .withoutDuplicates = rest, !hasShrunk {
            // No row of it is known to exist, so the same would come of the same: it is two rows with one key, or one
            // that cannot be seen.
            rest = .apart(mayHaveArrived: false)
        }
        var resend: (RowRuns) -> [SegmentOutcome.Resend] = { _ in [] }
        switch rest {
        case .fail(let error):
            try judgement.failOpen(error)
        case .withoutDuplicates:
            let name = "\(submission.id)"
            resend = { $0.isEmpty ? [] : [.init(rows: $0, isolation: name, mayHaveArrived: false)] }
        case .again:
            resend = { $0.isEmpty ? [] : [SegmentOutcome.Resend(rows: $0, mayHaveArrived: true)] }
        case .apart(let mayHaveArrived):
            // One that is left over of several, because the others exist already, has not been tried alone.
            if submission.rows == 1 {
                try judgement.failOpen(
                    ErrorEntry(
                        code: "refused",
                        message:
                            judgement.report.reason.isEmpty
                            ? "Labelbox ends every task with this row as \(judgement.report.status), and gives no reason"
                            : "Labelbox refuses this row: \(judgement.report.reason)"
                    ))
            } else if submission.isolation == nil {
                // It may have been a whim of the server, or another import's row: once more, away from others.
                let name = "\(submission.id)"
                resend = { rows in
                    rows.isEmpty ? [] : [.init(rows: rows, isolation: name, mayHaveArrived: mayHaveArrived)]
                }
            } else {
                var left = open / 2
                let name = "\(submission.id)"
                resend = { rows in
                    let (first, second) = rows.split(at: min(left, rows.count))
                    left -= first.count
                    return [(first, "a"), (second, "b")].filter { !$0.0.isEmpty }.map {
                        .init(rows: $0.0, isolation: "\(name).\($0.1)", mayHaveArrived: mayHaveArrived)
                    }
                }
            }
        }
        let segments = judgement.segments
        let folder = workFolder
        // Files first, then the ledger: what it names must be whole.
        let parts = try await workbench.run { try segments.map { try $0.write(in: folder) } }
        try await workbench.run { try DiskSync().parts(parts, folder: folder) }
        return zip(segments, parts).map { segment, part in
            var outcome = segment.outcome
            outcome.results = part
            outcome.again = resend(segment.open)
            return outcome
        }
    }

    private func addSilent(_ outcomes: inout [SegmentOutcome], _ submission: SubmissionRecord) async throws {
        let known = Set(outcomes.map(\.segment))
        var after: Int64 = 0
        while true {
            let page = try await ledger.segments(of: submission.id, after: after, limit: 1_000)
            for segment in page where !known.contains(segment.id) {
                outcomes.append(SegmentOutcome(segment: segment.id))
            }
            guard let last = page.last else { return }
            after = last.id
        }
    }
}

extension DiskSync {
    /// Makes the files of some parts durable: one by one while they are few, and with the whole file system when not.
    fileprivate func parts(_ parts: [ResultsPart?], folder: WorkFolder) throws {
        let files = parts.compactMap { part -> FilePath? in
            if case .file(let path)? = part?.lines { path } else { nil }
        }
        guard !files.isEmpty else { return }
        try fileSystem(of: folder.root)
    }
}
