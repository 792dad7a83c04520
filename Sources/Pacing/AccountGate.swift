/// Closed while the account refuses us as such: a wrong key, or a used-up quota.
///
/// No request can do better than another then, so none is tried and no row fails for it. One probe
/// goes every 5 min, and at once when somebody says that things have changed.
public struct AccountGate: Sendable {
    private let interval: Duration
    private var nextProbe = Moment.zero
    private var probe: (permit: UInt64, start: Moment)?

    /// Why the account is blocked, in the server's words; `nil` while it is not.
    public private(set) var reason: String?

    /// Creates an open gate.
    ///
    /// - Parameter interval: time between probes while blocked.
    public init(interval: Duration = .seconds(300)) {
        precondition(interval > .zero)
        self.interval = interval
    }

    /// When the next request may start: `now` unless blocked.
    ///
    /// A probe that is out for the whole interval no longer stands in the way of the next.
    public func earliestStart(at now: Moment) -> Moment {
        guard reason != nil else { return now }
        return max(now, probe.map { $0.start.advanced(by: interval) } ?? nextProbe)
    }

    /// Counts a request that starts now; on a blocked account it is the probe.
    public mutating func recordStart(permit: UInt64, at now: Moment) {
        guard reason != nil else { return }
        precondition(earliestStart(at: now) <= now, "a second probe started")
        probe = (permit, now)
    }

    /// Closes the gate, or keeps it closed.
    public mutating func block(permit: UInt64, at now: Moment, reason: String) {
        let wasBlocked = self.reason != nil
        self.reason = reason
        // Those that started before it closed do not put the next probe off.
        guard !wasBlocked || probe?.permit == permit else { return }
        probe = nil
        nextProbe = now.advanced(by: interval)
    }

    /// Opens the gate if it was the probe that succeeded.
    ///
    /// Those that started before it closed prove nothing: uploads go on to succeed when the quota
    /// for data rows is used up.
    public mutating func recordSuccess(permit: UInt64) {
        guard probe?.permit == permit else { return }
        reason = nil
        probe = nil
    }

    /// Counts a probe that could not find out; the next one comes after the usual time.
    public mutating func recordNothing(permit: UInt64, at now: Moment) {
        guard probe?.permit == permit else { return }
        probe = nil
        nextProbe = now.advanced(by: interval)
    }

    /// Lets the next request through as a probe: the key or the quota may have been mended.
    public mutating func probeNow(at now: Moment) {
        nextProbe = min(nextProbe, now)
    }
}
