internal import CCurl

/// Where transfers wait that may not send just now, first come first served.
///
/// Lives on the loop's thread only, hence not `Sendable`.
final class SendTurnstile {
    private var allowance = SendAllowance()
    private var waiting: [UnsafeMutableRawPointer] = []
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant

    init() { start = clock.now }

    private var now: Duration { start.duration(to: clock.now) }

    func set(_ limit: Int64?) { allowance.set(limit, at: now) }

    /// How many bytes a transfer may send now; with 0 it waits here until it is let on.
    func take(_ wanted: Int, for easy: UnsafeMutableRawPointer) -> Int {
        let taken = allowance.take(wanted, at: now)
        if taken == 0, !waiting.contains(easy) { waiting.append(easy) }
        return taken
    }

    func giveBack(_ count: Int) { allowance.giveBack(count) }

    /// Forgets a transfer that has ended.
    func leave(_ easy: UnsafeMutableRawPointer) { waiting.removeAll { $0 == easy } }

    /// Lets as many go on as may; says when the next one may, in milliseconds, unless none waits.
    func letOn() -> Int32? {
        guard !waiting.isEmpty else { return nil }
        let turns = min(allowance.turns(at: now), waiting.count)
        let next = Array(waiting.prefix(turns))
        waiting.removeFirst(turns)
        for easy in next { _ = curl_easy_pause(easy, CURLPAUSE_CONT) }
        // Those that were let on are run at once, and whoever still waits is for later.
        guard turns == 0 else { return 0 }
        return Int32(max(1, (allowance.wait(at: now) / .milliseconds(1)).rounded(.up)))
    }
}
