internal import Locking

/// Wakes one waiting task; rung while nobody waits, it wakes the next one at once.
final class Doorbell: Sendable {
    private struct State {
        var isRung = false
        var visitors: [Int: CheckedContinuation<Void, Never>] = [:]
        var cancelled: Set<Int> = []
        var next = 0
    }

    private let state = Locked(State())

    func ring() {
        let waiting = state.withLock { state in
            let waiting = Array(state.visitors.values)
            state.visitors = [:]
            state.isRung = waiting.isEmpty
            return waiting
        }
        for waiter in waiting { waiter.resume() }
    }

    /// Returns when the bell was rung, `deadline` has passed, or the task is cancelled.
    func wait(until deadline: Duration?, on time: MonotonicTime) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.rung() }
            // A cancelled sleep is as good as one that ended: the caller looks at the clock again.
            if let deadline { group.addTask { try? await time.sleep(deadline) } }
            await group.next()
            group.cancelAll()
        }
    }

    private func rung() async {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isRung || state.cancelled.remove(id) != nil {
                        state.isRung = false
                        return true
                    }
                    state.visitors[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                let waiter = state.visitors.removeValue(forKey: id)
                if waiter == nil { state.cancelled.insert(id) }
                return waiter
            }
            waiter?.resume()
        }
        state.withLock { _ = $0.cancelled.remove(id) }
    }
}
