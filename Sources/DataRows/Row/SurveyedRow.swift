/// What pass 1 found out about one row.
public struct SurveyedRow: Sendable {
    /// The row's number, from 0.
    public internal(set) var index = 0
    /// What is done with it: the same for each row of a manifest.
    public internal(set) var operation = RowOperation.create
    /// Where the row stands in the (uncompressed) text.
    public internal(set) var byteRange: Range<Int64> = 0..<0
    /// Why the row is rejected; empty for a valid one.
    public internal(set) var problems: [RowProblem] = []
    /// What a rejected row is called; empty for a valid one, whose names are told when it is sent.
    public internal(set) var names = RowNames()
    /// What is odd about the row, but no reason to reject it; the first of a manifest are told in words.
    public internal(set) var warnings: [RowProblem] = []
    /// How many warnings there are for the row, those included that are not told in words.
    public internal(set) var warningCount = 0
    /// Whether warnings are still told in words.
    var tellsWarnings = true
    /// A hash of the global key that the row is to have, or of the row that it is for; 0 for none.
    var keyHash: UInt64 = 0
    /// A hash of the row that it is for, where it is to have another key; 0 for none.
    var otherKeyHash: UInt64 = 0
    /// The local file that its `row_data` names, as written, `file:` resolved.
    public internal(set) var mediaPath: String?
    /// Its `row_data` is a text too long to be sent inline.
    public internal(set) var needsTextUpload = false
    /// It names its own global key, or is matched by one.
    public internal(set) var hasGlobalKey = false
    /// It has `metadata_fields`, which can be sent only once the metadata ontology is known.
    public internal(set) var needsOntology = false
    /// A hash of its bytes, the same for every identical row; 0 for a row with a global key, which needs none.
    public internal(set) var repetitionHash: UInt64 = 0
    /// The most bytes that it can take in a chunk, the comma included.
    public internal(set) var payloadBytes = 0

    /// Whether the row is imported.
    public enum Verdict: Sendable, Equatable {
        case valid
        case rejected([RowProblem])
    }

    /// Whether the row is imported.
    public var verdict: Verdict { problems.isEmpty ? .valid : .rejected(problems) }

    mutating func take(_ reporter: RowReporter) {
        if !reporter.problems.isEmpty { problems += reporter.problems }
        if reporter.warningCount != 0 {
            warnings += reporter.warnings
            warningCount += reporter.warningCount
        }
    }

    @inline(__always) mutating func reset() {
        if !problems.isEmpty {
            problems = []
            names = RowNames()
        }
        if warningCount != 0 {
            warnings = []
            warningCount = 0
        }
        keyHash = 0
        otherKeyHash = 0
        if mediaPath != nil { mediaPath = nil }
        needsTextUpload = false
        hasGlobalKey = false
        needsOntology = false
        repetitionHash = 0
        payloadBytes = 0
    }
}
