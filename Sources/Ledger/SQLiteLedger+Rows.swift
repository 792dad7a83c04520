internal import DataRows
internal import Foundation
internal import GRDB
internal import SystemPackage

// How rows of the database become records. A column is named once here, and in the statement that writes it.

extension ImportRecord {
    init(row: Row) throws { try self.init(row: NamedRow(row)) }

    init(row: NamedRow) throws {
        var rows = RowCounts()
        rows.total = row["rows_total"]
        rows.rejected = row["rows_rejected"]
        rows.submitted = row["rows_submitted"]
        rows.created = row["rows_created"]
        rows.updated = row["rows_updated"]
        rows.alreadyPresent = row["rows_present"]
        rows.failed = row["rows_failed"]
        rows.deleted = row["rows_deleted"]
        var media = MediaCounts()
        media.files = row["media_files"]
        media.bytes = row["media_bytes"]
        media.uploadedFiles = row["media_uploaded_files"]
        media.uploadedBytes = row["media_uploaded_bytes"]
        self.init(
            id: ImportID(rawValue: row["id"]),
            revision: row["revision"],
            watch: row["watch"],
            path: row.path("path"),
            claimedPath: row.path("claimed_path"),
            bytes: row["bytes"],
            sha256: row["sha256"],
            origin: ImportOrigin(rawValue: row["origin"]) ?? .rebuilt,
            retryOf: (row["retry_of"] as String?).map { ImportID(rawValue: $0) },
            cancelled: row["cancelled"],
            phase: try row.word("phase"),
            state: try row.word("state"),
            reason: row["reason"],
            delay: row["delay"],
            datasetID: (row["dataset_id"] as String?).map { DatasetID(rawValue: $0) },
            operation: row["operation"],
            instructions: row["instructions"],
            rows: rows,
            media: media,
            openMedia: row["media_open"],
            openSegments: row["segments_open"],
            errors: try row.errorEntries("errors"),
            errorsTotal: row["errors_total"],
            warnings: try row.errorEntries("warnings"),
            warningsTotal: row["warnings_total"],
            resultsPath: row.optionalPath("results_path"),
            failedRowsPath: row.optionalPath("failed_path"),
            destination: row.optionalPath("destination"),
            attempts: row["attempts"],
            nextAttempt: row.date("next_attempt"),
            seenAt: Date(timeIntervalSince1970: row["seen_at"]),
            startedAt: row.date("started_at"),
            updatedAt: Date(timeIntervalSince1970: row["updated_at"]),
            finishedAt: row.date("finished_at"))
    }
}

extension SegmentRecord {
    /// From a segment joined to its import.
    init(row: NamedRow) throws {
        var only: RowRuns?
        if let text = row["only_rows"] as String? {
            guard let runs = RowRuns(encoded: text) else {
                throw LedgerError.corrupt(path: "", why: "segment \(row["id"] as Int64) has the rows '\(text)'")
            }
            only = runs
        }
        self.init(
            id: row["id"],
            importID: ImportID(rawValue: row["import_id"]),
            origin: row["origin"],
            firstRow: row["first_row"],
            rowCount: row["row_count"],
            offset: row["byte_offset"],
            length: row["byte_length"],
            only: only,
            sendRows: row["send_rows"],
            earlierSends: row["earlier_sends"],
            watch: row["watch"],
            path: row.path("path"),
            claimedPath: row.path("claimed_path"),
            instructions: row["instructions"] ?? Data())
    }
}

extension MediaRecord {
    init(row: Row) throws { try self.init(row: NamedRow(row)) }

    init(row: NamedRow) throws {
        var identity: MediaIdentity?
        if let inode = row["inode"] as Int64? {
            identity = MediaIdentity(
                device: UInt64(bitPattern: row["device"]), inode: UInt64(bitPattern: inode), size: row["size"],
                modified: row["modified"], changed: row["changed"])
        }
        var expected: ExpectedContent?
        let (bytes, sha256) = (row["expected_bytes"] as Int64?, row["expected_sha256"] as Data?)
        if bytes != nil || sha256 != nil {
            expected = ExpectedContent(bytes: bytes, sha256: sha256.map { [UInt8]($0) })
        }
        self.init(
            id: row["id"],
            watch: row["watch"],
            root: row["root"],
            path: row.path("path"),
            identity: identity,
            expected: expected,
            phase: try row.word("phase"),
            sha256: (row["sha256"] as Data?).map { [UInt8]($0) },
            url: row["url"],
            uploadedAt: row.date("uploaded_at"),
            failure: try row.errorEntry("failure"),
            attempts: row["attempts"],
            since: Date(timeIntervalSince1970: row["since"]),
            destination: row.optionalPath("destination"),
            leavesTo: row["leaves_to"])
    }
}

extension SubmissionRecord {
    init(row: Row) throws { try self.init(row: NamedRow(row)) }

    init(row: NamedRow) throws {
        self.init(
            id: SubmissionID(rawValue: row["id"]),
            phase: try row.word("phase"),
            datasetID: DatasetID(rawValue: row["dataset_id"]),
            operation: row["operation"],
            rows: row["rows"],
            isolation: row["isolation"],
            manifestURL: row["manifest_url"],
            taskID: (row["task_id"] as String?).map { TaskID(rawValue: $0) },
            taskStatus: row["task_status"],
            completion: row["completion"],
            reason: row["reason"],
            createdAt: Date(timeIntervalSince1970: row["created_at"]),
            submittedAt: row.date("submitted_at"),
            finishedAt: row.date("finished_at"),
            nextAttempt: Date(timeIntervalSince1970: row["next_attempt"]),
            attempts: row["attempts"],
            submitWith: try row.word("submit_with"))
    }
}

extension TaskEntry {
    init(row: Row) throws { try self.init(row: NamedRow(row)) }

    init(row: NamedRow) throws {
        self.init(
            submission: SubmissionID(rawValue: row["id"]),
            taskID: (row["task_id"] as String?).map { TaskID(rawValue: $0) },
            status: row["task_status"] ?? "",
            rows: row["task_rows"],
            completion: row["completion"],
            phase: try row.word("phase"),
            reason: row["reason"],
            submittedAt: row.date("submitted_at"),
            finishedAt: row.date("finished_at"))
    }
}

extension FilePath {
    /// How a path stands in the ledger: as its bytes.
    var stored: Data { Data(rawBytes) }
}

extension ErrorEntry {
    func stored() throws -> String {
        String(bytes: try JSONEncoder().encode(self), encoding: .utf8) ?? ""
    }
}
