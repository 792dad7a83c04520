internal import DataRows
internal import Foundation
internal import LabelboxAPI
internal import Ledger
internal import Locking

/// Reads the results of tasks that have ended.
struct Collecting: Sendable {
    let ledger: any LedgerStore
    let client: LabelboxClient
    let account: AccountFacts
    let settling: SubmissionSettling
    let context: StageContext
    /// Since when submissions wait for rows to be found that exist by the server's own word.
    let waiting = Locked<[SubmissionID: Date]>([:])

    /// One task's rows are told at a time.
    private let turns = Turns<Bool>()

    /// How long they wait for that: as long as a doubt takes at least.
    private static let patience: TimeInterval = 60
    /// What Labelbox's own client asks for.
    private static let rowsAtOnce = 5_000
    /// With their content, each of them up to 64 KiB, or more where it is an object.
    private static let longRowsAtOnce = 200

    func stage(bell: Bell, grants: @escaping @Sendable () -> LeaseGrant) -> Stage<Leased<SubmissionRecord>> {
        Stage(
            // What a task says of its rows is the most that is held in memory: that of one while its rows are told, and that of
            // the next, which is read meanwhile.
            name: "collecting", width: { 2 }, bell: bell,
            lease: { try await ledger.leaseSubmissions(in: [.collecting], for: grants(), limit: $0) },
            nextDue: { try await ledger.nextDue(.submissions([.collecting]), after: $0) },
            work: collect,
            giveBack: { item, error in
                let now = context.clock.now
                try await ledger.postpone(
                    item, until: now.advanced(by: .seconds(10)), reason: "reading its results failed: \(error)", at: now
                )
            })
    }

    private func collect(_ item: Leased<SubmissionRecord>) async throws {
        guard let report = try await report(of: item) else { return }
        try await turns.alone(with: true) { try await settle(item, report) }
    }

    private func report(of item: Leased<SubmissionRecord>) async throws -> TaskReport? {
        guard let task = item.item.taskID else {
            // It cannot be: only a submission with a task comes here. If it does, its rows are looked up before anything is sent.
            let now = context.clock.now
            try await ledger.recordAmbiguous(item, nextLook: now, reason: "its task is not known", at: now)
            return nil
        }
        let status = item.item.taskStatus ?? ""
        return item.item.submitWith == .appendRowsToDataset
            ? try await readFile(of: task, status: status) : try await read(task, status: status, of: item.item)
    }

    private func settle(_ item: Leased<SubmissionRecord>, _ report: TaskReport) async throws {
        var report = report
        switch item.item.taskStatus {
        case "FAILED":
            report.isWhole = false
            try await settling.settleApart(item, report: report, mayHaveArrived: true)
        case "CANCELED":
            let task = item.item.taskID?.rawValue ?? ""
            report.reason = "task \(task) was cancelled at Labelbox; drop the rows again to import them"
            try await settling.settle(item, report: report)
        default:
            let now = context.clock.now
            let since = waiting.withLock { waiting in
                let since = waiting[item.item.id] ?? now
                waiting[item.item.id] = since
                return since
            }
            let isPatient = now.timeIntervalSince(since) < Self.patience
            guard try await settling.settle(item, report: report, isPatient: isPatient) else {
                return try await ledger.postpone(
                    item, until: context.clock.now.advanced(by: .seconds(5)),
                    reason:
                        "Labelbox says that rows of it exist already, and does not find them yet; they are looked up again",
                    at: context.clock.now)
            }
            waiting.withLock { $0[item.item.id] = nil }
        }
    }

    /// The first pages of both lists, in one request if the server does not call that too much.
    private func firstPages(
        of task: TaskID, _ rows: Int, _ withRowData: Bool
    ) async throws(LabelboxError) -> TaskResultPages? {
        do {
            return try await client.results(of: [task], limit: rows, withRowData: withRowData)[task]
        } catch {
            guard error.kind == .queryTooComplex else { throw error }
            return TaskResultPages(
                created: try await client.createdRows(of: task, limit: rows, withRowData: withRowData),
                failed: try await client.failedRows(of: task, limit: rows, withRowData: withRowData))
        }
    }

    private func read(_ task: TaskID, status: String, of submission: SubmissionRecord) async throws -> TaskReport {
        let report = try await read(task, status: status, of: submission, Self.rowsAtOnce, withRowData: false)
        guard report.needsContent else { return report }
        // Once more, with what tells those rows apart that have neither a key nor an external id of their own.
        return try await read(task, status: status, of: submission, Self.longRowsAtOnce, withRowData: true)
    }

    /// Reads both lists of a submission's task, by pages of so many.
    private func read(
        _ task: TaskID, status: String, of submission: SubmissionRecord, _ limit: Int, withRowData: Bool
    ) async throws -> TaskReport {
        let rows = submission.rows
        var report = TaskReport(status: status, keepsIDs: !submission.onlyCreates)
        let first = try await firstPages(of: task, limit, withRowData)
        var walk = PageWalk(rows: rows)
        var created = first?.created
        while let page = created {
            report.add(page.rows, of: rows)
            guard let after = walk.next(page.next, rows: page.rows.count) else { break }
            created = try await client.createdRows(of: task, after: after, limit: limit, withRowData: withRowData)
        }
        walk = PageWalk(rows: rows)
        var failed = first?.failed
        while let page = failed {
            for row in page.rows {
                report.add(row)
                if report.reason.isEmpty, status == "FAILED" { report.reason = row.message }
            }
            guard let after = walk.next(page.next, rows: page.rows.count) else { break }
            failed = try await client.failedRows(of: task, after: after, limit: limit, withRowData: withRowData)
        }
        return report
    }
}
