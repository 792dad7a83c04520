public import DataRows
public import Foundation

/// Where a submission stands.
public enum SubmissionPhase: String, Sendable, Codable {
    /// Its segments are chosen; its chunks are to be built and uploaded.
    case sealed
    /// The intent to submit is durable; the call may or may not have been made.
    case submitting
    /// It is not known whether the server took it: its rows are looked up until that is settled.
    case ambiguous
    /// The server has a task for it.
    case submitted
    /// The task has ended; its results are to be read.
    case collecting
    /// Each of its rows has an outcome, or went into another submission.
    case settled
}

/// The way in which the rows of a submission are handed over: the mutation's name.
public enum SubmitMutation: String, Sendable, Codable, CaseIterable {
    /// Chunks and a list of them.
    case upsertDataRows
    /// One file, for older servers; its results are a file, too.
    case appendRowsToDataset
    /// One call a row, for servers that know nothing better; there is no task.
    case createDataRow
}

/// One call of the import mutation, and the task that it became.
public struct SubmissionRecord: Sendable, Hashable {
    public var id: SubmissionID
    public var phase: SubmissionPhase
    public var datasetID: DatasetID
    public var operation: String
    /// Rows that its segments hold to be sent.
    public var rows: Int
    /// The rows are refused together: they are to be sent apart from others.
    public var isolation: String?
    public var manifestURL: String?
    public var taskID: TaskID?
    public var taskStatus: String?
    public var completion: Double
    public var reason: String
    public var createdAt: Date
    public var submittedAt: Date?
    public var finishedAt: Date?
    public var nextAttempt: Date
    public var attempts: Int
    /// How it was handed over, or is to be; what was recorded with the intent stays, whatever the configuration says later.
    public var submitWith: SubmitMutation
}

/// A task as the status file of an import shows it.
public struct TaskEntry: Sendable, Hashable {
    public var submission: SubmissionID
    public var taskID: TaskID?
    public var status: String
    /// How many of the import's rows are in it.
    public var rows: Int
    public var completion: Double
    public var phase: SubmissionPhase
    public var reason: String
    public var submittedAt: Date?
    public var finishedAt: Date?
}

/// What a poll saw.
public struct TaskSighting: Sendable, Hashable {
    public var submission: SubmissionID
    public var status: String
    public var completion: Double
    /// Whether the task has ended, so that its results can be read.
    public var hasEnded: Bool
    public var nextPoll: Date
    public var reason: String

    public init(
        submission: SubmissionID, status: String, completion: Double, hasEnded: Bool, nextPoll: Date, reason: String
    ) {
        self.submission = submission
        self.status = status
        self.completion = completion
        self.hasEnded = hasEnded
        self.nextPoll = nextPoll
        self.reason = reason
    }
}
