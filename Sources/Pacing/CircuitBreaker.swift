/// Stops asking a server that keeps failing, and finds out with single probes when it is back.
///
/// A failure is no answer or an answer of 5xx. Five in a row of *different* requests open the
/// breaker: one request that the server cannot digest fails as often as it is repeated, and must
/// not stop the others. Where there was no connection the request cannot be to blame, so each attempt
/// counts, also those of one request: else a server that is down would be asked on for as long as
/// little waits.
public struct CircuitBreaker: Sendable {
    /// Where the breaker stands.
    public enum State: String, Sendable {
        /// Requests flow.
        case closed
        /// Nothing goes until the next probe is due.
        case open
        /// One probe is on its way, or due as soon as somebody asks.
        case halfOpen = "half_open"
    }

    private let threshold: Int
    private let firstDelay: Duration
    private let longestDelay: Duration
    /// A probe that is out for longer no longer stands in the way of the next; it may be an upload of hours.
    private static let patience: Duration = .seconds(30)

    /// What failed: requests, or attempts at which nothing was sent.
    private enum Failed: Hashable {
        case request(UInt64)
        case connection(permit: UInt64)
    }

    private var failed: Set<Failed> = []
    private var isOpen = false
    private var probe: (permit: UInt64, start: Moment)?
    private var delay: Duration
    private var nextProbe = Moment.zero

    /// What the last failure was; `nil` while closed.
    public private(set) var reason: String?

    /// Creates a closed breaker.
    ///
    /// - Parameters:
    ///   - threshold: consecutive failures, of different requests or to connect, that open it.
    ///   - firstDelay: time from opening to the first probe.
    ///   - longestDelay: the delay doubles with each failed probe, up to here.
    public init(
        threshold: Int = 5, firstDelay: Duration = .seconds(5), longestDelay: Duration = .seconds(60)
    ) {
        precondition(threshold >= 1 && firstDelay > .zero && longestDelay >= firstDelay)
        self.threshold = threshold
        self.firstDelay = firstDelay
        self.longestDelay = longestDelay
        delay = firstDelay
    }

    /// Where the breaker stands now.
    public func state(at now: Moment) -> State {
        guard isOpen else { return .closed }
        return probe != nil || nextProbe <= now ? .halfOpen : .open
    }

    /// When the next request may start: `now` while closed or when a probe is due.
    public func earliestStart(at now: Moment) -> Moment {
        guard isOpen else { return now }
        guard let probe else { return max(now, nextProbe) }
        return max(now, probe.start.advanced(by: max(delay, Self.patience)))
    }

    /// Counts a request that starts now; on an open breaker it is the probe.
    ///
    /// - Parameters:
    ///   - permit: a number that no other attempt has.
    ///   - now: the present; `earliestStart` allowed it.
    public mutating func recordStart(permit: UInt64, at now: Moment) {
        guard isOpen else { return }
        precondition(earliestStart(at: now) <= now, "a second probe started")
        probe = (permit, now)
    }

    /// Counts an answer: whatever it said, the server gave it.
    public mutating func recordAnswer() {
        failed.removeAll()
        isOpen = false
        probe = nil
        delay = firstDelay
        reason = nil
    }

    /// Counts a failure.
    ///
    /// - Parameters:
    ///   - permit: the attempt that failed.
    ///   - request: the request it was an attempt of, whose retries have the same number; nil when it cannot be to blame,
    ///     since nothing of it was sent.
    ///   - now: the present.
    ///   - reason: what was seen, for people.
    public mutating func recordFailure(permit: UInt64, request: UInt64?, at now: Moment, reason: String) {
        if isOpen {
            // Those that started before it opened say nothing new.
            guard probe?.permit == permit else { return }
            probe = nil
            delay = min(delay * 2, longestDelay)
            nextProbe = now.advanced(by: delay)
            self.reason = reason
            return
        }
        failed.insert(request.map(Failed.request) ?? .connection(permit: permit))
        guard failed.count >= threshold else { return }
        isOpen = true
        self.reason = reason
        failed.removeAll()
        nextProbe = now.advanced(by: delay)
    }

    /// Counts an attempt that ended for reasons of our own; a probe that ends so leaves its place to the next.
    public mutating func recordNothing(permit: UInt64) {
        if probe?.permit == permit { probe = nil }
    }

    /// Lets the next request through as a probe without waiting for the delay.
    public mutating func probeNow(at now: Moment) {
        if isOpen { nextProbe = min(nextProbe, now) }
    }
}
