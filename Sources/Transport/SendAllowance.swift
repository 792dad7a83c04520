/// How many bytes may be sent now, under a limit for all transfers together: a bucket that fills with time.
///
/// What is taken within any time is at most the limit for that time and one burst.
package struct SendAllowance: Sendable {
    /// Bytes a second; `nil` for no limit.
    package private(set) var limit: Int64?
    private var bytes = 0.0
    private var filledAt: Duration = .zero

    /// Begins without a limit.
    package init() {}

    /// So many bytes are taken at a time, so that transfers take turns: a fiftieth of a second's, 256 B to 64 KiB.
    package var grain: Int { Int(min(max((limit ?? .max) / 50, 256), 64 << 10)) }

    /// What may be saved up: a tenth of a second's, and never less than one grain.
    private var burst: Double { max(Double(grain), Double(limit ?? 0) / 10) }

    /// Takes another limit; what was saved up under the old one is lost.
    package mutating func set(_ limit: Int64?, at now: Duration) {
        guard limit != self.limit else { return }
        self.limit = limit
        bytes = 0
        filledAt = now
    }

    /// Takes up to `wanted` bytes; 0 means to wait.
    package mutating func take(_ wanted: Int, at now: Duration) -> Int {
        guard limit != nil else { return wanted }
        fill(now)
        let taken = min(wanted, grain)
        guard bytes >= Double(taken) else { return 0 }
        bytes -= Double(taken)
        return taken
    }

    /// Gives back what was taken and not used.
    package mutating func giveBack(_ count: Int) {
        guard limit != nil else { return }
        bytes += Double(count)
    }

    /// How many transfers may take their grain now.
    package mutating func turns(at now: Duration) -> Int {
        guard limit != nil else { return .max }
        fill(now)
        return Int(bytes / Double(grain))
    }

    /// How long until one grain may be taken.
    package mutating func wait(at now: Duration) -> Duration {
        guard let limit else { return .zero }
        fill(now)
        let missing = Double(grain) - bytes
        return missing <= 0 ? .zero : .seconds(missing / Double(limit))
    }

    private mutating func fill(_ now: Duration) {
        guard let limit, now > filledAt else { return }
        bytes = min(burst, bytes + Double(limit) * ((now - filledAt) / .seconds(1)))
        filledAt = now
    }
}
