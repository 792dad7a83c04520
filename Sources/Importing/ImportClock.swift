public import Foundation

/// The time as the pipeline sees it: steady, and yet to be read by people.
///
/// `now` is the calendar's time when the process started plus what a monotonic clock has counted since, so that a
/// clock that is set, or jumps, neither shortens nor prolongs any wait. Tests give one that they move themselves.
public struct ImportClock: Sendable {
    private let read: @Sendable () -> Date
    private let wait: @Sendable (Duration) async throws -> Void

    /// Creates a time from how it is read and how it is waited for.
    public init(now: @escaping @Sendable () -> Date, sleep: @escaping @Sendable (Duration) async throws -> Void) {
        read = now
        wait = sleep
    }

    /// Starts the steady time of a process at `start`, on a monotonic clock.
    public init<C: Clock>(from start: Date, on clock: C) where C.Duration == Duration {
        let beginning = clock.now
        self.init(
            now: { start.addingTimeInterval(beginning.duration(to: clock.now) / .seconds(1)) },
            sleep: { try await clock.sleep(for: $0) })
    }

    /// The present.
    public var now: Date { read() }

    /// Suspends for some time; throws `CancellationError` as soon as the task is cancelled.
    public func sleep(for duration: Duration) async throws {
        try await wait(duration)
    }
}

extension Duration {
    /// As seconds with their fraction.
    var seconds: Double { self / .seconds(1) }
}

extension Date {
    func advanced(by duration: Duration) -> Date { addingTimeInterval(duration.seconds) }
}
