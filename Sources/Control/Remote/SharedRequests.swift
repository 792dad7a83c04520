package import LabelboxAPI
internal import Locking
package import Pacing
internal import Reporting

/// Leaves a running daemon the requests that it uses: both have one budget, the account's.
///
/// The daemon's status says what it used in the last minute. What is left is for the command, and never less than a
/// twentieth, so that it gets on while the daemon takes all.
package struct SharedRequests: RequestGate {
    /// What a daemon says of itself.
    package struct Usage: Sendable, Equatable {
        /// Requests in the minute before it wrote so.
        package var used: Int
        /// How long ago it did.
        package var age: Duration

        package init(used: Int, age: Duration) {
            self.used = used
            self.age = age
        }
    }

    let gate: any RequestGate
    let pacer: RequestPacer
    let rules: PacingRules
    let time: Ticker
    /// Looks at the daemon's status; `nil` where none runs.
    let look: @Sendable () -> Usage?
    private let lastLook = Locked<Moment?>(nil)

    /// Statuses are written once a second at most.
    private static let pause: Duration = .seconds(1)

    package init(
        gate: any RequestGate, pacer: RequestPacer, rules: PacingRules, time: Ticker,
        look: @escaping @Sendable () -> Usage?
    ) {
        self.gate = gate
        self.pacer = pacer
        self.rules = rules
        self.time = time
        self.look = look
    }

    package func run<Value: Sendable>(
        _ kind: RequestKind, _ attempt: @Sendable () async throws(LabelboxError) -> Value
    ) async throws(LabelboxError) -> Value {
        let now = time.now
        let isDue = lastLook.withLock { last in
            if let last, last.duration(to: now) < Self.pause { return false }
            last = now
            return true
        }
        if isDue {
            var share = rules
            share.requestsPerMinute = Self.share(of: rules.requestsPerMinute, besides: look())
            pacer.apply(share)
        }
        return try await gate.run(kind, attempt)
    }

    /// How many requests a minute are left for a command.
    package static func share(of budget: Int, besides daemon: Usage?) -> Int {
        // What it used before the last minute is over.
        guard let daemon, daemon.age < .seconds(60) else { return budget }
        return max(1, budget / 20, budget - daemon.used)
    }
}
