/// What a request is for; the order in which those that wait are served.
public enum RequestPriority: Int, Sendable, CaseIterable {
    /// Asking after tasks, results and keys. There are few, and they free everything else.
    case poll
    /// Handing rows over: chunks, upload manifests and the calls that start tasks.
    case submit
    /// Media. They may take hours, so one place in flight is always left to the others.
    case upload
}

/// The right to send one request, once, now.
public struct Permit: Sendable, Hashable {
    /// What the request is for.
    public let priority: RequestPriority
    /// The attempt at the request, counted from 1.
    public let attempt: Int
    /// The request, whose retries have the same number.
    let request: UInt64
    /// This attempt alone.
    let id: UInt64
    let start: Moment
}

/// How an attempt ended, as far as the pace is concerned.
public enum Verdict: Sendable, Hashable {
    /// The server did as told, or refused just this request for what is in it.
    case success
    /// Answer 429, with what it said in `Retry-After`.
    case rateLimited(retryAfter: Duration?)
    /// An answer of 5xx, or none in time.
    case overloaded
    /// No connection, so nothing was sent.
    case unreachable
    /// A connection that broke before the answer was complete.
    case interrupted
    /// The account is refused as such: a bad key or a used-up quota; the server's words.
    case blocked(String)
    /// Says nothing about the server: cancelled, or failed for reasons of our own.
    case neutral
}

/// What the pacer is doing, for status and metrics; times are as seen from now.
public struct PacerSnapshot: Sendable, Hashable {
    /// Starts that a window may have now: the configured budget, or less after a 429.
    public var limit: Int
    /// The configured budget.
    public var configuredLimit: Int
    /// Starts in the window that ends now.
    public var usedInWindow: Int
    /// How long all requests still rest after a 429.
    public var pausedFor: Duration?
    public var breaker: CircuitBreaker.State
    /// Why the breaker is not closed.
    public var breakerReason: String?
    /// Time to the breaker's next probe, if it is open.
    public var breakerProbeIn: Duration?
    /// What failed last, when some attempts in a row did and nothing was answered since.
    ///
    /// The breaker takes different requests to open: who has only one to make learns it from this.
    public var failing: String?
    /// Why the account is blocked; `nil` when it is not.
    public var blockedReason: String?
    /// Time to the next probe of a blocked account.
    public var blockedProbeIn: Duration?
    public var inFlight: Int
    public var waiting: Int
    public var concurrencyLimit: Int
    /// Whether nothing may start that changes something.
    public var isHeld: Bool
    /// Retries that may start without waiting.
    public var retriesAvailable: Int

    /// Whether requests may rightly wait: for an end of a pause, a window with room, a server that answers, people.
    public var isHeldUp: Bool {
        blockedReason != nil || pausedFor != nil || breaker != .closed || failing != nil
            || (waiting > 0 && usedInWindow >= limit)
    }
}
