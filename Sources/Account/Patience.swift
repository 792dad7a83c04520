internal import LabelboxAPI
public import Pacing

/// How long a request is tried that the server does not answer as it should.
public struct Patience: Sendable {
    private let limit: (duration: Duration, time: Ticker)?

    private init(limit: (duration: Duration, time: Ticker)?) { self.limit = limit }

    /// As long as it takes, as a service does: somebody will mend it.
    public static let endless = Patience(limit: nil)

    /// As a person at a terminal has it: a refused key or a used-up quota is told at once, trouble with the server or the
    /// network is waited out for some time.
    ///
    /// A pause that a 429 asks for is kept however long it is: it is no trouble, and it has an end.
    ///
    /// - Parameters:
    ///   - duration: counted from the first attempt; no attempt is cut short by it.
    ///   - time: on which it is measured.
    /// - Returns: the patience.
    public static func limited(_ duration: Duration, time: Ticker) -> Patience { Patience(limit: (duration, time)) }

    var now: Moment { limit?.time.now ?? .zero }

    /// Whether a request that failed with `error` is worth another attempt.
    func outlasts(_ error: LabelboxError, since began: Moment) -> Bool {
        guard let limit else { return true }
        switch error.kind {
        case .authentication, .quota: return false
        case .rateLimited: return true
        default: return began.duration(to: limit.time.now) < limit.duration
        }
    }
}
