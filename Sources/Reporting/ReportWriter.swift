internal import DataRows
internal import Foundation
internal import Ledger
internal import SystemPackage

/// Brings status files up to date with the ledger, one pass after the other.
struct ReportWriter: Sendable {
    let store: any LedgerStore
    let folder: StatusFolder
    let snapshot: @Sendable () async -> DaemonSnapshot
    let now: @Sendable () -> Date
    let made: @Sendable (DaemonReport) -> Void
    let report: @Sendable (ReportingService.Event) -> Void

    private var throttle = ReportThrottle()
    /// Every change up to this one was looked at; `nil` before the first pass.
    private var seen: Int?
    private var savedRevision: Int?
    private var sealed: (revision: Int, instant: Duration)?
    /// Imports that were due when a failure came in between.
    private var overdue: [ImportID] = []
    /// Files with a settling status, by watch.
    private var settling: [String: Set<FilePath>]?
    private var settlingWritten: [String: [FilePath: SettlingFile]] = [:]
    /// Before this, only files that are new get a settling status.
    private var settlingFrom = Duration.zero
    private var settlingDue: Duration?
    private var mediaWait: [String: TimeInterval] = [:]
    /// What holds everything up, and what holds one watch up.
    private var obstacles = Obstacles()
    /// The same as unfinished imports were told it last.
    private var toldObstacles = Obstacles()

    private struct Obstacles: Equatable {
        var all: String?
        var watches: [String: String] = [:]

        func of(_ watch: String) -> String? { all ?? watches[watch] }
    }
    private var daemonWritten: (instant: Duration, report: DaemonReport)?
    private var daemonDue: Duration?
    private var look: DaemonLook
    private let activity: Activity?
    private var metrics: MetricsFile?

    init(
        store: any LedgerStore, folder: StatusFolder, snapshot: @escaping @Sendable () async -> DaemonSnapshot,
        now: @escaping @Sendable () -> Date, made: @escaping @Sendable (DaemonReport) -> Void,
        activity: Activity? = nil, exposition: MetricsExposition? = nil,
        report: @escaping @Sendable (ReportingService.Event) -> Void
    ) {
        self.store = store
        self.folder = folder
        self.snapshot = snapshot
        self.now = now
        self.made = made
        self.activity = activity
        self.report = report
        look = DaemonLook(store: store)
        metrics = exposition.map { MetricsFile($0, folder: folder) }
    }

    /// When there will be something to write, if nothing else changes.
    var nextDue: Duration? { [throttle.nextDue, settlingDue, daemonDue, metrics?.nextDue].compactMap { $0 }.min() }

    /// Writes what changed.
    ///
    /// A failure leaves all as it was found; the next pass begins where this one stopped.
    mutating func pass(at instant: Duration, isLast: Bool) async throws {
        let current = await snapshot()
        mediaWait = Dictionary(current.watches.map { ($0.name, $0.mediaWait) }, uniquingKeysWith: { $1 })
        obstacles = Obstacles(
            all: current.obstacle,
            watches: Dictionary(
                current.watches.compactMap { watch in watch.obstacle.map { (watch.name, $0) } },
                uniquingKeysWith: { $1 }))
        if settling == nil { settling = try folder.settlingBefore() }
        try await writeChanges(at: instant)
        overdue += throttle.due(at: isLast ? instant + throttle.interval : instant)
        while !overdue.isEmpty {
            let ids = Array(overdue.suffix(Self.statusesAtOnce))
            try await write(try await store.find(ids), at: instant)
            overdue.removeLast(ids.count)
        }
        try await tellObstacle(at: instant)
        // After the imports: a file that was just claimed has the status of its import by now.
        try writeSettling(current.watches, at: instant)
        try await writeDaemon(current, at: instant, isLast: isLast)
        try saveRevision()
        try seal(at: instant, isLast: isLast)
        // Last, since nothing else depends on them.
        if isLast {
            try metrics?.remove()
        } else if let report = daemonWritten?.report {
            let now = now()
            try metrics?.pass(report, at: instant, now: now)
        }
    }

    // MARK: Imports

    private mutating func writeChanges(at instant: Duration) async throws {
        var revision: Int
        if let seen { revision = seen } else { revision = try folder.writtenRevision() ?? 0 }
        // A ledger that was restored or made anew has not come as far as the file says.
        if seen == nil, try await store.revision() < revision { revision = 0 }
        while true {
            let page = try await store.imports(changedAfter: revision, limit: ReportingService.page)
            let isCrowded = page.count == ReportingService.page
            var admitted: [ImportRecord] = []
            for record in page {
                if throttle.admits(
                    record.id, revision: record.revision, isFinal: isOver(record), isCrowded: isCrowded, at: instant)
                {
                    admitted.append(record)
                }
            }
            // What comes before one that is written was written, or waits its turn.
            try await write(admitted, isPage: true, at: instant)
            if let last = page.last { revision = last.revision }
            seen = revision
            if page.count < ReportingService.page { return }
            try saveRevision()
        }
    }

    /// So many imports, those that moved last, are told at once that something holds them up, or does no more.
    private static let mostTold = 1_000

