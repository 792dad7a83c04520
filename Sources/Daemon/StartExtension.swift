package import Foundation

/// Asks systemd for more time while a long start gets on.
///
/// On a thread of its own: a start may keep every thread of the pool busy. Every `interval` seconds it is looked whether the start gets on.
package final class StartExtension: Sendable {
    /// So much more time is asked for: enough for several looks.
    private static let extra: Duration = .seconds(90)
    /// Less of the processor's time in an interval is no progress.
    private static let leastWork: Duration = .milliseconds(50)

    private let isOver = NSCondition()
    private nonisolated(unsafe) var hasEnded = false  // Guarded by the condition.

    /// - Parameters:
    ///   - notifier: The way to systemd.
    ///   - interval: Seconds between two looks.
    ///   - used: What the start has used of processors.
    package init(
        _ notifier: SystemdNotifier, interval: TimeInterval = 20,
        used: @escaping @Sendable () -> Duration = ProcessTime.used
    ) {
        notifier.status("starting: it reads the ledger")
        Thread.detachNewThread { [self] in
            var worked = used()
            while !waits(interval) {
                let now = used()
                // A start that hangs is to be ended, and begun anew.
                guard now - worked >= Self.leastWork else { continue }
                worked = now
                notifier.send("EXTEND_TIMEOUT_USEC=\(Int64(Self.extra / .microseconds(1)))")
            }
        }
    }

    /// The start has come to its end, a good or a bad one.
    package func end() {
        isOver.withLock {
            hasEnded = true
            isOver.broadcast()
        }
    }

    /// Waits for the end of the start; false if it has not come within so many seconds.
    private func waits(_ seconds: TimeInterval) -> Bool {
        let deadline = Date().addingTimeInterval(seconds)
        return isOver.withLock {
            while !hasEnded {
                if !isOver.wait(until: deadline) { return hasEnded }
            }
            return true
        }
    }
}

/// What this process has used of processors.
package enum ProcessTime {
    package static func used() -> Duration {
        var usage = rusage()
        guard getrusage(RUSAGE_SELF.rawValue, &usage) == 0 else { return .zero }
        return [usage.ru_utime, usage.ru_stime].reduce(.zero) {
            $0 + .seconds($1.tv_sec) + .microseconds($1.tv_usec)
        }
    }
}
