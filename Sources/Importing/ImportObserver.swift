internal import DataRows
public import Logging
internal import Metrics
internal import SystemPackage

/// Every log line and every number of the pipeline, named once.
///
/// The pipeline says what happened; this file alone knows what that is called in a log or a dashboard.
public struct ImportObserver: Sendable {
    private let logger: Logger
    private let claims = Counter(label: "datarowd_manifests_claimed_total")
    private let rowsSubmitted = Counter(label: "datarowd_rows_submitted_total")
    private let rowsDeleted = Counter(label: "datarowd_rows_deletion_taken_total")
    private let uploads = Counter(label: "datarowd_media_uploaded_total")
    private let uploadedBytes = Counter(label: "datarowd_media_uploaded_bytes_total")
    private let retries = Counter(label: "datarowd_request_retries_total")

    public init(logger: Logger) { self.logger = logger }

    func claimed(watch: String, id: ImportID, path: FilePath) {
        claims.increment()
        logger.info("Claimed", metadata: ["watch": "\(watch)", "import": "\(id)", "manifest": "\(visible(path))"])
    }

    func notTaken(watch: String, path: FilePath, error: any Error) {
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
        if !isReused {
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
        logger.warning(
            "Submission may or may not have arrived; its rows are looked up",
            metadata: ["submission": "\(id)", "reason": "\(visible(reason))"])
    }

    func settled(_ id: SubmissionID, task: TaskID?, status: String, succeeded: Int, failed: Int, again: Int) {
        var metadata: Logger.Metadata = [
            "submission": "\(id)", "status": "\(visible(status))", "succeeded": "\(succeeded)",
            "failed": "\(failed)", "again": "\(again)",
        ]
        if let task { metadata["task"] = "\(task)" }
        logger.info("Task ended", metadata: metadata)
    }

    /// Tells that a request failed, and whether it is sent again.
    public func requestFailed(kind: String, error: any Error, isRetried: Bool) {
        if isRetried { retries.increment() }
        logger.log(
            level: isRetried ? .notice : .warning, "Request failed",
            metadata: ["kind": "\(kind)", "retried": "\(isRetried)", "reason": "\(visible("\(error)"))"])
    }

    func stumbled(stage: String, error: any Error) {
        logger.error("Work put back", metadata: ["stage": "\(stage)", "reason": "\(visible("\(error)"))"])
    }

    func leaseLost(stage: String, error: any Error) {
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
