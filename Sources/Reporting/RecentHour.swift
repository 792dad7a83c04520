/// What was done in the last hour, in slots of ten seconds.
///
/// A ring of fixed size that grows only by what is done: nothing runs to keep it, and a slot in which nothing was done is
/// found empty. Instants are durations since any fixed point of a monotonic clock.
public struct RecentHour: Sendable, Hashable {
    /// What was done in one slot.
    public struct Slot: Sendable, Hashable {
        /// Rows that got their outcome.
        public var rows = 0
        /// Bytes of requests' bodies that were sent.
        public var bytes: Int64 = 0
        /// Requests that ended.
        public var requests = 0

        public init() {}
    }

    /// Of one slot, in seconds.
    public static let slotSeconds = 10
    /// How many slots are kept.
    public static let slots = 360

    private var ring = [Slot](repeating: Slot(), count: slots)
    /// The number of the latest slot that something was put into; slots count from the fixed point.
    private var latest = 0

    public init() {}

    /// Adds what was done at an instant; what is older than an hour counts no more.
    public mutating func add(rows: Int = 0, bytes: Int64 = 0, requests: Int = 0, at instant: Duration) {
        let number = Self.number(of: instant)
        advance(to: number)
        guard number > latest - Self.slots else { return }
        let index = number % Self.slots
        ring[index].rows += rows
        ring[index].bytes += bytes
        ring[index].requests += requests
    }

    /// The slots of the hour that ends with the one of `instant`, oldest first.
    public func slots(at instant: Duration) -> [Slot] {
        var now = self
        now.advance(to: Self.number(of: instant))
        return (1...Self.slots).map { now.ring[(now.latest + $0) % Self.slots] }
    }

    /// How much of the slot of `instant` has passed, in seconds.
    public static func elapsed(at instant: Duration) -> Double {
        (instant / .seconds(1)).truncatingRemainder(dividingBy: Double(slotSeconds))
    }

    private static func number(of instant: Duration) -> Int { max(0, Int(instant / .seconds(slotSeconds))) }

    private mutating func advance(to number: Int) {
        guard number > latest else { return }
        if number - latest >= Self.slots {
            ring = [Slot](repeating: Slot(), count: Self.slots)
        } else {
            for empty in latest + 1...number { ring[empty % Self.slots] = Slot() }
        }
        latest = number
    }
}
