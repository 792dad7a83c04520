public import DataRows

/// An item whose lease was taken away from whoever works on it.
public enum CalledOff: Sendable, Hashable {
    case media(Int64, fence: Int)
    case submission(SubmissionID, fence: Int)
}
