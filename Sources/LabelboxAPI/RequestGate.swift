/// What stands between an operation and the wire: pacing, retries and the breaker.
///
/// The client makes one attempt and says what became of it; whether and when there is another one is decided here.
public protocol RequestGate: Sendable {
    /// Runs `attempt` when it may run, and again as far as its error and `kind` allow.
    func run<T: Sendable>(
        _ kind: RequestKind, _ attempt: @Sendable () async throws(LabelboxError) -> T
    ) async throws(LabelboxError) -> T
}

/// What a request does, as far as it decides what may be sent again.
public enum RequestKind: String, Sendable, CaseIterable {
    /// Changes nothing.
    case read
    /// Has an effect that may happen twice without harm: an upload costs an orphaned file, a repeated update or
    /// deletion ends in the same state.
    case upload
    /// Starts an import: never sent again while the outcome of the first is unknown.
    case submit
}

/// No gate: one attempt, at once.
///
/// For tools and tests.
public struct UngatedRequests: RequestGate {
    /// Creates the gate.
    public init() {}

    public func run<T: Sendable>(
        _ kind: RequestKind, _ attempt: @Sendable () async throws(LabelboxError) -> T
    ) async throws(LabelboxError) -> T {
        try await attempt()
    }
}

/// Where the API key comes from.
public protocol CredentialSource: Sendable {
    /// The key as it is now; asked for each request, so that a rotated key is taken up without a restart.
    ///
    /// - Throws: whatever says why there is no key, in words that do not contain it.
    func apiKey() throws -> String
}
