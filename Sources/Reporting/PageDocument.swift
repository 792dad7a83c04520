internal import DataRows
internal import Foundation
internal import Ledger
internal import Locking
internal import SystemPackage

/// What the page shows: of everything the first few, and how many more there are.
struct PageDocument: JSONWritable {
    /// So many manifests that move, open tasks and failures are shown.
    static let mostMoving = 50
    static let mostTasks = 20
    static let mostFailures = 20
    /// So many errors of each failure.
    static let mostErrors = 3
    /// So many files that settle.
    static let mostSettling = 10

    /// The latest failures, as long as no other failed: to find them may cost a look at all of history.
    struct Failures: Sendable {
        var counts: [String: [Int]]?
        var records: [ImportRecord] = []
    }

    /// The states in which something is to be mended.
    private static let bad: [ImportState] = [.completeWithErrors, .failed, .rejected]

    private let report: DaemonReport
    private let moving: [(StatusReport, Activity.Pace?)]
    private let tasks: [(TaskEntry, [ImportRecord])]
    private let failures: [(StatusReport, manifest: FilePath?)]
    private let now: Date

    /// Reads what there is to show; what cannot be read is not shown, and the daemon's state says why.
    init(
        _ report: DaemonReport, store: any LedgerStore, activity: Activity, failures: Locked<Failures>, now: Date
    ) async {
        self.report = report
        self.now = now
        let snapshot = report.snapshot
        let waits = Dictionary(snapshot.watches.map { ($0.name, $0.mediaWait) }, uniquingKeysWith: { $1 })
        var moving: [(StatusReport, Activity.Pace?)] = []
        let unfinished = ImportState.allCases.filter { !$0.isFinal }
        let records = (try? await store.imports(ImportFilter(states: unfinished, limit: Self.mostMoving))) ?? []
        for record in records.sorted(by: { ($0.seenAt, $0.id.rawValue) < ($1.seenAt, $1.id.rawValue) }) {
            var circumstances = StateSentence.Circumstances(obstacle: snapshot.obstacle)
            if record.state == .waitingForMedia {
                circumstances.missing = (try? await store.missingMedia(of: record.id, limit: 4)) ?? []
                circumstances.mediaDeadline = waits[record.watch].map { record.seenAt + $0 }
            }
            let tasks = (try? await store.tasks(of: record.id)) ?? []
            let pace = activity.pace(of: record.id)
            moving.append(
                (
                    StatusReport(
                        record, tasks: tasks, circumstances: circumstances, estimator: pace?.estimator, now: now),
                    pace
                ))
        }
        self.moving = moving
        tasks = (try? await store.tasks(isOpen: true, limit: Self.mostTasks)) ?? []
        let counts = report.totals.imports.mapValues { states in Self.bad.map { states[$0] ?? 0 } }
        var found = failures.withLock { $0 }
        if counts != found.counts {
            let filter = ImportFilter(states: Self.bad, limit: Self.mostFailures)
            if let records = try? await store.imports(filter) {
                // One whose results are still being written is shown as moving, and looked for again.
                let ended = records.filter { $0.phase == .closed }
                found = Failures(counts: ended.count == records.count ? counts : nil, records: ended)
                failures.withLock { [found] in $0 = found }
            }
        }
        self.failures = found.records.map {
            (StatusReport($0, tasks: [], circumstances: .init(), estimator: nil, now: now), $0.destination)
        }
    }

    func write(to json: inout JSONWriter) {
        let snapshot = report.snapshot
        json.object { json in
            json.member("schema", "datarowd.page/1")
            json.member("version", snapshot.version)
            json.member("pid", snapshot.pid)
            json.member("now", now)
            json.member("started_at", snapshot.startedAt)
            json.member("state", snapshot.state.rawValue)
            json.member("state_reason", snapshot.reason)
            json.member("budget") { json in
                json.object { json in
                    json.member("limit", snapshot.budget.requestsPerMinute)
                    json.member("used", snapshot.budget.used)
                    json.member("paused_until", snapshot.budget.pausedUntil)
                    json.member("in_flight", snapshot.concurrency.inFlight)
                    json.member("in_flight_limit", snapshot.concurrency.limit)
                    json.member("breaker", snapshot.breaker.state.rawValue)
                }
            }
            json.member("last_error") { json in
                guard let trouble = snapshot.lastError else { return json.raw("null".utf8) }
                json.object { json in
                    json.member("at", trouble.at)
                    json.member("message", Self.clipped(trouble.message))
                }
            }
            json.member("watches") { json in json.array(snapshot.watches) { write($1, to: &$0) } }
            json.member("moving_total", total(ImportState.allCases.filter { !$0.isFinal && $0 != .settling }))
            json.member("moving") { json in json.array(moving) { write($1.0, $1.1, to: &$0) } }
            json.member("settling_total", snapshot.watches.reduce(0) { $0 + $1.settlingCount })
            json.member("settling") { json in
                let files = snapshot.watches.flatMap { watch in watch.settling.map { (watch.name, $0) } }
                json.array(files.sorted { $0.1.since < $1.1.since }.prefix(Self.mostSettling)) { json, file in
                    json.object { json in
                        json.member("watch", file.0)
                        json.member("path", Self.clipped(file.1.path.string))
                        json.member("since", file.1.since)
                        json.member("reason", Self.clipped(file.1.reason))
                    }
                }
            }
            json.member("tasks_total", openTasks)
            json.member("tasks") { json in json.array(tasks) { write($1.0, $1.1, to: &$0) } }
            json.member("failures_total", total(Self.bad))
            json.member("failures") { json in
                json.array(failures) { writeFailure($1.0, manifest: $1.manifest, to: &$0) }
            }
        }
    }

