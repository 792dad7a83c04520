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
            do { permit = try await pacer.admit(kind.priority, retrying: earlier) } catch { throw .cancelled }
            do {
                let value = try await attempt()
                pacer.finish(permit, .success)
                return value
            } catch {
                pacer.finish(permit, error.verdict, reason: "\(error)")
                let isRetried = error.isRetried(as: kind)
                noticed(kind, error, isRetried)
                guard isRetried else { throw error }
                do { try await pacer.rest(beforeRetryOf: permit) } catch { throw .cancelled }
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
