internal import Files
internal import Foundation
internal import Ledger
public import Metering
public import SystemPackage

/// All metrics of the daemon as one text: what was counted, and what the ledger and the rooms say now.
public struct MetricsExposition: Sendable {
    let meters: Meters
    private let activity: Activity
    private let ledger: FilePath

    /// - Parameters:
    ///   - meters: what the code counts.
    ///   - activity: what goes on.
    ///   - ledger: the database's file, of which the size is told.
    public init(meters: Meters, activity: Activity, ledger: FilePath) {
        self.meters = meters
        self.activity = activity
        self.ledger = ledger
    }

    /// The text exposition.
    package func text(_ report: DaemonReport) -> [UInt8] { PrometheusText.bytes(families(report)) }

    /// In the order in which one looks at them.
    func families(_ report: DaemonReport) -> [MetricFamily] {
        watches(report) + daemon(report) + pace(report.snapshot) + meters.families() + ledgerSize()
            + process(ProcessFigures.now())
    }

    // MARK: What is to be done

    private func watches(_ report: DaemonReport) -> [MetricFamily] {
        let totals = report.totals
        let ended = activity.ended()
        let watches = report.snapshot.watches
        func each(_ metric: Metric, _ value: (WatchSnapshot) -> Double) -> MetricFamily {
            MetricFamily(metric, watches.map { .init(value($0), [.init("watch", $0.name)]) })
        }
        /// A sample for each of some words of each watch.
        func each(_ metric: Metric, _ words: [String], _ values: (WatchSnapshot) -> [Double]) -> MetricFamily {
            var samples: [MetricFamily.Sample] = []
            for watch in watches {
                for (word, value) in zip(words, values(watch)) {
                    let labels = zip(metric.labels, [watch.name, word]).map { MetricFamily.Label($0, $1) }
                    samples.append(.init(value, labels))
                }
            }
            return MetricFamily(metric, samples)
        }
        let states = ImportState.allCases.filter { $0 != .settling }
        let outcomes = Activity.RowOutcome.allCases
        return [
            each(.oldestAge) { watch in
                report.oldestUnfinished(watch).map { max(0, report.updatedAt.timeIntervalSince($0.since)) } ?? 0
            },
            each(.oldestSince) { report.oldestUnfinished($0)?.since.timeIntervalSince1970 ?? 0 },
            each(.settling) { Double($0.settlingCount) },
            each(.manifests, states.map(\.rawValue)) { watch in
                states.map { Double(totals.imports[watch.name]?[$0] ?? 0) }
            },
            each(.rows, outcomes.map(\.rawValue) + ["unfinished"]) { watch in
                let rows = totals.rows[watch.name] ?? RowCounts()
                return outcomes.map { Double(rows.count($0)) } + [Double(max(0, rows.total - rows.ended))]
            },
            each(.rowsEnded, outcomes.map(\.rawValue)) { watch in
                outcomes.map { Double(ended[watch.name]?[$0] ?? 0) }
            },
            each(.watchMode, WatchMode.allCases.map(\.rawValue)) { watch in
                WatchMode.allCases.map { $0 == watch.mode ? 1 : 0 }
            },
            each(.overflows) { Double($0.overflows) },
        ]
    }

    private func daemon(_ report: DaemonReport) -> [MetricFamily] {
        let snapshot = report.snapshot
        return [
            MetricFamily(
                .state,
                DaemonState.allCases.map { .init($0 == snapshot.state ? 1 : 0, [.init("state", $0.rawValue)]) }),
            MetricFamily(.buildInfo, [.init(1, [.init("version", snapshot.version)])]),
            MetricFamily(.lastError, snapshot.lastError?.at.timeIntervalSince1970 ?? 0),
            MetricFamily(.queue, report.queues.map { .init(Double($0.depth), [.init("queue", $0.name)]) }),
        ]
    }

    // MARK: How fast

    private func pace(_ snapshot: DaemonSnapshot) -> [MetricFamily] {
        let budget = snapshot.budget
        return [
            MetricFamily(.rateLimit, Double(budget.requestsPerMinute)),
            MetricFamily(.rateUsed, Double(budget.used)),
            MetricFamily(.rateLeft, Double(max(0, budget.requestsPerMinute - budget.used))),
            MetricFamily(.ratePaused, budget.pausedUntil?.timeIntervalSince1970 ?? 0),
            MetricFamily(.inFlight, Double(snapshot.concurrency.inFlight)),
            MetricFamily(.inFlightLimit, Double(snapshot.concurrency.limit)),
            MetricFamily(
                .breaker,
                DaemonSnapshot.Breaker.State.allCases.map {
                    .init($0 == snapshot.breaker.state ? 1 : 0, [.init("state", $0.rawValue)])
                }),
        ]
    }

