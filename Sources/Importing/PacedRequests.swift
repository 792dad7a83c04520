public import LabelboxAPI
public import Pacing

/// The way of every request: the account's budget, retries, and what may not be retried.
///
/// A request waits here as long as the account is blocked, the server is down or the window is used up; hours or days,
/// without any row failing for it. It is given up only when the server refused just this request, or when it is a
/// submit of which nobody knows whether it arrived.
public struct PacedRequests: RequestGate {
    private let pacer: RequestPacer
    private let noticed: @Sendable (RequestKind, LabelboxError, _ isRetried: Bool) -> Void

    /// Nothing was sent when this is thrown.
    private static let calledOff = LabelboxError(
        .cancelled, outcome: .notProcessed, operation: "request", message: "it was called off before it was sent")

    /// Sends through a pacer, and tells of each error that it saw.
    public init(
        pacer: RequestPacer, noticed: @escaping @Sendable (RequestKind, LabelboxError, _ isRetried: Bool) -> Void
    ) {
        self.pacer = pacer
        self.noticed = noticed
    }

    public func run<Value: Sendable>(
        _ kind: RequestKind, _ attempt: @Sendable () async throws(LabelboxError) -> Value
    ) async throws(LabelboxError) -> Value {
        var earlier: Permit?
        while true {
            let permit: Permit
            do { permit = try await pacer.admit(kind.priority, retrying: earlier) } catch { throw Self.calledOff }
            do {
                let value = try await attempt()
                pacer.finish(permit, .success)
                return value
            } catch {
                pacer.finish(permit, error.verdict, reason: "\(error)")
                let isRetried = error.isRetryable(as: kind)
                noticed(kind, error, isRetried)
                guard isRetried else { throw error }
                do { try await pacer.rest(beforeRetryOf: permit) } catch { throw Self.calledOff }
                earlier = permit
            }
        }
    }
}

extension RequestKind {
    var priority: RequestPriority {
        switch self {
        case .read: .poll
        case .upload: .upload
        case .submit: .submit
        }
    }
}

extension LabelboxError {
    /// What an error says about the server and the account.
    var verdict: Verdict {
        switch kind {
        case .rateLimited(let retryAfter): .rateLimited(retryAfter: retryAfter)
        case .authentication, .quota: .blocked(message)
        case .serverError: outcome == .failed ? .success : .overloaded
        case .badAnswer: .overloaded
        case .unreachable, .connectionLost: .unreachable
        case .bodySource, .cancelled: .neutral
        case .permission, .notFound, .conflict, .invalidQuery, .queryTooComplex, .tooLarge, .answerTooLarge, .refused:
            .success
        }
    }

    /// A stable word for programs.
    var code: String {
        switch kind {
        case .rateLimited: "rate_limited"
        case .authentication: "authentication"
        case .quota: "quota"
        case .permission: "permission"
        case .notFound: "not_found"
        case .conflict: "conflict"
        case .invalidQuery: "invalid_query"
        case .queryTooComplex: "query_too_complex"
        case .tooLarge: "too_large"
        case .answerTooLarge: "answer_too_large"
        case .serverError: "server_error"
        case .badAnswer: "bad_answer"
        case .unreachable: "unreachable"
        case .connectionLost: "connection_lost"
        case .bodySource: "file_unreadable"
        case .cancelled: "called_off"
        case .refused: "labelbox_refused"
        }
    }
}
