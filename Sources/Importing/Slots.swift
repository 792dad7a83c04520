internal import DequeModule
internal import Locking

/// Lets so many work at a time; the others wait in the order in which they came.
final class Slots: Sendable {
    private let state: Locked<(free: Int, waiting: Deque<CheckedContinuation<Void, Never>>)>

    /// - Parameter count: at least 1.
    init(_ count: Int) { state = Locked((count, [])) }

    /// Runs `body` when there is a slot for it.
    func within<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        await withCheckedContinuation { continuation in
            let mayGo = state.withLock { state in
                guard state.free > 0 else {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if mayGo { continuation.resume() }
        }
        // Also when the task was cancelled meanwhile: the slot must be passed on.
        defer {
            let next = state.withLock { state in
                let next = state.waiting.popFirst()
                if next == nil { state.free += 1 }
                return next
            }
            next?.resume()
        }
        return try await body()
    }
}
