/// The silence after a 429, which speaks for the key and not for the request that got it.
public struct Pause: Sendable {
    /// The longest `Retry-After` that is believed; past it the server is asked again.
    public static let longest: Duration = .seconds(3_600)

    private var end = Moment.zero

    /// Creates a pause that is over.
    public init() {}

    /// When it ends; `nil` when it is over.
    public func until(at now: Moment) -> Moment? { now < end ? end : nil }

    /// Begins or prolongs the pause; it never gets shorter.
    ///
    /// - Parameters:
    ///   - now: the present.
    ///   - retryAfter: what the server asked for. It counts whole seconds, so less than one is taken as one.
    ///   - window: without `retryAfter`, the server's window: its phase is unknown, so it has ended for certain only
    ///     when its whole length has passed.
    public mutating func begin(at now: Moment, retryAfter: Duration?, window: Duration) {
        let length = retryAfter.map { min(max($0, .seconds(1)), Self.longest) } ?? window
        end = max(end, now.advanced(by: length))
    }
}
