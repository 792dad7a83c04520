/// How many retries are affordable, so that a sick server is not met with several times its load.
///
/// A token bucket: each retry takes a token, each success brings a fifth of one, and while
/// nothing succeeds a token arrives every 5 s. Who finds it empty waits; nobody is refused.
public struct RetryBudget: Sendable {
    // Thousandths of a token, so that a fifth is exact.
    private static let token = 1_000
    private static let perSuccess = 200

    private let reserve: Int
    private let capacity: Int
    private let trickle: Duration
    private var level: Int
    private var lastDrop: Moment

    /// Creates a budget with its reserve in hand.
    ///
    /// - Parameters:
    ///   - reserve: retries at hand from the start; time alone refills up to here.
    ///   - capacity: the most that successes can save up.
    ///   - trickle: time in which one token arrives while nothing succeeds.
    ///   - start: the present.
    public init(
        reserve: Int = 10, capacity: Int = 100, trickle: Duration = .seconds(5), start: Moment = .zero
    ) {
        precondition(reserve >= 1 && capacity >= reserve && trickle > .zero)
        self.reserve = reserve * Self.token
        self.capacity = capacity * Self.token
        self.trickle = trickle
        level = reserve * Self.token
        lastDrop = start
    }

    /// Retries that may start at once.
    public mutating func available(at now: Moment) -> Int {
        refill(at: now)
        return level / Self.token
    }

    /// When the next retry may start; never before `now`, sooner if requests succeed meanwhile.
    public mutating func earliestRetry(at now: Moment) -> Moment {
        refill(at: now)
        return level >= Self.token ? now : lastDrop.advanced(by: trickle)
    }

    /// Takes the token of a retry that starts now.
    ///
    /// - Precondition: `earliestRetry` allowed it.
    public mutating func spend(at now: Moment) {
        refill(at: now)
        precondition(level >= Self.token, "a retry started although the retry budget was empty")
        level -= Self.token
    }

    /// Counts a request that succeeded.
    public mutating func recordSuccess(at now: Moment) {
        refill(at: now)
        level = min(capacity, level + Self.perSuccess)
    }

    private mutating func refill(at now: Moment) {
        let drops = Int(lastDrop.duration(to: now) / trickle)
        guard drops > 0 else { return }
        lastDrop = lastDrop.advanced(by: trickle * drops)
        guard level < reserve else { return }
        level = min(reserve, level + min(drops, reserve / Self.token) * Self.token)
    }
}
