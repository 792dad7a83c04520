import Glibc

/// State that only one thread at a time may touch.
///
/// A `pthread_mutex_t` rather than `Synchronization.Mutex`: the runtime library of the latter is not
/// instrumented, so the thread sanitizer reports every access under it as a race.
public final class Locked<State>: @unchecked Sendable {
    // `@unchecked`: `state` is reached only between lock and unlock of `mutex`.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var state: State

    /// Creates the lock around its first state.
    public init(_ state: sending State) {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        self.state = state
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deinitialize(count: 1)
        mutex.deallocate()
    }

    /// Runs `body` with the state, alone.
    ///
    /// Compute in here and return what to do; resume, log and call outside.
    public func withLock<Result, Failure: Error>(
        _ body: (inout sending State) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }
}
