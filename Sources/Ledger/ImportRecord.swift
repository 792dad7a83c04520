public import DataRows
public import Foundation
public import SystemPackage

/// What users are told about an import; the words of the status file.
public enum ImportState: String, Sendable, Codable, CaseIterable {
    case settling
    case waitingForMedia = "waiting_for_media"
    case queued
    case importing
    case complete
    case completeWithErrors = "complete_with_errors"
    case failed
    case rejected
    case cancelled

    /// Whether nothing more will happen.
    public var isFinal: Bool {
        switch self {
        case .settling, .waitingForMedia, .queued, .importing: false
        case .complete, .completeWithErrors, .failed, .rejected, .cancelled: true
        }
    }
}

/// Which stage an import waits for.
public enum ImportPhase: String, Sendable, Codable, CaseIterable {
    /// Taken from the drop folder; nothing is known of its contents.
    case claimed
    /// Its segments go their way.
    case moving
    /// Each row has its outcome; the results and the archive are to be written.
    case closing
    /// Nothing is left to do.
    case closed
}

/// How an import came into the ledger.
public enum ImportOrigin: Int, Sendable, Codable {
    /// Its manifest was dropped.
    case dropped = 0
    /// A ledger that was made anew took it up again, so it may have been sent: its rows are looked up before they are sent,
    /// and nothing is sent of which that is not possible.
    case rebuilt = 1
    /// The same, but what cannot be looked up is sent all the same, as somebody asked for it.
    case sentAgain = 2
}

/// A manifest that was just taken from a drop folder.
public struct NewImport: Sendable, Hashable {
    public var id: ImportID
    public var watch: String
    /// Where it was dropped, relative to the watched folder.
    public var path: FilePath
    /// Where it lies now.
    public var claimedPath: FilePath
    public var bytes: Int64
    public var seenAt: Date
    public var origin: ImportOrigin
    /// The import that it takes up again.
    public var retryOf: ImportID?

    public init(
        id: ImportID, watch: String, path: FilePath, claimedPath: FilePath, bytes: Int64, seenAt: Date,
        origin: ImportOrigin = .dropped, retryOf: ImportID? = nil
    ) {
        self.origin = origin
        self.retryOf = retryOf
        self.id = id
        self.watch = watch
        self.path = path
        self.claimedPath = claimedPath
        self.bytes = bytes
        self.seenAt = seenAt
    }
}

/// How many rows ended how.
public struct RowCounts: Sendable, Hashable, Codable {
    public var total = 0
    public var rejected = 0
    public var submitted = 0
    public var created = 0
    public var updated = 0
    public var alreadyPresent = 0
    public var failed = 0
    public var deleted = 0

    public init() {}

    /// Rows of which nothing more will be heard.
    public var ended: Int { rejected + created + updated + alreadyPresent + failed + deleted }
    /// Rows that are on the server as wanted.
    public var succeeded: Int { created + updated + alreadyPresent + deleted }

    enum CodingKeys: String, CodingKey {
        case total, rejected, submitted, created, updated, failed, deleted
        case alreadyPresent = "already_present"
    }
}

/// The local files that an import names.
public struct MediaCounts: Sendable, Hashable, Codable {
    public var files = 0
    public var bytes: Int64 = 0
    public var uploadedFiles = 0
    public var uploadedBytes: Int64 = 0

    public init() {}

    enum CodingKeys: String, CodingKey {
        case files, bytes
        case uploadedFiles = "uploaded_files"
        case uploadedBytes = "uploaded_bytes"
    }
}

/// One thing that went wrong, or may, as the status file shows it.
public struct ErrorEntry: Sendable, Hashable, Codable {
    /// The row's number, counted from 0; `nil` where the whole manifest is concerned.
    public var row: Int?
    /// Where in the (inflated) manifest.
    public var byteOffset: Int64?
    /// A JSON pointer into the manifest.
    public var pointer: String?
    /// A stable word for programs.
    public var code: String
    /// A sentence for people.
    public var message: String

    public init(row: Int? = nil, byteOffset: Int64? = nil, pointer: String? = nil, code: String, message: String) {
        self.row = row
        self.byteOffset = byteOffset
        self.pointer = pointer
        self.code = code
        self.message = message
    }

    enum CodingKeys: String, CodingKey {
        case row, pointer, code, message
        case byteOffset = "byte_offset"
    }

    /// How many of an import's errors, and of its warnings, are kept in the ledger and shown in its status.
    public static let kept = 100
}

/// One claimed manifest and what became of it.
public struct ImportRecord: Sendable, Hashable {
    public var id: ImportID
    /// Grows with every change of any import, so that a reader can ask for what changed since.
    public var revision: Int
    public var watch: String
    public var path: FilePath
    public var claimedPath: FilePath
    public var bytes: Int64
    public var sha256: String?
    public var origin = ImportOrigin.dropped
    /// The import that somebody asked to take up again, and that this one is.
    public var retryOf: ImportID?
    /// Who cancelled it and when, as a sentence, from the moment that it was.
    public var cancelled: String?
    public var phase: ImportPhase
    public var state: ImportState
    /// One sentence: why it ended as it did; empty until then.
    public var reason: String
    /// Why it was put off last, whether or not it is still put off.
    public var delay: String
    public var datasetID: DatasetID?
    public var operation: String?
    /// How its rows are to be treated, as the importer wrote it when it planned the import.
    public var instructions: Data?
    public var rows: RowCounts
    public var media: MediaCounts
    /// Media files that have not been uploaded yet.
    public var openMedia: Int
    /// Segments without an outcome.
    public var openSegments: Int
    public var errors: [ErrorEntry]
    public var errorsTotal: Int
    /// What is odd and did not stop anything, the first of it.
    public var warnings: [ErrorEntry]
    public var warningsTotal: Int
    public var resultsPath: FilePath?
    public var failedRowsPath: FilePath?
    /// Where the manifest goes, or went, after the import.
    public var destination: FilePath?
    public var attempts: Int
    public var nextAttempt: Date?
    public var seenAt: Date
    public var startedAt: Date?
    public var updatedAt: Date
    public var finishedAt: Date?
}
