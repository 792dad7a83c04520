/// Stops asking a server that keeps failing, and finds out with single probes when it is back.
///
/// A failure is no answer or an answer of 5xx. Five in a row of *different* requests open the
/// breaker: one request that the server cannot digest fails as often as it is repeated, and must
/// not stop the others.
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

    private var failed: Set<UInt64> = []
    private var isOpen = false
    private var probe: UInt64?
    private var delay: Duration
    private var nextProbe = Moment.zero

    /// What the last failure was; `nil` while closed.
    public private(set) var reason: String?

    /// Creates a closed breaker.
    ///
    /// - Parameters:
    ///   - threshold: consecutive failures of different requests that open it.
    ///   - firstDelay: time from opening to the first probe.
    ///   - longestDelay: the delay doubles with each failed probe, up to here.
    public init(
        threshold: Int = 5, firstDelay: Duration = .seconds(5), longestDelay: Duration = .seconds(300)
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

    /// When the next request may start: `now` while closed or when a probe is due, `nil` while a probe is out.
    public func earliestStart(at now: Moment) -> Moment? {
        guard isOpen else { return now }
        guard probe == nil else { return nil }
        return max(now, nextProbe)
    }

    /// Counts a request that starts now; on an open breaker it is the probe.
    ///
    /// - Parameter permit: a number that no other attempt has.
    public mutating func recordStart(permit: UInt64) {
        guard isOpen else { return }
        precondition(probe == nil, "a second probe started")
        probe = permit
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
    ///   - request: the request it was an attempt of; its retries have the same number.
    ///   - now: the present.
    ///   - reason: what was seen, for people.
    public mutating func recordFailure(permit: UInt64, request: UInt64, at now: Moment, reason: String) {
        if isOpen {
            // Those that started before it opened say nothing new.
            guard probe == permit else { return }
            probe = nil
            delay = min(delay * 2, longestDelay)
            nextProbe = now.advanced(by: delay)
            self.reason = reason
            return
        }
        failed.insert(request)
        guard failed.count >= threshold else { return }
        isOpen = true
        self.reason = reason
        failed.removeAll()
        nextProbe = now.advanced(by: delay)
    }

    /// Counts an attempt that ended for reasons of our own; a probe that ends so leaves its place to the next.
    public mutating func recordNothing(permit: UInt64) {
        if probe == permit { probe = nil }
    }

    /// Lets the next request through as a probe without waiting for the delay.
    public mutating func probeNow(at now: Moment) {
        if isOpen { nextProbe = min(nextProbe, now) }
    }
}
