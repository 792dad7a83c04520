internal import Foundation
internal import Ledger
internal import Locking
internal import Reporting

/// The line that `systemctl status` shows: what the daemon is at, and how much waits.
final class ServiceStatus: Sendable {
    private struct Seen {
        var state = ""
        var unfinished: Int?
        var oldest: Date?
        /// Why statuses cannot be written.
        var trouble: String?
    }

    private let notifier: SystemdNotifier
    private let seen = Locked(Seen())

    init(_ notifier: SystemdNotifier) { self.notifier = notifier }

    /// Before statuses are written, and so also when they cannot be.
    func saw(_ snapshot: DaemonSnapshot) {
        tell { $0.state = "\(snapshot.state.rawValue): \(snapshot.reason)" }
    }

    func saw(_ report: DaemonReport) {
        tell {
            $0.unfinished = report.unfinished
            $0.oldest = report.oldestOfAll
        }
    }

    func cannotWrite(_ error: (any Error)?) { tell { $0.trouble = error.map { "\($0)" } } }

    private func tell(_ change: (inout Seen) -> Void) {
        let line = seen.withLock { seen in
            change(&seen)
            return Self.line(seen)
        }
        notifier.status(HarmlessText.of(line))
    }

    private static func line(_ seen: Seen) -> String {
        var line = seen.state
        if let trouble = seen.trouble { line += "; statuses cannot be written: \(trouble)" }
        guard let unfinished = seen.unfinished else { return line }
        if unfinished == 0 { return line + "; nothing is unfinished" }
        line += "; \(unfinished) unfinished"
        if let oldest = seen.oldest { line += ", the oldest since \(Timestamp.text(oldest))" }
        return line
    }
}
