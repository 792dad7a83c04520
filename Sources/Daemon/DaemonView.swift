internal import Foundation
internal import Importing
internal import Intake
internal import Ledger
internal import Locking
internal import Pacing
internal import Reporting
internal import Settings
internal import SystemPackage

/// What the daemon is at, for its status file.
final class DaemonView: Sendable {
    private let configuration: @Sendable () -> Reloading.Standing
    private let quietUntil: @Sendable () -> Date?
    private let startedAt: Date
    private let pacer: RequestPacer
    private let importer: Importer
    private let lastError: LastError
    private let now: @Sendable () -> Date
    private let phase = Locked(DaemonState.starting)
    /// What is wrong with the way to look at it.
    private let doorTrouble = Locked<String?>(nil)
    private let pauses = Locked<[OperatorPause]>([])

    init(
        configuration: @escaping @Sendable () -> Reloading.Standing,
        quietUntil: @escaping @Sendable () -> Date?, startedAt: Date, pacer: RequestPacer,
        importer: Importer,
        lastError: LastError, now: @escaping @Sendable () -> Date
    ) {
        self.configuration = configuration
        self.quietUntil = quietUntil
        self.startedAt = startedAt
        self.pacer = pacer
        self.importer = importer
        self.lastError = lastError
        self.now = now
    }

    func entered(_ state: DaemonState) { phase.withLock { $0 = state } }

    func doorIsTroubled(_ reason: String?) { doorTrouble.withLock { $0 = reason } }

    func paused(_ pauses: [OperatorPause]) { self.pauses.withLock { $0 = pauses } }

    func snapshot() async -> DaemonSnapshot {
        let pace = pacer.snapshot()
        let configuration = configuration()
        let now = now()
        let pauses = pauses.withLock { $0 }
        var folders: [WatchSnapshot] = []
        var trouble: String?
        for watch in importer.watches {
            folders.append(await look(at: watch, pauses))
            if trouble == nil, let error = await watch.folder.currentTrouble() {
                trouble = "watch '\(watch.name)' cannot take files, which wait: \(error.reason)"
            }
        }
        let pause = pauses.first { $0.watch == nil }
        let (state, reason) = judge(pace, folders, trouble, pause)
        let isSilent = pace.breaker != .closed || pace.failing != nil
        let obstacle =
            pause.map { Self.sentence($0, resume: "datarowctl resume", now: now) }
            ?? quietUntil().map {
                "\(Self.quiet(until: $0, now: now)), and nothing is sent in them"
            }
            ?? (pace.blockedReason != nil
                ? "Labelbox refuses the account" : isSilent ? "Labelbox does not answer" : nil)
        return DaemonSnapshot(
            version: DatarowDaemon.version, pid: Int(getpid()), state: state, reason: reason, startedAt: startedAt,
            watches: folders,
            budget: .init(
                requestsPerMinute: pace.limit, used: pace.usedInWindow,
                pausedUntil: pace.pausedFor.map { now.addingTimeInterval($0 / .seconds(1)) }),
            concurrency: .init(
                inFlight: pace.inFlight, limit: pace.concurrencyLimit,
                maximum: configuration.settings.labelbox.maxConnections),
            breaker: .init(
                state: pace.breaker.shown,
                nextProbe: pace.breakerProbeIn.map { now.addingTimeInterval($0 / .seconds(1)) }),
            lastError: lastError.current, obstacle: obstacle,
            pauses: pauses.map { .init(watch: $0.watch, by: $0.by.name, uid: $0.by.uid, since: $0.since) },
            configuration: .init(
                appliedAt: configuration.since,
                refused: configuration.refused.map { .init(at: $0.at, message: $0.reason) }))
    }

    private static func quiet(until end: Date, now: Date) -> String {
        end == .distantFuture
            ? "all hours are quiet" : "the hours are quiet until \(Timestamp.clock(end, near: now))"
    }

    private static func sentence(_ pause: OperatorPause, resume: String, now: Date) -> String {
        "\(pause.by) paused it at \(Timestamp.clock(pause.since, near: now)); nothing is sent until '\(resume)'"
    }

    private func judge(
        _ pace: PacerSnapshot, _ folders: [WatchSnapshot], _ trouble: String?, _ pause: OperatorPause?
    ) -> (DaemonState, String) {
        let phase = phase.withLock { $0 }
        switch phase {
        case .starting: return (.starting, "it reads the ledger")
        case .draining: return (.draining, "it was told to stop, and lets what is in hand end")
        default: break
        }
        if let pause {
            return (.paused, Self.sentence(pause, resume: "datarowctl resume", now: now()) + "; tasks are followed")
        }
        if let reason = pace.blockedReason {
            return (
                .blocked,
                "Labelbox refuses the account (\(reason)); no row fails for it, and it is tried again every 5 minutes"
            )
        }
        if let (stage, reason) = importer.health.current.min(by: { $0.key < $1.key }) {
            return (.paused, "\(stage) cannot work: \(reason)")
        }
        if pace.breaker != .closed {
            return (
                .degraded,
                "Labelbox does not answer (\(pace.breakerReason ?? "")); it is probed, and work waits without loss"
            )
        }
        if let reason = pace.failing {
            return (
                .degraded,
                "Labelbox does not answer (\(reason)); it is asked again, ever more seldom, and work waits without loss"
            )
        }
        if let trouble { return (.degraded, trouble) }
        if let folder = folders.first(where: { $0.mode == .missing }) {
            return (.degraded, "watch '\(folder.name)': \(folder.reason ?? "its folder is missing")")
        }
        if let reason = doorTrouble.withLock({ $0 }) { return (.degraded, reason) }
        if let end = quietUntil() {
            return (
                .running,
                "\(Self.quiet(until: end, now: now())): nothing is sent, and tasks are followed"
            )
        }
        if pace.pausedFor != nil { return (.running, "Labelbox asked for a pause; it goes on by itself") }
        return (.running, "it works")
    }

    private func look(at watch: ImportWatch, _ pauses: [OperatorPause]) async -> WatchSnapshot {
        let settling = await watch.folder.settlingFiles(limit: WatchSnapshot.mostSettling)
        let (mode, reason): (WatchMode, String?) =
            switch await watch.folder.watchState() {
            case .starting, .watching: (.watching, nil)
            case .polling(let why): (.polling, why)
            case .degraded(let why): (.polling, why)
            case .missing(let why): (.missing, why)
            }
        return WatchSnapshot(
            name: watch.name, path: watch.folder.settings.path, mode: mode, reason: reason,
            settlingCount: settling.count,
            settling: settling.files.map {
                Reporting.SettlingFile(
                    path: $0.relativePath, bytes: $0.bytes, since: $0.since, reason: $0.reason, nextLook: $0.until,
                    isManifest: $0.role != .looseMedia)
            },
            mediaWait: watch.folder.settings.mediaWait / .seconds(1),
            overflows: await watch.folder.watchStatistics().overflows,
            obstacle: pauses.first { $0.watch == watch.name }.map {
                Self.sentence($0, resume: "datarowctl resume --watch \(watch.name)", now: now())
            })
    }
}

extension CircuitBreaker.State {
    fileprivate var shown: DaemonSnapshot.Breaker.State {
        switch self {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }
}
