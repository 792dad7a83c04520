internal import Locking

/// Lets those who have the same key go one after the other, in the order in which they came.
final class Turns<Key: Hashable & Sendable>: Sendable {
    private let waiting = Locked<[Key: [CheckedContinuation<Void, Never>]]>([:])

    /// Runs `body` when nobody else with this key runs theirs.
    func alone<Value: Sendable>(with key: Key, _ body: () async throws -> Value) async throws -> Value {
        await withCheckedContinuation { continuation in
            let mayGo = waiting.withLock { waiting in
                guard waiting[key] != nil else {
                    waiting[key] = []
                    return true
                }
                waiting[key]?.append(continuation)
                return false
            }
            if mayGo { continuation.resume() }
        }
        // Also when the task was cancelled meanwhile: the turn came all the same, and the next one's must come too.
        defer { passOn(key) }
        return try await body()
    }

    private func passOn(_ key: Key) {
        let next = waiting.withLock { waiting -> CheckedContinuation<Void, Never>? in
            guard var queue = waiting[key], !queue.isEmpty else {
                waiting[key] = nil
                return nil
            }
            let next = queue.removeFirst()
            waiting[key] = queue
            return next
        }
        next?.resume()
    }
}
