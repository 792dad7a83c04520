/// How hard the daemon may lean on Labelbox.
public struct PacingRules: Sendable, Hashable {
    /// Request starts in any 60 s, 1 or more: the account's budget.
    public var requestsPerMinute: Int
    /// Requests in flight, 1 or more, adapted downwards under stress.
    public var maximumConnections: Int

    /// Makes the rules; the defaults are those of the configuration.
    public init(requestsPerMinute: Int = 1_200, maximumConnections: Int = 8) {
        self.requestsPerMinute = requestsPerMinute
        self.maximumConnections = maximumConnections
    }

    /// Starts in a window that uploads leave to all other requests: 1 in 20, 30 at most.
    ///
    /// Without it a folder of small files would use up the window, and nobody would learn for
    /// the rest of the minute what became of the tasks.
    package var reserve: Int { min(requestsPerMinute / 20, 30) }
}
