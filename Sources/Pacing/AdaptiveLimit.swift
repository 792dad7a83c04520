/// How many requests may be in flight: one more after a round of successes, half after stress.
///
/// Additive increase, multiplicative decrease. It begins at its maximum, since the rate is limited elsewhere
/// and Labelbox's limit on requests in flight is known (30; the configuration allows 20).
public struct AdaptiveLimit: Sendable {
    /// The most that may be in flight.
    public private(set) var maximum: Int
    /// How many may be in flight now, 1 to `maximum`.
    public private(set) var current: Int

    private var successes = 0
    /// Requests that started before this moment were already answered for by the last halving.
    private var lastHalved: Moment?

    /// Creates a limit that stands at its maximum.
    public init(maximum: Int = 8) {
        precondition(maximum >= 1)
        self.maximum = maximum
        current = maximum
    }

    /// Counts a success; as many in a row as may be in flight raise the limit by one.
    public mutating func recordSuccess() {
        guard current < maximum else { return }
        successes += 1
        guard successes >= current else { return }
        successes = 0
        current += 1
    }

    /// Halves the limit, unless the request started before the last halving.
    ///
    /// Eight requests in flight fail together when a server falls over. That is one piece of
    /// news, not eight.
    public mutating func recordStress(startedAt start: Moment, at now: Moment) {
        successes = 0
        if let lastHalved, start < lastHalved { return }
        lastHalved = now
        current = max(1, current / 2)
    }

    /// Takes a new maximum, when the configuration changes.
    public mutating func setMaximum(_ maximum: Int) {
        precondition(maximum >= 1)
        // At its old maximum nothing held it back, so it follows upwards at once.
        if current == self.maximum { current = maximum }
        self.maximum = maximum
        current = min(current, maximum)
    }
}
