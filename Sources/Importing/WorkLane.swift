internal import DequeModule
internal import Locking

/// A part of the ``Workbench`` where so many work at a time; what waits is taken on in the order in which it came.
///
/// A thread that is done takes the next by itself: with many small pieces of work, waking another thread for each costs more than they do.
package final class WorkLane: Sendable {
    private let workbench: Workbench
    private let width: @Sendable () -> Int
    private let state = Locked<(busy: Int, waiting: Deque<@Sendable () -> Void>)>((0, []))

    /// - Parameters:
    ///   - workbench: whose threads do it.
    ///   - width: at least 1; more take effect as work comes, fewer as work ends.
    package init(_ workbench: Workbench, width: @escaping @Sendable () -> Int) {
        self.workbench = workbench
        self.width = width
    }

    /// How much waits for a thread.
    package var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Runs `body` on a thread of the workbench when its turn has come.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let mustBegin = state.withLock { state in
                state.waiting.append { continuation.resume(with: Result { try body() }) }
                guard state.busy < width() else { return false }
                state.busy += 1
                return true
            }
            if mustBegin { workbench.begin { self.work() } }
        }
    }

    private func work() {
        while true {
            let next = state.withLock { state in
                let next = state.busy <= width() ? state.waiting.popFirst() : nil
                if next == nil { state.busy -= 1 }
                return next
            }
            guard let next else { return }
            next()
        }
    }
}
