internal import Dispatch
internal import Foundation
internal import Locking

/// Threads that may block: as many as there is work at a time, each kept for a while for the next.
///
/// Not those of a dispatch queue: on Linux a concurrent queue shares as many threads as the machine has cores with
/// Swift's own tasks. Work that waits for such a task then holds the thread that would run it, until a monitor that looks once a second
/// adds another: every import stood still for up to a second now and then.
package final class WorkThreads: Sendable {
    package typealias Body = @Sendable () -> Void

    /// A thread that has nothing to do.
    private final class Idle: Sendable {
        let wake = DispatchSemaphore(value: 0)
        let next = Locked<Body?>(nil)
    }

    private let name: String
    private let patience: Double
    private let idle = Locked<[Idle]>([])

    /// Threads with this name, for tools that list them.
    ///
    /// - Parameters:
    ///   - name: what they are called.
    ///   - patience: how long a thread waits for more before it ends, in seconds.
    package init(name: String, patience: Double = 10) {
        self.name = name
        self.patience = patience
    }

    /// How many wait for work.
    package var idleCount: Int { idle.withLock { $0.count } }

    /// Runs `body` at once on a thread that does nothing else meanwhile.
    package func start(_ body: @escaping Body) {
        // The one that waits for the shortest time, so that those that are not needed end.
        guard let thread = idle.withLock({ $0.popLast() }) else { return begin(body) }
        thread.next.withLock { $0 = body }
        thread.wake.signal()
    }

    private func begin(_ first: @escaping Body) {
        let thread = Thread { [self] in
            first()
            let me = Idle()
            while wait(me),
                let body = me.next.withLock({ body in
                    defer { body = nil }
                    return body
                })
            {
                body()
            }
        }
        thread.name = name
        thread.start()
    }

    /// Waits for work; false when none came.
    private func wait(_ me: Idle) -> Bool {
        idle.withLock { $0.append(me) }
        if me.wake.wait(timeout: .now() + patience) == .success { return true }
        let isStillIdle = idle.withLock { idle in
            guard let place = idle.firstIndex(where: { $0 === me }) else { return false }
            idle.remove(at: place)
            return true
        }
        // It was chosen in the last moment, and its work is on its way.
        if !isStillIdle { me.wake.wait() }
        return !isStillIdle
    }
}
