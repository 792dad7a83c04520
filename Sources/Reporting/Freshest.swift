/// A value that costs something to make, made anew for whoever asks, but no more often than it changes anything.
///
/// However many ask at once, it is made once for all of them: so those who ask cannot keep the ledger busy.
actor Freshest<Value: Sendable> {
    private let age: Duration
    private let now: @Sendable () -> Duration
    private let make: @Sendable () async -> Value
    private var kept: (made: Duration, value: Value)?
    private var making: Task<Value, Never>?

    /// - Parameters:
    ///   - age: so long a value is good.
    ///   - now: the time since any fixed point, on a monotonic clock.
    ///   - make: makes it.
    init(
        for age: Duration, now: @escaping @Sendable () -> Duration, make: @escaping @Sendable () async -> Value
    ) {
        self.age = age
        self.now = now
        self.make = make
    }

    /// The value, at most as old as it may be.
    func value() async -> Value {
        if let kept, now() - kept.made < age { return kept.value }
        if let making { return await making.value }
        // Not of the caller, who may go away while others wait for the same.
        let task = Task { [make] in await make() }
        making = task
        let value = await task.value
        making = nil
        kept = (now(), value)
        return value
    }
}
