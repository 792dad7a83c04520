/// A clock reduced to what is needed: how long since the start, and waiting.
struct MonotonicTime: Sendable {
    /// The time since this value was made.
    let now: @Sendable () -> Duration
    /// Waits until so long after the start.
    let sleep: @Sendable (Duration) async throws -> Void

    init(_ clock: some Clock<Duration>) {
        let start = clock.now
        now = { start.duration(to: clock.now) }
        sleep = { try await clock.sleep(until: start.advanced(by: $0), tolerance: nil) }
    }
}
