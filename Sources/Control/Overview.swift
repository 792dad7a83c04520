public import Foundation
internal import Ledger
public import Reporting

/// The daemon and its watches, for people.
public struct Overview: Sendable {
    private let daemon: DaemonDocument?
    private let isAlive: Bool

    /// - Parameters:
    ///   - daemon: Its status; `nil` where none was written.
    ///   - isAlive: Whether the process that wrote it still runs.
    public init(_ daemon: DaemonDocument?, isAlive: Bool) {
        self.daemon = daemon
        self.isAlive = isAlive
    }

    /// Whether a process of that number runs.
    public static func isAlive(_ pid: Int) -> Bool {
        // Signal 0 asks; one that we may not signal is alive too.
        guard let pid = Int32(exactly: pid), pid > 0 else { return false }
        return ProcessProbe.exists(pid)
    }

    /// Why nothing may be moving, in a sentence; `nil` where all is well.
    public var notice: String? {
        guard let daemon else { return "datarowd has not written a status here: has it been started?" }
        guard isAlive else { return "datarowd is not running: what waits goes on when it is started" }
        guard daemon.state != "running" else { return nil }
        return "datarowd is \(daemon.state)\(daemon.stateReason.isEmpty ? "" : ": \(daemon.stateReason)")"
    }

    /// What the daemon is at, then a table of its watches.
    public func lines(palette: Palette, width: Int?, now: Date) -> [String] {
        guard let daemon else { return ["datarowd has not written a status here: has it been started?"] }
        var lines: [String] = []
        let version = VisibleText.of(daemon.version)
        if isAlive {
            lines.append("datarowd \(version), pid \(daemon.pid): \(palette.bold(VisibleText.of(daemon.state)))")
            if !daemon.stateReason.isEmpty { lines.append("  " + VisibleText.of(daemon.stateReason)) }
        } else {
            let age = Timestamp.date(daemon.updatedAt).map {
                ", last heard of \(AgeText.of(now.timeIntervalSince($0))) ago"
            }
            lines.append(palette.bad("datarowd \(version) is not running\(age ?? "")"))
            lines.append("  What is waiting goes on when it is started: systemctl start datarowd")
        }
        let budget = daemon.rateBudget
        let pause = budget.pausedUntil.flatMap(Timestamp.date).flatMap {
            $0 > now ? ", paused until \(Timestamp.clock($0, near: now))" : nil
        }
        lines.append("  requests: \(budget.used) of \(budget.requestsPerMinute) a minute\(pause ?? "")")
        if let trouble = daemon.lastError {
            let age = Timestamp.date(trouble.at).map { " (\(AgeText.of(now.timeIntervalSince($0))) ago)" } ?? ""
            lines.append("  last error\(age): \(VisibleText.of(trouble.message))")
        }
        guard !daemon.watches.isEmpty else { return lines }
        lines.append("")
        var table = TextTable([
            .init("WATCH", cut: .end), .init("MODE"), .init("SETTLING", isRight: true),
            .init("WAITING", isRight: true), .init("MOVING", isRight: true), .init("DONE", isRight: true),
            .init("BAD", isRight: true), .init("OLDEST", isRight: true), .init("FOLDER", cut: .beginning),
        ])
        for watch in daemon.watches {
            func count(_ states: ImportState...) -> String {
                "\(states.reduce(0) { $0 + (watch.imports[$1.rawValue] ?? 0) })"
            }
            let oldest = watch.oldestUnfinished.flatMap { Timestamp.date($0.since) }
            table.add([
                watch.name, watch.mode, "\(watch.settling)", count(.waitingForMedia, .queued), count(.importing),
                count(.complete), count(.completeWithErrors, .failed, .rejected, .cancelled),
                oldest.map { AgeText.of(now.timeIntervalSince($0)) } ?? "-", watch.path,
            ])
        }
        return lines + table.lines(width: width)
    }
}
