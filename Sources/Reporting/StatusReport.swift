internal import DataRows
internal import Files
public import Foundation
public import Ledger
internal import SystemPackage

/// What became of one manifest: the content of its status file.
///
/// A value made of what the ledger holds, so the file can be lost and written again. Changing a key is a change of
/// the contract: see `docs/schemas/manifest-status.schema.json`.
public struct StatusReport: Sendable, Hashable {
    /// Written in each file, so that a reader knows what it reads.
    public static let schema = "datarowd.status/1"

    /// A task with rows of this import.
    public struct TaskReport: Sendable, Hashable {
        /// `nil` before the server made a task of the submission.
        public var taskID: String?
        /// The server's word; before there is one, the ledger's.
        public var status: String
        public var rows: Int
        /// From 0 to 100.
        public var completionPercentage: Double
        public var submittedAt: Date?
        public var finishedAt: Date?
    }

    /// `nil` while the file settles.
    public var id: String?
    public var watch: String
    /// Where it was dropped, relative to the watched folder; bytes that are not UTF-8 are replaced.
    public var manifest: String
    /// The same byte for byte in base64, where it is not UTF-8.
    public var manifestBase64: String?
    public var bytes: Int64
    public var sha256: String?
    public var operation: String?
    public var datasetID: String?
    public var state: ImportState
    /// One sentence: why it is in this state, and what happens next, and when.
    public var stateReason: String
    public var rows: RowCounts
    public var media: MediaCounts
    /// Names of media that is not there, the first hundred.
    public var missing: [String]
    public var tasks: [TaskReport]
    /// The first hundred.
    public var errors: [ErrorEntry]
    public var errorsTotal: Int
    /// What is odd and did not stop anything, the first hundred.
    public var warnings: [ErrorEntry]
    public var warningsTotal: Int
    public var resultsFile: String?
    public var failedRowsFile: String?
    /// From 0 to 1.
    public var progress: Double
    public var etaSeconds: Int?
    public var seenAt: Date
    public var startedAt: Date?
    public var updatedAt: Date
    public var finishedAt: Date?

    /// Describes a claimed manifest.
    ///
    /// - Parameters:
    ///   - record: The import.
    ///   - tasks: Those with rows of it.
    ///   - circumstances: What the ledger does not know.
    ///   - estimator: How it moved so far; `nil` where that is not followed.
    ///   - now: For the sentence.
    public init(
        _ record: ImportRecord, tasks: [TaskEntry], circumstances: StateSentence.Circumstances,
        estimator: ProgressEstimator?, now: Date
    ) {
        id = record.id.rawValue
        watch = record.watch
        manifest = record.path.string
        manifestBase64 = Self.base64(record.path.bytes, unless: manifest)
        bytes = record.bytes
        sha256 = record.sha256
        operation = record.operation
        datasetID = record.datasetID?.rawValue
        state = record.shownState
        stateReason = StateSentence(record, tasks: tasks, circumstances: circumstances, now: now).text
        rows = record.rows
        media = record.media
        missing = Array(circumstances.missing.prefix(StateSentence.mostNames))
        self.tasks = tasks.map(TaskReport.init)
        errors = record.errors
        errorsTotal = record.errorsTotal
        warnings = record.warnings
        warningsTotal = record.warningsTotal
        resultsFile = record.resultsPath?.string
        failedRowsFile = record.failedRowsPath?.string
        let work = ProgressWork(rows: record.rows, media: record.media)
        // What is done is never shown before the results are written.
        progress = state.isFinal ? 1 : min(work.fraction, 0.999)
        etaSeconds = state.isFinal ? nil : estimator?.eta(work)
        seenAt = record.seenAt
        startedAt = record.startedAt
        updatedAt = record.updatedAt
        finishedAt = record.finishedAt
    }

    /// Describes a file that is not claimed yet.
    public init(settling file: SettlingFile, watch: String, now: Date) {
        self.watch = watch
        manifest = file.path.string
        manifestBase64 = Self.base64(file.path.bytes, unless: manifest)
        bytes = file.bytes
        state = .settling
        stateReason = StateSentence.settling(reason: file.reason, nextLook: file.nextLook, now: now)
        rows = RowCounts()
        media = MediaCounts()
        missing = []
        tasks = []
        errors = []
        errorsTotal = 0
        warnings = []
        warningsTotal = 0
        progress = 0
        seenAt = file.since
        updatedAt = now
    }

    private static func base64(_ bytes: [UInt8], unless text: String) -> String? {
        bytes.elementsEqual(text.utf8) ? nil : Data(bytes).base64EncodedString()
    }
}

extension StatusReport.TaskReport {
    /// Describes a task as the ledger knows it.
    public init(_ entry: TaskEntry) {
        taskID = entry.taskID?.rawValue
        // An ambiguous submission may have a task of which nobody was told.
        status = entry.taskID == nil || entry.status.isEmpty ? entry.phase.rawValue : entry.status
        rows = entry.rows
        completionPercentage = entry.completion
        submittedAt = entry.submittedAt
        finishedAt = entry.finishedAt
    }
}

extension StatusReport: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("schema", Self.schema)
            json.member("id", id)
            json.member("watch", watch)
            json.member("manifest", manifest)
            if let manifestBase64 { json.member("manifest_base64", manifestBase64) }
            json.member("bytes", bytes)
            json.member("sha256", sha256)
            json.member("operation", operation)
            json.member("dataset_id", datasetID)
            json.member("state", state.rawValue)
            json.member("state_reason", stateReason)
            json.member("rows", rows)
            json.member("media") { json in
                json.object { json in
                    json.member("files", media.files)
                    json.member("bytes", media.bytes)
                    json.member("uploaded_files", media.uploadedFiles)
                    json.member("uploaded_bytes", media.uploadedBytes)
                    json.member("missing", missing)
                }
            }
            json.member("tasks", tasks)
            json.member("errors", errors)
            json.member("errors_total", errorsTotal)
            json.member("warnings", warnings)
            json.member("warnings_total", warningsTotal)
            json.member("results_file", resultsFile)
            json.member("failed_rows_file", failedRowsFile)
            json.member("progress", (progress * 10_000).rounded(.down) / 10_000)
            json.member("eta_seconds", etaSeconds)
            json.member("seen_at", seenAt)
            json.member("started_at", startedAt)
            json.member("updated_at", updatedAt)
            json.member("finished_at", finishedAt)
        }
    }
}

extension RowCounts: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("total", total)
            json.member("rejected", rejected)
            json.member("submitted", submitted)
            json.member("created", created)
            json.member("updated", updated)
            json.member("already_present", alreadyPresent)
            json.member("failed", failed)
            json.member("deleted", deleted)
        }
    }
}

extension StatusReport.TaskReport: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("task_id", taskID)
            json.member("status", status)
            json.member("rows", rows)
            json.member("completion_percentage", completionPercentage)
            json.member("submitted_at", submittedAt)
            json.member("finished_at", finishedAt)
        }
    }
}

extension ErrorEntry: JSONWritable {
    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("row", row)
            json.member("byte_offset", byteOffset)
            json.member("pointer", pointer)
            json.member("code", code)
            json.member("message", message)
        }
    }
}