    // MARK: What it costs

    private func ledgerSize() -> [MetricFamily] {
        [
            MetricFamily(
                .ledgerSize,
                [("database", ""), ("log", "-wal")].map { name, ending in
                    let size = (try? FileLook.at(FilePath(ledger.string + ending)).identity.size) ?? 0
                    return .init(Double(size), [.init("file", name)])
                })
        ]
    }

    private func process(_ figures: ProcessFigures) -> [MetricFamily] {
        [
            (Metric.processCPU, figures.cpuSeconds), (.processResident, figures.residentBytes),
            (.processVirtual, figures.virtualBytes), (.processFiles, figures.openFiles),
            (.processMostFiles, figures.mostFiles), (.processStart, figures.startedAt),
        ].map { metric, value in MetricFamily(metric, value.map { [.init($0)] } ?? []) }
    }
}

extension Metric {
    static let oldestAge = Metric(
        "datarowd_oldest_unfinished_age_seconds", .gauge, labels: ["watch"],
        "Age of the oldest file that is not finished, 0 when there is none: whatever is wrong, it grows")
    static let oldestSince = Metric(
        "datarowd_oldest_unfinished_timestamp_seconds", .gauge, labels: ["watch"],
        "When the oldest file that is not finished was first seen, in seconds since 1970, 0 when there is none")
    static let settling = Metric(
        "datarowd_files_settling", .gauge, labels: ["watch"], "Files in the drop folder that are not taken yet")
    static let manifests = Metric(
        "datarowd_manifests", .gauge, labels: ["watch", "state"], "Manifests in the ledger by their state")
    static let rows = Metric(
        "datarowd_rows", .gauge, labels: ["watch", "outcome"],
        "Rows in the ledger by their outcome, those without one as unfinished")
    static let rowsEnded = Metric(
        "datarowd_rows_ended_total", .counter, labels: ["watch", "outcome"],
        "Rows that got their outcome since the process started")
    static let watchMode = Metric(
        "datarowd_watch_mode", .gauge, labels: ["watch", "mode"],
        "1 for the way in which the folder is watched, 0 for the others")
    static let overflows = Metric(
        "datarowd_watch_overflows_total", .counter, labels: ["watch"],
        "How often the kernel lost events of the folder, each time answered by a scan")
    static let state = Metric(
        "datarowd_state", .gauge, labels: ["state"], "1 for the state that the daemon is in, 0 for the others")
    static let buildInfo = Metric("datarowd_build_info", .gauge, labels: ["version"], "1, with the program's version")
    static let lastError = Metric(
        "datarowd_last_error_timestamp_seconds", .gauge,
        "When a request to Labelbox last failed, in seconds since 1970, 0 when none did")
    static let queue = Metric(
        "datarowd_queue_depth", .gauge, labels: ["queue"], "Pieces of work in the ledger that wait for a stage")
    static let rateLimit = Metric(
        "datarowd_rate_limit_requests_per_minute", .gauge, "Requests that may be made in 60 seconds")
    static let rateUsed = Metric("datarowd_rate_budget_used", .gauge, "Requests made in the last 60 seconds")
    static let rateLeft = Metric(
        "datarowd_rate_budget_remaining", .gauge, "Requests that may be made at once without passing the limit")
    static let ratePaused = Metric(
        "datarowd_rate_paused_until_timestamp_seconds", .gauge,
        "Until when Labelbox asked for quiet, in seconds since 1970, 0 when it did not")
    static let inFlight = Metric("datarowd_requests_in_flight", .gauge, "Requests on their way")
    static let inFlightLimit = Metric(
        "datarowd_requests_in_flight_limit", .gauge, "Requests that may be on their way now")
    static let breaker = Metric(
        "datarowd_breaker_state", .gauge, labels: ["state"],
        "1 for the state of the circuit breaker, 0 for the others; open while Labelbox is given a rest")
    static let ledgerSize = Metric(
        "datarowd_ledger_size_bytes", .gauge, labels: ["file"], "Size of the ledger's database and of its log")
    static let processCPU = Metric(
        "process_cpu_seconds_total", .counter, "Processor time that was spent, in seconds")
    static let processResident = Metric("process_resident_memory_bytes", .gauge, "Resident memory, in bytes")
    static let processVirtual = Metric("process_virtual_memory_bytes", .gauge, "Virtual memory, in bytes")
    static let processFiles = Metric("process_open_fds", .gauge, "Open file descriptors")
    static let processMostFiles = Metric("process_max_fds", .gauge, "Most file descriptors that may be open")
    static let processStart = Metric(
        "process_start_time_seconds", .gauge, "When the process started, in seconds since 1970")
}
