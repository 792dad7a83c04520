internal import Logging

/// Tells systemd that the daemon lives, as long as its pipeline does.
struct Watchdog: Sendable {
    let notifier: SystemdNotifier
    let logger: Logger
    let signs: @Sendable () -> Liveness.Signs

    /// Beats until cancelled; without a watchdog of systemd's it returns at once.
    func run() async {
        guard let limit = notifier.watchdog else { return }
        // Three beats in the time that systemd waits: one may be late. That is the only time that an idle daemon wakes for it.
        let interval = limit / 3
        let clock = ContinuousClock()
        let start = clock.now
        var liveness = Liveness(patience: interval)
        var told: String?
        while true {
            let halt = liveness.halt(signs(), at: start.duration(to: clock.now))
            if let halt {
                // Said once for each halt, and not repeated until systemd acts.
                if told == nil { logger.critical("Work stands still", metadata: ["reason": "\(halt)"]) }
                notifier.status("stands still: \(halt)")
            } else {
                notifier.send("WATCHDOG=1")
            }
            told = halt
            do { try await clock.sleep(for: interval, tolerance: interval / 10) } catch { return }
        }
    }
}
