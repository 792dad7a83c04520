public import LabelboxAPI
public import Pacing

/// The way of every request: the account's budget, retries, and what may not be retried.
///
/// With endless patience a request waits here as long as the account is blocked, the server is down or the window is used
/// up; hours or days, without any row failing for it. It is given up only when the server refused just this request, or
/// when it is a submit of which nobody knows whether it arrived.
public struct PacedRequests: RequestGate {
    private let pacer: RequestPacer
    private let patience: Patience
    private let noticed: @Sendable (RequestKind, LabelboxError, _ isRetried: Bool) -> Void

    /// Nothing was sent when this is thrown.
    private static let calledOff = LabelboxError(
        .cancelled, outcome: .notProcessed, operation: "request", message: "it was called off before it was sent")

    /// Sends through a pacer, and tells of each error that it saw.
    public init(
        pacer: RequestPacer, patience: Patience = .endless,
        noticed: @escaping @Sendable (RequestKind, LabelboxError, _ isRetried: Bool) -> Void
    ) {
        self.pacer = pacer
        self.patience = patience
        self.noticed = noticed
    }

    public func run<Value: Sendable>(
        _ kind: RequestKind, _ attempt: @Sendable () async throws(LabelboxError) -> Value
    ) async throws(LabelboxError) -> Value {
        var earlier: Permit?
        let began = patience.now
        while true {
            let permit: Permit
            do { permit = try await pacer.admit(kind.priority, retrying: earlier) } catch { throw Self.calledOff }
            do {
                let value = try await attempt()
                pacer.finish(permit, .success)
                return value
            } catch {
                pacer.finish(permit, error.verdict(on: kind), reason: "\(error)")
                let isRetried = error.isRetryable(as: kind) && patience.outlasts(error, since: began)
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
    func verdict(on request: RequestKind) -> Verdict {
        switch kind {
        case .rateLimited(let retryAfter): .rateLimited(retryAfter: retryAfter)
        case .authentication, .quota: .blocked(message)
        case .serverError: outcome == .failed ? .success : .overloaded
        case .badAnswer: .overloaded
        case .unreachable: .unreachable
        case .connectionLost: .interrupted
        case .bodySource, .cancelled: .neutral
        case .answerTooLarge: request == .upload ? .overloaded : .success
        case .permission, .notFound, .conflict, .invalidQuery, .queryTooComplex, .tooLarge, .refused: .success
        }
    }
}
