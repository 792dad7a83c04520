internal import Foundation
internal import Locking

/// Says that it may be worth looking; never what there is to see.
///
/// Rings that nobody has heard yet are one ring. One task at a time may wait.
public final class Bell: Sendable {
    private struct State {
        var isRung = false
        var waiting: (number: Int, continuation: CheckedContinuation<Void, Never>)?
        var waits = 0
    }

    private let state = Locked(State())

    /// Creates a bell that has not been rung.
    public init() {}

    /// Wakes the one who waits, or spares the next one the wait.
    public func ring() {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiting = state.waiting else {
                state.isRung = true
                return nil
            }
            state.waiting = nil
            return waiting.continuation
        }
        waiting?.resume()
    }

    /// Waits for a ring, at most for `limit`; returns at once when the task is cancelled.
    package func wait(atMost limit: Duration?, on clock: ImportClock) async {
        guard let limit else { return await waitForRing() }
        guard limit > .zero else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.waitForRing() }
            // The sleep ends early only when the group is cancelled, which is what it is then for.
            group.addTask { try? await clock.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Waits for a ring however long it takes; returns at once when the task is cancelled.
    func wait() async { await waitForRing() }

    private func waitForRing() async {
        let number = state.withLock { state in
            state.waits += 1
            return state.waits
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    // Asked under the lock that the cancel handler takes, so that no cancellation is lost.
                    if state.isRung || Task.isCancelled {
                        state.isRung = false
                        return true
                    }
                    state.waiting = (number, continuation)
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard let waiting = state.waiting, waiting.number == number else { return nil }
                state.waiting = nil
                return waiting.continuation
            }
            waiting?.resume()
        }
    }
}
