public import DataRows

/// All that is asked of a ledger to write the rows of a submission.
public protocol SegmentSource: Sendable {
    /// The segments of a submission, by pages in ascending order of id.
    func segments(of submission: SubmissionID, after: Int64, limit: Int) async throws -> [SegmentRecord]
    /// What became of the media that a planned segment names, by the names in its rows.
    func mediaOutcomes(segment origin: Int64) async throws -> [ExactName: MediaOutcome]
}
