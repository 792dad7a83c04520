internal import DequeModule
internal import Locking

/// Lets so many work at a time; the others wait in the order in which they came.
///
/// How many may be changed at any time: more take effect as work comes, fewer as work ends.
final class Slots: Sendable {
    private let count: @Sendable () -> Int
    private let state = Locked<(busy: Int, waiting: Deque<CheckedContinuation<Void, Never>>)>((0, []))

    /// - Parameter count: at least 1.
    init(_ count: @escaping @Sendable () -> Int) { self.count = count }

    /// Runs `body` when there is a slot for it.
    func within<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        await withCheckedContinuation { continuation in
            let mayGo = state.withLock { state in
                guard state.busy < count() else {
                    state.waiting.append(continuation)
                    return false
                }
                state.busy += 1
                return true
            }
            if mayGo { continuation.resume() }
        }
        // Also when the task was cancelled meanwhile: the slot must be passed on.
        defer {
            let next = state.withLock { state in
                let next = state.busy <= count() ? state.waiting.popFirst() : nil
                if next == nil { state.busy -= 1 }
                return next
            }
            next?.resume()
        }
        return try await body()
    }
}
