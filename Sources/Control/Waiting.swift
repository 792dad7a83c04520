internal import Ledger
public import Reporting

/// Waits until manifests have ended.
public enum Waiting {
    /// How long to wait between two looks at the ledger: a look costs one indexed row.
    public static let pause = Duration.milliseconds(250)

    /// Looks until all have ended or the time is up.
    ///
    /// - Parameters:
    ///   - timeout: Given up after this time; `nil` for never.
    ///   - elapsed: The time since the start.
    ///   - sleep: Lets time pass.
    ///   - look: What became of each manifest, in the same order each time.
    ///   - show: Called after each look.
    /// - Returns: How the command ends.
    /// - Throws: What `look`, `show` and `sleep` throw.
    public static func untilEnded(
        timeout: Duration?, elapsed: () -> Duration, sleep: (Duration) async throws -> Void,
        look: () async throws -> [StatusReport], show: ([StatusReport]) throws -> Void
    ) async throws -> ExitStatus {
        while true {
            let reports = try await look()
            try show(reports)
            if reports.allSatisfy(\.state.isFinal) { return status(of: reports) }
            let rest = timeout.map { $0 - elapsed() } ?? pause
            if rest <= .zero { return .timedOut }
            try await sleep(min(rest, pause))
        }
    }

    /// The worst end counts.
    public static func status(of reports: [StatusReport]) -> ExitStatus {
        var worst = ExitStatus.ok
        for report in reports {
            switch report.state {
            case .failed, .rejected, .cancelled: worst = .failed
            case .completeWithErrors where worst == .ok: worst = .withErrors
            case .completeWithErrors, .complete: break
            case .settling, .waitingForMedia, .queued, .importing: return .timedOut
            }
        }
        return worst
    }
}
