package import DataRows
package import Foundation
package import SystemPackage

// Records that no ledger holds, for a preparation that sends nothing.

extension ImportRecord {
    /// An import that was just claimed.
    package init(
        unstored id: ImportID, watch: String, path: FilePath, claimedPath: FilePath, bytes: Int64, at now: Date
    ) {
        self.init(
            id: id, revision: 0, watch: watch, path: path, claimedPath: claimedPath, bytes: bytes, phase: .claimed,
            state: .queued, reason: "", delay: "", rows: RowCounts(), media: MediaCounts(), openMedia: 0,
            openSegments: 0,
            errors: [], errorsTotal: 0, warnings: [], warningsTotal: 0, attempts: 0, seenAt: now, updatedAt: now)
    }
}

extension SubmissionRecord {
    /// A submission that was just sealed.
    package init(unstored id: SubmissionID, datasetID: DatasetID, operation: String, rows: Int, at now: Date) {
        self.init(
            id: id, phase: .sealed, datasetID: datasetID, operation: operation, rows: rows, completion: 0, reason: "",
            createdAt: now, nextAttempt: now, attempts: 0, submitWith: .upsertDataRows)
    }
}

extension SegmentRecord {
    /// A planned segment of an import, on its way for the first time.
    package init(
        unstored id: Int64, of planned: PlannedSegment, importID: ImportID, watch: String, path: FilePath,
        claimedPath: FilePath, instructions: Data
    ) {
        self.init(
            id: id, importID: importID, origin: id, firstRow: planned.firstRow, rowCount: planned.rowCount,
            offset: planned.offset, length: planned.length, only: planned.only, sendRows: planned.validRows,
            earlierSends: 0, watch: watch, path: path, claimedPath: claimedPath, instructions: instructions)
    }
}

extension MediaOutcome {
    /// What became of a file of which no ledger knows.
    package init(unstored url: String?, sha256: [UInt8]?, failure: ErrorEntry?) {
        self.init(url: url, sha256: sha256, failure: failure)
    }
}
