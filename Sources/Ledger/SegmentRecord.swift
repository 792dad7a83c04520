public import DataRows
public import Foundation
public import SystemPackage

/// A run of consecutive rows of one import, as planned.
public struct PlannedSegment: Sendable, Hashable {
    /// The first row's number in its manifest.
    public var firstRow: Int
    /// How many rows lie in the run, rejected ones included.
    public var rowCount: Int
    /// How many of them are to be sent.
    public var validRows: Int
    /// Which rows those are, where it is not all of them.
    public var only: RowRuns?
    /// Where the run begins in the (inflated) manifest.
    public var offset: Int64
    /// How long it is in bytes.
    public var length: Int64
    /// The local files that its rows name.
    public var media: [MediaReference]

    public init(
        firstRow: Int, rowCount: Int, validRows: Int, only: RowRuns? = nil, offset: Int64, length: Int64,
        media: [MediaReference] = []
    ) {
        self.firstRow = firstRow
        self.rowCount = rowCount
        self.validRows = validRows
        self.only = only
        self.offset = offset
        self.length = length
        self.media = media
    }
}

/// A segment on its way, with what is needed to build its rows again.
public struct SegmentRecord: Sendable, Hashable {
    public var id: Int64
    public var importID: ImportID
    /// The planned segment from which it was cut; its media references are kept under that one's number.
    public var origin: Int64
    public var firstRow: Int
    public var rowCount: Int
    public var offset: Int64
    public var length: Int64
    /// The rows to send, where that is not all that were found valid.
    public var only: RowRuns?
    /// How many rows are to be sent.
    public var sendRows: Int
    /// How often these rows may have reached the server before: 0 means never.
    public var earlierSends: Int
    // Of the import, since a segment is of no use without it:
    public var watch: String
    public var path: FilePath
    public var claimedPath: FilePath
    public var instructions: Data
}

/// What became of a segment.
public struct SegmentOutcome: Sendable {
    public var segment: Int64
    public var created = 0
    public var updated = 0
    public var alreadyPresent = 0
    public var failed = 0
    public var deleted = 0
    /// The first errors, at most ``ErrorEntry/kept``.
    public var errors: [ErrorEntry] = []
    /// A line for each row that ended here; `nil` when none did.
    public var results: ResultsPart?
    /// What is to be sent again: each becomes a segment of its own.
    public var again: [Resend] = []

    public init(segment: Int64) { self.segment = segment }

    /// Rows that are to be sent again.
    public struct Resend: Sendable, Hashable {
        public var rows: RowRuns
        /// Set where the rows must not share a task with others, since one of them makes the server refuse it.
        public var isolation: String?
        /// Whether the server may have seen them before.
        public var mayHaveArrived: Bool

        public init(rows: RowRuns, isolation: String? = nil, mayHaveArrived: Bool) {
            self.rows = rows
            self.isolation = isolation
            self.mayHaveArrived = mayHaveArrived
        }
    }
}

/// Result lines of a settled segment, in ascending order of rows.
public struct ResultsPart: Sendable, Hashable {
    /// Where the lines are.
    ///
    /// A file for each of ten thousand one-row manifests would cost as many syncs; so few lines are kept here.
    public enum Lines: Sendable, Hashable {
        case file(FilePath)
        case inline(Data)
    }

    public var firstRow: Int
    public var lines: Lines

    public init(firstRow: Int, lines: Lines) {
        self.firstRow = firstRow
        self.lines = lines
    }
}
