/// How long to wait before trying again: doubling, capped, and spread over the whole range.
///
/// Full jitter: a delay is anything from nothing to the doubled bound, which spreads those who failed
/// together better than any narrower range.
public struct Backoff: Sendable, Hashable {
    /// Upper bound of the first delay.
    public let base: Duration
    /// Upper bound of every delay.
    public let longest: Duration

    /// Creates the rule; 0.5 s doubling to 60 s unless told otherwise.
    public init(base: Duration = .milliseconds(500), longest: Duration = .seconds(60)) {
        precondition(base > .zero && longest >= base)
        self.base = base
        self.longest = longest
    }

    /// The longest that the wait before this retry may be.
    ///
    /// - Parameter retry: 1 after the first failure.
    /// - Returns: the doubled base, `longest` at most.
    public func bound(beforeRetry retry: Int) -> Duration {
        precondition(retry >= 1)
        // 2^20 times any base is past any cap, and far from overflow.
        return min(base * (1 << min(retry - 1, 20)), longest)
    }

    /// Chooses the wait before this retry, anywhere from zero to the bound.
    ///
    /// - Parameters:
    ///   - retry: 1 after the first failure.
    ///   - random: chance comes from outside, so that a test can take it away.
    /// - Returns: the wait; every length in the range is equally likely.
    public func delay(beforeRetry retry: Int, using random: inout some RandomNumberGenerator) -> Duration {
        bound(beforeRetry: retry) * Double.random(in: 0...1, using: &random)
    }
}
