/// The account's budget: so many requests in each 60 seconds, counted from the first.
package struct RateWindow: Sendable {
    package static let length = Duration.seconds(60)

    /// Requests in a window; nil for no limit.
    package let limit: Int?
    private var opened: Moment?
    private var count = 0

    package init(limit: Int?) { self.limit = limit }

    /// Counts a request; nil when it may pass, else how long until the next window.
    package mutating func admit(at now: Moment) -> Duration? {
        guard let limit else { return nil }
        if let opened, now < opened + Self.length {
            guard count < limit else { return opened + Self.length - now }
            count += 1
            return nil
        }
        opened = now
        count = 1
        return limit > 0 ? nil : Self.length
    }
}

/// The most requests that any 60 seconds saw.
package struct BusiestMinute: Sendable {
    private var times: [Int64] = []
    private var first = 0
    package private(set) var maximum = 0

    package init() {}

    package mutating func add(_ now: Moment) {
        times.append(now.milliseconds)
        while times[first] <= now.milliseconds - 60_000 { first += 1 }
        maximum = max(maximum, times.count - first)
        if first > 65_536, first * 2 > times.count {
            times.removeFirst(first)
            first = 0
        }
    }
}
