internal import DataRows
public import Logging
internal import Metrics
internal import SystemPackage

/// Every log line and every number of the pipeline, named once.
///
/// The pipeline says what happened; this file alone knows what that is called in a log or a dashboard.
public struct ImportObserver: Sendable {
    private let logger: Logger
    private let rowsSubmitted = Counter(label: "datarowd_rows_submitted_total")
    private let rowsDeleted = Counter(label: "datarowd_rows_deletion_taken_total")
    private let ambiguities = Counter(label: "datarowd_submissions_ambiguous_total")
    private let uploads = Counter(label: "datarowd_media_uploaded_total")
    private let uploadedBytes = Counter(label: "datarowd_media_uploaded_bytes_total")
    private let reuses = Counter(label: "datarowd_media_reused_total")
    private let mediaFailures = Counter(label: "datarowd_media_failed_total")
    private let sentBytes = Counter(label: "datarowd_sent_bytes_total")
    private let receivedBytes = Counter(label: "datarowd_received_bytes_total")

    public init(logger: Logger) { self.logger = logger }

    func claimed(watch: String, id: ImportID, path: FilePath) {
        Counter(label: "datarowd_manifests_claimed_total", dimensions: [("watch", watch)]).increment()
        logger.info("Claimed", metadata: ["watch": "\(watch)", "import": "\(id)", "manifest": "\(visible(path))"])
    }

    func notTaken(watch: String, path: FilePath, error: any Error) {
        Counter(label: "datarowd_manifests_refused_total", dimensions: [("watch", watch)]).increment()
        logger.warning(
            "Not taken",
            metadata: ["watch": "\(watch)", "manifest": "\(visible(path))", "reason": "\(visible("\(error)"))"])
    }

    func planned(watch: String, id: ImportID, path: FilePath, rows: Int, rejected: Int, warnings: Int, segments: Int) {
        logger.info(
            "Checked",
            metadata: [
                "watch": "\(watch)", "import": "\(id)", "manifest": "\(visible(path))", "rows": "\(rows)",
                "rejected": "\(rejected)",
                "warnings": "\(warnings)", "segments": "\(segments)",
            ])
    }

    func ended(watch: String, id: ImportID, path: FilePath, state: String, reason: String) {
        logger.info(
            "Ended",
            metadata: [
                "watch": "\(watch)", "import": "\(id)", "manifest": "\(visible(path))", "state": "\(state)",
                "reason": "\(visible(reason))",
            ])
    }

    func uploaded(path: FilePath, bytes: Int64, isReused: Bool) {
        if isReused {
            reuses.increment()
        } else {
            uploads.increment()
            uploadedBytes.increment(by: Int(bytes))
        }
        logger.debug(
            "Media uploaded",
            metadata: ["path": "\(visible(path))", "bytes": "\(bytes)", "reused": "\(isReused)"])
    }

    func fewerFiles(perRequest files: Int, reason: String) {
        logger.notice(
            "Fewer files share a request from now on", metadata: ["files": "\(files)", "reason": "\(visible(reason))"])
    }

    func mediaFailed(path: FilePath, reason: String) {
        mediaFailures.increment()
        logger.warning("Media failed", metadata: ["path": "\(visible(path))", "reason": "\(visible(reason))"])
    }

    func submitted(_ id: SubmissionID, task: TaskID, rows: Int, chunks: Int) {
        rowsSubmitted.increment(by: rows)
        logger.info(
            "Submitted",
            metadata: ["submission": "\(id)", "task": "\(task)", "rows": "\(rows)", "chunks": "\(chunks)"])
    }

    func deleted(_ id: SubmissionID, rows: Int) {
        rowsDeleted.increment(by: rows)
        logger.notice("Deletion taken", metadata: ["submission": "\(id)", "rows": "\(rows)"])
    }

    func ambiguous(_ id: SubmissionID, reason: String) {
        ambiguities.increment()
        logger.warning(
            "Submission may or may not have arrived; its rows are looked up",
            metadata: ["submission": "\(id)", "reason": "\(visible(reason))"])
    }

    func settled(_ id: SubmissionID, task: TaskID?, status: String, succeeded: Int, failed: Int, again: Int) {
        // The server's word is anybody's guess, and a metric's labels are not.
        let known = ["complete", "failed", "canceled", "absent"].first { $0 == status.lowercased() } ?? "other"
        Counter(label: "datarowd_tasks_ended_total", dimensions: [("status", known)]).increment()
        var metadata: Logger.Metadata = [
            "submission": "\(id)", "status": "\(visible(status))", "succeeded": "\(succeeded)",
            "failed": "\(failed)", "again": "\(again)",
        ]
        if let task { metadata["task"] = "\(task)" }
        logger.info("Task ended", metadata: metadata)
    }

    /// Tells that a request failed, and whether it is sent again.
    public func requestFailed(kind: String, error: any Error, isRetried: Bool) {
        if isRetried { Counter(label: "datarowd_request_retries_total", dimensions: [("kind", kind)]).increment() }
        logger.log(
            level: isRetried ? .notice : .warning, "Request failed",
            metadata: ["kind": "\(kind)", "retried": "\(isRetried)", "reason": "\(visible("\(error)"))"])
    }

    /// Counts a request that ended, however it did.
    ///
    /// - Parameters:
    ///   - operation: the field of the API that was asked for.
    ///   - outcome: `ok`, or the error's code.
    ///   - took: from being sent to being understood.
    public func requestEnded(operation: String, outcome: String, took: Duration) {
        Counter(label: "datarowd_requests_total", dimensions: [("operation", operation), ("outcome", outcome)])
            .increment()
        Timer(label: "datarowd_request_duration_seconds", dimensions: [("operation", operation)])
            .recordSeconds(took.seconds)
    }

    /// Counts bytes of bodies as they move.
    public func moved(sentBytes: Int64, receivedBytes: Int64) {
        if sentBytes > 0 { self.sentBytes.increment(by: sentBytes) }
        if receivedBytes > 0 { self.receivedBytes.increment(by: receivedBytes) }
    }

    func stumbled(stage: String, error: any Error) {
        Counter(label: "datarowd_stage_failures_total", dimensions: [("stage", stage)]).increment()
        logger.error("Work put back", metadata: ["stage": "\(stage)", "reason": "\(visible("\(error)"))"])
    }

    func leaseLost(stage: String, error: any Error) {
        Counter(label: "datarowd_leases_lost_total", dimensions: [("stage", stage)]).increment()
        logger.warning("Lease lost", metadata: ["stage": "\(stage)", "reason": "\(visible("\(error)"))"])
    }

    func healthChanged(_ troubles: [String: String]) {
        if troubles.isEmpty {
            logger.notice("All stages work again")
        } else {
            for (stage, reason) in troubles.sorted(by: { $0.key < $1.key }) {
                logger.error("Stage cannot work", metadata: ["stage": "\(stage)", "reason": "\(visible(reason))"])
            }
        }
    }

    // File names and servers' words are written by others: they must not forge lines or move a terminal's cursor.
    private func visible(_ path: FilePath) -> String { visible(path.string) }

    private func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
        var shown = ""
        for scalar in text.unicodeScalars {
            if scalar.properties.generalCategory == .control {
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }
}