    /// Has the statuses of imports that do not move say why they do not.
    private mutating func tellObstacle(at instant: Duration) async throws {
        guard toldObstacles != obstacles else { return }
        let held = try await store.imports(ImportFilter(states: [.queued, .importing], limit: Self.mostTold))
        try await write(held, at: instant)
        toldObstacles = obstacles
    }

    private func isOver(_ record: ImportRecord) -> Bool { record.shownState.isFinal }

    /// So many statuses share a look at the ledger.
    private static let statusesAtOnce = 64

    /// Writes the statuses of imports; those of a page are seen, one after the other.
    private mutating func write(
        _ records: [ImportRecord], isPage: Bool = false, at instant: Duration
    ) async throws {
        var rest = records[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(Self.statusesAtOnce))
            rest = rest.dropFirst(some.count)
            let tasks = try await store.tasks(ofLatestAmong: some)
            for record in some {
                // Of two files that were dropped under one name, the later has the status, whichever ends last.
                if let tasks = tasks[record.id] { try await write(record, tasks, at: instant) }
                if isPage { seen = record.revision }
            }
        }
    }

    private mutating func write(_ record: ImportRecord, _ tasks: [TaskEntry], at instant: Duration) async throws {
        let isOver = isOver(record)
        let tasks = record.startedAt == nil && !isOver ? [] : tasks
        var circumstances = StateSentence.Circumstances()
        if record.state == .waitingForMedia {
            circumstances.missing = try await store.missingMedia(of: record.id, limit: StateSentence.mostNames)
            circumstances.mediaDeadline = mediaWait[record.watch].map { record.seenAt + $0 }
        }
        circumstances.obstacle = obstacles.of(record.watch)
        let estimator = throttle.observe(
            record.id, work: ProgressWork(rows: record.rows, media: record.media), at: instant)
        activity?.observe(record, estimator: estimator)
        let status = StatusReport(
            record, tasks: tasks, circumstances: circumstances, estimator: estimator, now: now())
        try tolerating { () throws(StatusFileError) in try folder.write(status, path: record.path) }
        settling?[record.watch]?.remove(record.path)
    }

    /// Remembers how far the statuses are, so that a start has only the rest to write.
    private mutating func saveRevision() throws {
        guard let seen else { return }
        let written = throttle.oldestWaiting().map { min($0 - 1, seen) } ?? seen
        guard written != savedRevision else { return }
        try folder.write(revision: written)
        savedRevision = written
    }

    /// So much is written anew after a loss of power.
    private static let sealInterval: Duration = .seconds(60)

    /// Has statuses survive a loss of power: seldom, since each costs a sync of the file system.
    private mutating func seal(at instant: Duration, isLast: Bool) throws {
        guard let savedRevision, savedRevision != sealed?.revision else { return }
        guard isLast || instant - (sealed?.instant ?? .zero) >= Self.sealInterval else { return }
        try folder.seal(revision: savedRevision)
        sealed = (savedRevision, instant)
    }

    // MARK: Files that settle

    private mutating func writeSettling(_ watches: [WatchSnapshot], at instant: Duration) throws {
        let mayRepeat = instant >= settlingFrom
        settlingDue = nil
        var left = settling ?? [:]
        var present: [String: Set<FilePath>] = [:]
        for watch in watches {
            let files = watch.settling.prefix(ReportingService.mostSettling).filter(\.isManifest)
            left[watch.name]?.subtract(files.map(\.path))
            present[watch.name] = Set(files.map(\.path))
            var written = settlingWritten[watch.name]?.filter { present[watch.name]?.contains($0.key) ?? false } ?? [:]
            for file in files where written[file.path] != file {
                guard written[file.path] == nil || mayRepeat else {
                    settlingDue = settlingFrom
                    continue
                }
                let status = StatusReport(settling: file, watch: watch.name, now: now())
                try tolerating { () throws(StatusFileError) in try folder.write(status, path: file.path) }
                written[file.path] = file
                settlingFrom = instant + throttle.interval
            }
            settlingWritten[watch.name] = written
        }
        for (watch, paths) in left {
            for path in paths {
                try tolerating { () throws(StatusFileError) in try folder.removeSettling(watch: watch, path: path) }
            }
        }
        settling = present
    }

    // MARK: The daemon

    private mutating func writeDaemon(_ snapshot: DaemonSnapshot, at instant: Duration, isLast: Bool) async throws {
        if let written = daemonWritten, !isLast, instant - written.instant < throttle.interval {
            daemonDue = written.instant + throttle.interval
            return
        }
        daemonDue = nil
        let report = try await look.report(snapshot, at: now())
        activity?.observe(report.totals)
        made(report)
        if var same = daemonWritten?.report {
            same.updatedAt = report.updatedAt
            if same == report { return }
        }
        try folder.write(report)
        daemonWritten = (instant, report)
    }

    /// Lets one path that cannot be written not stand in the way of all others.
    private func tolerating(_ body: () throws(StatusFileError) -> Void) throws(StatusFileError) {
        do throws(StatusFileError) { try body() } catch {
            guard !error.concernsEverything else { throw error }
            report(.leftOut(error))
        }
    }
}
