internal import DataRows
internal import Foundation
internal import Ledger
internal import Reporting
internal import SystemPackage

/// A status file of an import that ended, as far as the ledger wants to know of it.
struct FinishedStatus: Decodable {
    struct Task: Decodable {
        var task_id: String?
        var status: String
        var rows: Int
        var completion_percentage: Double?
        var submitted_at: String?
        var finished_at: String?
    }

    var schema: String
    var id: String?
    var watch: String
    var manifest: String
    var manifest_base64: String?
    var bytes: Int64
    var sha256: String?
    var operation: String?
    var dataset_id: String?
    var state: ImportState
    var state_reason: String
    var rows: RowCounts
    var media: MediaCounts
    var tasks: [Task]
    var errors: [ErrorEntry]
    var errors_total: Int
    var warnings: [ErrorEntry]?
    var warnings_total: Int?
    var results_file: String?
    var failed_rows_file: String?
    var seen_at: String
    var started_at: String?
    var finished_at: String?

    /// Reads a status; nil for what is none, or of an import that has not ended.
    static func read(_ bytes: [UInt8]) -> FinishedStatus? {
        guard let status = try? JSONDecoder().decode(FinishedStatus.self, from: Data(bytes)),
            status.schema == StatusReport.schema, status.state.isFinal, status.finished_at != nil
        else { return nil }
        return status
    }

    /// The path as it was dropped.
    var path: FilePath {
        guard let base64 = manifest_base64, let bytes = Data(base64Encoded: base64) else { return FilePath(manifest) }
        return FilePath(rawBytes: bytes)
    }

    /// The import; nil where a needed time cannot be read.
    var finished: FinishedImport? {
        guard let id, let seen = Timestamp.date(seen_at), let end = finished_at.flatMap(Timestamp.date) else {
            return nil
        }
        var found = FinishedImport(
            id: ImportID(rawValue: id), watch: watch, path: path, state: state, seenAt: seen, finishedAt: end)
        found.bytes = bytes
        found.sha256 = sha256
        found.operation = operation
        found.datasetID = dataset_id.map { DatasetID(rawValue: $0) }
        // The sentence is made anew from the counts; only where there is nothing else it is kept as it was.
        if errors.isEmpty, state != .complete, state != .completeWithErrors { found.reason = state_reason }
        found.rows = rows
        found.media = media
        found.errors = errors
        found.errorsTotal = errors_total
        found.warnings = warnings ?? []
        found.warningsTotal = warnings_total ?? 0
        found.results = results_file.map { FilePath($0) }
        found.failedRows = failed_rows_file.map { FilePath($0) }
        found.startedAt = started_at.flatMap(Timestamp.date)
        found.tasks = tasks.compactMap { task in
            task.task_id.map {
                FinishedImport.Task(
                    id: TaskID(rawValue: $0), status: task.status, rows: task.rows,
                    completion: task.completion_percentage ?? 0, submittedAt: task.submitted_at.flatMap(Timestamp.date),
                    finishedAt: task.finished_at.flatMap(Timestamp.date))
            }
        }
        return found
    }
}