    private func total(_ states: [ImportState]) -> Int {
        report.totals.imports.values.reduce(0) { sum, counts in sum + states.reduce(0) { $0 + (counts[$1] ?? 0) } }
    }

    private var openTasks: Int { report.totals.submissions.values.reduce(0, +) }

    private func write(_ watch: WatchSnapshot, to json: inout JSONWriter) {
        let states = report.totals.imports[watch.name] ?? [:]
        json.object { json in
            json.member("name", watch.name)
            json.member("path", Self.clipped(watch.path.string))
            json.member("mode", watch.mode.rawValue)
            json.member("mode_reason", watch.reason.map(Self.clipped))
            json.member("settling", watch.settlingCount)
            json.member("imports") { json in
                json.object { json in
                    for state in ImportState.allCases where state != .settling {
                        json.member(state.rawValue, states[state] ?? 0)
                    }
                }
            }
            json.member("rows", report.totals.rows[watch.name] ?? RowCounts())
            json.member("oldest") { json in
                guard let oldest = report.oldestUnfinished(watch) else { return json.raw("null".utf8) }
                json.object { json in
                    json.member("path", Self.clipped(oldest.path.string))
                    json.member("since", oldest.since)
                }
            }
        }
    }

    private func write(_ status: StatusReport, _ pace: Activity.Pace?, to json: inout JSONWriter) {
        json.object { json in
            json.member("id", status.id)
            json.member("watch", status.watch)
            json.member("manifest", Self.clipped(status.manifest))
            json.member("state", status.state.rawValue)
            json.member("state_reason", Self.clipped(status.stateReason))
            json.member("progress", (status.progress * 10_000).rounded(.down) / 10_000)
            json.member("eta_seconds", status.etaSeconds)
            json.member("rows_total", status.rows.total)
            json.member("rows_ended", status.rows.ended)
            json.member("rows_bad", status.rows.failed + status.rows.rejected)
            json.member("rows_per_second", pace?.rows.rate.map(Self.short))
            json.member("media_bytes", status.media.bytes)
            json.member("media_uploaded_bytes", status.media.uploadedBytes)
            json.member("bytes_per_second", pace?.bytes.rate.map(Self.short))
            json.member("seen_at", status.seenAt)
        }
    }

    private func write(_ task: TaskEntry, _ imports: [ImportRecord], to json: inout JSONWriter) {
        json.object { json in
            json.member("id", task.submission.rawValue)
            json.member("task_id", task.taskID.map { Self.clipped($0.rawValue) })
            json.member("phase", task.phase.rawValue)
            json.member("status", Self.clipped(task.status))
            json.member("rows", task.rows)
            json.member("completion", task.completion)
            json.member("submitted_at", task.submittedAt)
            json.member("manifest", imports.first.map { Self.clipped("\($0.watch):\($0.path.string)") })
            json.member("manifests", imports.count)
        }
    }

    private func writeFailure(_ status: StatusReport, manifest: FilePath?, to json: inout JSONWriter) {
        json.object { json in
            json.member("id", status.id)
            json.member("watch", status.watch)
            json.member("manifest", Self.clipped(status.manifest))
            json.member("state", status.state.rawValue)
            json.member("state_reason", Self.clipped(status.stateReason))
            json.member("finished_at", status.finishedAt)
            json.member("errors_total", status.errorsTotal)
            json.member("errors") { json in
                json.array(status.errors.prefix(Self.mostErrors)) { json, error in
                    json.object { json in
                        json.member("row", error.row)
                        json.member("code", Self.clipped(error.code))
                        json.member("message", Self.clipped(error.message))
                    }
                }
            }
            json.member("commands", MendingCommands(status, manifest: manifest).lines)
        }
    }

    /// A name or a sentence that shows as what it is and is no longer than anybody reads; others wrote it.
    private static func clipped(_ text: String) -> String {
        let most = 500
        return HarmlessText.of(text.utf8.count <= most ? text : text.prefix(most) + "…")
    }

    private static func short(_ rate: Double) -> Double { (rate * 100).rounded() / 100 }
}
