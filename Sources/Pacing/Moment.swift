/// A point on the monotonic time line of whoever paces; it says nothing about the calendar.
public struct Moment: InstantProtocol, CustomStringConvertible {
    /// Time since the pacer was made.
    public let offset: Duration

    /// Names the point that lies `offset` after the beginning.
    public init(offset: Duration) {
        self.offset = offset
    }

    /// The beginning of the time line.
    public static let zero = Moment(offset: .zero)

    public func advanced(by duration: Duration) -> Moment { Moment(offset: offset + duration) }

    public func duration(to other: Moment) -> Duration { other.offset - offset }

    public static func < (a: Moment, b: Moment) -> Bool { a.offset < b.offset }

    public var description: String { "\(offset)" }
}

/// Any clock, seen as moments since this value was made.
///
/// It spares the pacer, and everything that holds one, a generic parameter for the clock.
public struct Ticker: Sendable {
    private let read: @Sendable () -> Moment
    private let wait: @Sendable (Moment) async throws -> Void

    /// Starts a time line on `clock`: `ContinuousClock()` in the daemon, one moved by hand in tests.
    public init<C: Clock>(_ clock: C) where C.Duration == Duration {
        let beginning = clock.now
        read = { Moment(offset: beginning.duration(to: clock.now)) }
        wait = { try await clock.sleep(until: beginning.advanced(by: $0.offset), tolerance: nil) }
    }

    /// The present.
    public var now: Moment { read() }

    /// Suspends until `moment`; throws `CancellationError` as soon as the task is cancelled.
    public func sleep(until moment: Moment) async throws {
        try await wait(moment)
    }
}
