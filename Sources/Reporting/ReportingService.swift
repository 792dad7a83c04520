internal import DataRows
public import Foundation
public import Ledger
internal import Locking
internal import SystemPackage

/// Keeps the status files what the ledger says.
///
/// It sleeps until ``signal()`` is called or a held-back status is due; while nothing changes it does nothing at all.
public final class ReportingService: Sendable {
    /// What whoever runs the service is told.
    public enum Event: Sendable {
        /// Statuses could not be brought up to date; tried again after `retry`.
        case failed(any Error, retry: Duration)
        /// One status cannot be written; others go on.
        case leftOut(StatusFileError)
        /// Statuses are up to date again after failures.
        case recovered
    }

    /// The shortest time between two looks at the ledger: changes within it are seen together.
    static let pause = Duration.milliseconds(50)
    /// How many imports are read from the ledger at a time.
    static let page = 256
    /// How many files that settle have a status of their own, per watch.
    static let mostSettling = WatchSnapshot.mostSettling

    private let store: any LedgerStore
    private let folder: StatusFolder
    private let snapshot: @Sendable () async -> DaemonSnapshot
    /// The time since the service was made, and sleeping for a while, on the clock that was given.
    private let elapsed: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void
    private let now: @Sendable () -> Date
    private let made: @Sendable (DaemonReport) -> Void
    private let activity: Activity?
    private let exposition: MetricsExposition?
    private let report: @Sendable (Event) -> Void
    private let bell = ReportBell()
    private let isStopping = Locked(false)

    /// Makes the service; nothing happens before ``run()``.
    ///
    /// - Parameters:
    ///   - store: The ledger, which may be read only.
    ///   - folder: Where the statuses go.
    ///   - snapshot: What stands outside the ledger; called before the daemon's status is written.
    ///   - clock: For intervals.
    ///   - now: For what people read.
    ///   - made: Told the daemon's status before it is written.
    ///   - activity: Told how things move.
    ///   - exposition: What is written for collectors of metrics; nothing where it is not given.
    ///   - report: Called when writing fails and when it works again.
    public init<C: Clock>(
        store: any LedgerStore, folder: StatusFolder, snapshot: @escaping @Sendable () async -> DaemonSnapshot,
        clock: C = ContinuousClock(), now: @escaping @Sendable () -> Date,
        made: @escaping @Sendable (DaemonReport) -> Void = { _ in },
        activity: Activity? = nil, exposition: MetricsExposition? = nil,
        report: @escaping @Sendable (Event) -> Void = { _ in }
    ) where C.Duration == Duration {
        self.store = store
        self.folder = folder
        self.snapshot = snapshot
        let start = clock.now
        elapsed = { start.duration(to: clock.now) }
        sleep = { try await clock.sleep(for: $0) }
        self.now = now
        self.made = made
        self.activity = activity
        self.exposition = exposition
        self.report = report
    }

    /// Tells that an import or something of the daemon's snapshot changed.
    ///
    /// Cheap, and callable from anywhere.
    public func signal() { bell.ring() }

    /// Lets ``run()`` write what is left and return.
    public func stop() {
        isStopping.withLock { $0 = true }
        bell.ring()
    }

    /// Writes statuses until ``stop()`` is called or the task is cancelled; then writes the last state of everything.
    public func run() async {
        var writer = ReportWriter(
            store: store, folder: folder, snapshot: snapshot, now: now, made: made, activity: activity,
            exposition: exposition, report: report)
        var failures = 0
        bell.ring()
        while true {
            var wake = writer.nextDue
            if failures > 0 { wake = elapsed() + Self.delay(afterFailure: failures) }
            await sleep(until: wake)
            let isLast = Task.isCancelled || isStopping.withLock { $0 }
            do {
                try await pass(&writer, at: elapsed(), isLast: isLast)
                if failures > 0 { report(.recovered) }
                failures = 0
            } catch {
                failures += 1
                report(.failed(error, retry: Self.delay(afterFailure: failures)))
            }
            if isLast { return }
            // Whoever changes much rings often.
            try? await sleep(Self.pause)  // Fails when cancelled; the loop sees that.
        }
    }

    /// One pass that, when it is the last, is not cut short by the cancellation that made it the last.
    private func pass(_ writer: inout ReportWriter, at instant: Duration, isLast: Bool) async throws {
        guard isLast else { return try await writer.pass(at: instant, isLast: false) }
        var last = writer
        // A task of its own does not inherit the cancellation, with which the ledger would refuse to be read.
        try await Task { try await last.pass(at: instant, isLast: true) }.value
    }

    /// Sleeps until the bell rings, the time has come, or the task is cancelled.
    private func sleep(until wake: Duration?) async {
        guard let wake else { return await bell.wait() }
        let rest = wake - elapsed()
        guard rest > .zero else { return }
        // Ends with this function: cancelled as soon as the bell rings, or by ringing it.
        let alarm = Task { [sleep, bell] in
            try? await sleep(rest)
            if !Task.isCancelled { bell.ring() }
        }
        await bell.wait()
        alarm.cancel()
    }

    /// Doubling from one second to half a minute.
    static func delay(afterFailure count: Int) -> Duration { min(.seconds(1 << min(count - 1, 5)), .seconds(30)) }
}
