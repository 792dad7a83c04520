internal import DequeModule

/// At most so many request starts in any 60 s, whatever the phase of the server's own window.
///
/// Labelbox counts the requests of a user in a fixed window of 60 s whose phase nobody knows. Only
/// a sliding window that remembers each start keeps below the limit for every phase. Memory is
/// one moment (16 bytes) for each start that is younger than the window: at most the limit.
public struct WindowBudget: Sendable {
    /// Length of Labelbox's window.
    public static let serversWindow = Duration.seconds(60)

    /// Length of the server's window.
    public let window: Duration
    /// The account's budget: request starts in a window, at least 1.
    public private(set) var limit: Int

    /// Starts younger than the window, oldest first.
    private var starts: Deque<Moment> = []
    /// What is left of the limit after answers of 429, in thousandths of it.
    private var permille = 1_000
    /// When `permille` last changed.
    private var lastStep = Moment.zero

    /// After a 429 this much of the pace is left, in thousandths.
    private static let slowed = 700
    /// The pace never drops below this, in thousandths of the limit.
    private static let slowest = 100
    /// What a window without a 429 gives back, in thousandths of the limit.
    private static let recovered = 50

    /// Creates a budget.
    ///
    /// - Parameters:
    ///   - limit: request starts in a window, at least 1.
    ///   - window: the server's window; 60 s at Labelbox.
    ///   - ages: how long before ``Moment/zero`` requests began that an earlier process sent; what is negative or as old as
    ///     the window does not count.
    public init(limit: Int, window: Duration = serversWindow, ages: [Duration] = []) {
        precondition(limit >= 1 && window > .zero)
        self.limit = limit
        self.window = window
        let counted = ages.filter { $0 >= .zero && $0 < window }.sorted(by: >)
        starts = Deque(counted.map { Moment(offset: .zero - $0) })
    }

    /// How many starts a window may have now: the limit, or less for a while after a 429.
    public mutating func allowance(at now: Moment) -> Int {
        recover(at: now)
        return max(1, limit * permille / 1_000)
    }

    /// How many starts the window that ends now has.
    public mutating func used(at now: Moment) -> Int {
        forget(at: now)
        return starts.count
    }

    /// When the next request may start; never before `now`.
    ///
    /// - Parameters:
    ///   - now: the present.
    ///   - reserve: starts to leave for others, who ask with a smaller reserve.
    /// - Returns: `now`, or the moment at which the window has room.
    public mutating func earliestStart(at now: Moment, leaving reserve: Int = 0) -> Moment {
        forget(at: now)
        let allowance = max(1, allowance(at: now) - reserve)
        guard starts.count >= allowance else { return now }
        // Free as soon as so many of the oldest have left that the newest `allowance - 1` remain.
        return starts[starts.count - allowance].advanced(by: window)
    }

    /// Counts a request that starts now.
    ///
    /// - Precondition: `earliestStart` allowed it, and time does not run backwards.
    public mutating func record(_ now: Moment) {
        forget(at: now)
        precondition(starts.count < limit, "a request started although the window was full")
        starts.append(now)
    }

    /// Lowers the pace to 70 % of what it is, but never below 10 % of the limit.
    ///
    /// The budget was within the limit and yet the server said 429: someone else uses the same
    /// key, or the account's limit is lower than configured.
    public mutating func slowDown(at now: Moment) {
        recover(at: now)
        permille = max(Self.slowest, permille * Self.slowed / 1_000)
        lastStep = now
    }

    /// Takes a new limit, when the configuration changes; what was started stays counted.
    public mutating func setLimit(_ limit: Int) {
        precondition(limit >= 1)
        self.limit = limit
    }

    private mutating func recover(at now: Moment) {
        guard permille < 1_000 else { return }
        let cleanWindows = Int(lastStep.duration(to: now) / window)
        guard cleanWindows > 0 else { return }
        // The step count is bounded first: a machine that slept for a year must not overflow.
        permille = min(1_000, permille + min(cleanWindows, 1_000) * Self.recovered)
        lastStep = lastStep.advanced(by: window * cleanWindows)
    }

    private mutating func forget(at now: Moment) {
        while let oldest = starts.first, oldest.duration(to: now) >= window { starts.removeFirst() }
    }
}
