internal import Account
internal import Files
internal import Foundation
internal import Importing
internal import Intake
internal import LabelboxAPI
internal import Ledger
internal import Locking
public import Logging
internal import Metering
internal import Pacing
internal import Reporting
public import Settings
internal import SystemPackage

/// The service: puts the rooms together, starts them in order and stops them in order.
///
/// It decides nothing.
public final class DatarowDaemon: Sendable {
    /// Of the program, in its status and its requests.
    public static let version = Release.version

    private let settings: Settings
    private let logger: Logger
    private let environment: [String: String]
    private let read: @Sendable () throws -> Settings
    private let threshold: LogThreshold
    private let drainRequests = AsyncStream<Void>.makeStream()
    private let desk = Locked<OperatorDesk?>(nil)

    /// Prepares a daemon; nothing is opened or started yet.
    ///
    /// - Parameters:
    ///   - settings: what it goes by at first.
    ///   - read: reads them again, for a reload.
    ///   - logger: told of everything.
    ///   - threshold: what is logged; the configuration may change it.
    ///   - environment: of the process.
    public init(
        settings: Settings, read: @escaping @Sendable () throws -> Settings, logger: Logger, threshold: LogThreshold,
        environment: [String: String]
    ) {
        self.settings = settings
        self.read = read
        self.logger = logger
        self.threshold = threshold
        self.environment = environment
    }

    /// How long requests in flight may still take when the daemon is to stop.
    private static let drainTime: Duration = .seconds(20)

    /// Asks the daemon to stop: it takes no new work, lets what is in hand end, and returns from ``run()``.
    public func stop() {
        drainRequests.continuation.yield()
    }

    /// Asks the daemon to read its configuration again; does nothing while it starts or stops.
    public func reload() { desk.withLock { $0 }?.reloadSoon() }

    /// Runs until ``stop()``.
    ///
    /// - Throws: ``StartFailure`` when it cannot start.
    public func run() async throws(StartFailure) {
        let clock = ContinuousClock()
        let start = Date()
        let time = ImportClock(from: start, on: clock)
        let notifier = SystemdNotifier(environment: environment)
        let serviceStatus = ServiceStatus(notifier)
        let startExtension = StartExtension(notifier)
        defer { startExtension.end() }

        let state = settings.stateDirectory
        let lock = try Startup.prepare(state)
        let (ledger, isExaminedLater) = try await Startup.openLedger(
            at: state.appending("ledger.sqlite"), logger: logger)
        ledger.onDamage { [logger, drainRequests] error in
            logger.critical("Ledger damaged", metadata: ["reason": "\(error)"])
            drainRequests.continuation.yield()
        }
        let lastError = LastError()
        let beginning = clock.now
        let activity = Activity { beginning.duration(to: clock.now) }
        let exposition = MetricsExposition(
            meters: CountedMeters.installed, activity: activity, ledger: state.appending("ledger.sqlite"))
        let observer = ImportObserver(logger: logger)
        let bell = StatusBell()
        let account = try Startup.account(
            settings.labelbox, state: state, environment: environment, clock: clock,
            witness: Startup.witness(observer, activity) { beginning.duration(to: clock.now) }
        ) { kind, error, isRetried in
            observer.requestFailed(kind: kind.rawValue, error: error, isRetried: isRetried)
            lastError.record("\(error)", at: time.now)
            bell.ring()
        }
        let pacer = account.pacer

        let folder: @Sendable (WatchSettings, Settings) -> DropFolder = { [logger] watch, settings in
            DropFolder(
                watch.folderSettings(stateDirectory: settings.stateDirectory), clock: clock,
                wallClock: { time.now }, logger: logger, changed: { bell.ring() })
        }
        let watches = try await Startup.watches(settings, folder: folder)
        let importer = Importer(
            .init(
                watches: watches, ledger: ledger, client: account.client, stateDirectory: state, clock: time,
                logger: logger,
                owner: LeaseOwner(rawValue: Startup.ownerName()), uploads: settings.labelbox.maxConnections,
                filesPerRequest: settings.labelbox.filesPerRequest, server: settings.labelbox.endpoint,
                submitWith: settings.labelbox.handover,
                random: { UInt64.random(in: .min ... .max) }, changed: { bell.ring() }))

        let rules = WeeklyRules(
            settings.labelbox, week: LocalWeek(.autoupdatingCurrent), wallClock: { Date() },
            hands: .init(
                limitUploads: { account.limitUploads(to: $0) },
                hold: { isHeld in
                    importer.hold(isHeld)
                    pacer.hold(isHeld)
                },
                changed: { bell.ring() }))
        let reloading = Reloading(
            settings, since: start,
            parts: .init(
                read: read, environment: environment, watches: { importer.watches },
                folder: folder, close: { await importer.close($0) },
                applyAccount: {
                    account.apply($0)
                    rules.apply($0)
                },
                applyWatches: { watches, settings in
                    importer.apply(
                        watches: watches, submitWith: settings.labelbox.handover,
                        uploads: settings.labelbox.maxConnections, filesPerRequest: settings.labelbox.filesPerRequest)
                },
                setLogLevel: { [threshold] in threshold.level = Logger.Level(rawValue: $0.rawValue) ?? .info },
                now: { time.now }, logger: logger, changed: { bell.ring() }))
        let view = DaemonView(
            configuration: { reloading.standing }, quietUntil: { rules.quietUntil }, startedAt: start, pacer: pacer,
            importer: importer,
            lastError: lastError,
            now: { time.now })
        let desk = OperatorDesk(
            spool: FileSpool(state.appending(StateDirectory.requests)),
            hands: .init(
                ledger: ledger, importer: importer, isStill: { Self.isStill(pacer.snapshot()) },
                watches: { reloading.standing.settings.watches.map(\.name) },
                paused: { pauses in
                    rules.pause(pauses.contains { $0.watch == nil })
                    // Those of one watch are kept by the ledger, and stages wait until they are told to look.
                    importer.wake()
                    view.paused(pauses)
                    bell.ring()
                },
                reload: {
                    notifier.sendReloading()
                    let verdict = await reloading.reload()
                    notifier.send("READY=1")
                    return verdict
                }),
            clock: time, logger: logger)
        let reporting = ReportingService(
            store: ledger,
            folder: StatusFolder(
                StatusLayout(stateDirectory: state), files: StatusFiles(making: state.appending(StateDirectory.making)),
                boot: BootID.current()),
            snapshot: {
                let snapshot = await view.snapshot()
                serviceStatus.saw(snapshot)
                return snapshot
            }, clock: clock, now: { time.now }, made: { serviceStatus.saw($0) },
            activity: activity, exposition: exposition,
            report: { [logger] event in
                switch event {
                case .failed(let error, let retry):
                    serviceStatus.cannotWrite(error)
                    logger.error("Status not written", metadata: ["reason": "\(error)", "retry": "\(retry)"])
                case .leftOut(let error): logger.error("Status left out", metadata: ["reason": "\(error)"])
                case .recovered:
                    serviceStatus.cannotWrite(nil)
                    logger.notice("Status written again")
                }
            })
        bell.connect(reporting)
        let door = StatusDoor(
            CurrentStatus(
                store: ledger, snapshot: { await view.snapshot() }, now: { time.now }, activity: activity,
                exposition: exposition),
            logger: logger,
            troubled: {
                view.doorIsTroubled($0)
                bell.ring()
            })
        try await door.open(settings.http.listen)

        do {
            let recovery = try await importer.recover()
            // What was asked for while it was down holds from the first request on.
            try await desk.begin()
            logger.notice(
                "Ready",
                metadata: [
                    "version": "\(Self.version)", "watches": "\(watches.count)",
                    "unfinished_imports": "\(recovery.unfinishedImports)",
                    "ambiguous_submissions": "\(recovery.ambiguousSubmissions)",
                ])
        } catch {
            throw Startup.failure(of: error)
        }
        view.entered(.running)
        startExtension.end()
        notifier.send("READY=1")
        let watchdog = Watchdog(
            notifier: notifier, logger: logger, signs: { Self.signs(importer, account, pacer) })
        let beats = Task { await watchdog.run() }
        defer { beats.cancel() }
        self.desk.withLock { $0 = desk }
        // Beside the work, at the lowest priority; it ends with the process.
        if isExaminedLater { Task.detached(priority: .background) { await ledger.examine() } }
        await work(importer, reporting, desk, rules, time, view, notifier, pacer, ledger)
        await account.shutdown()
        await door.close()
        if let damage = ledger.damage { throw Startup.failure(of: damage) }
        do { try ledger.close() } catch { logger.warning("Ledger not closed", metadata: ["reason": "\(error)"]) }
        withExtendedLifetime(lock) {}
        logger.notice("Stopped")
    }

    private static func signs(
        _ importer: Importer, _ account: AccountConnection, _ pacer: RequestPacer
    ) -> Liveness.Signs {
        let pace = pacer.snapshot()
        return Liveness.Signs(
            pulse: importer.pulse.reading(), transportSilence: account.transportSilence, isSending: pace.inFlight > 0,
            isHeld: pace.isHeldUp || !importer.health.current.isEmpty, work: ProcessTime.used())
    }

    /// Waits as long as requests may take to end: not at all while none is on its way and none may start.
    private static func drainTime(of pacer: RequestPacer) async {
        let deadline = ContinuousClock.now.advanced(by: drainTime)
        while ContinuousClock.now < deadline, !Task.isCancelled {
            if isStill(pacer.snapshot()) { return }
            try? await Task.sleep(for: .milliseconds(200))  // Ends early only by cancellation, which is as good.
        }
    }

    /// Whether no request is on its way and none may start.
    private static func isStill(_ pace: PacerSnapshot) -> Bool {
        let isHeld = pace.isHeld || pace.blockedReason != nil || pace.pausedFor != nil || pace.breaker == .open
        return isHeld && pace.inFlight == 0
    }

    private func work(
        _ importer: Importer, _ reporting: ReportingService, _ desk: OperatorDesk, _ rules: WeeklyRules,
        _ time: ImportClock, _ view: DaemonView,
        _ notifier: SystemdNotifier, _ pacer: RequestPacer, _ ledger: SQLiteLedger
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await reporting.run() }
            group.addTask { await desk.run() }
            group.addTask { await rules.run(time) }
            await withTaskGroup(of: Bool.self) { inner in
                inner.addTask {
                    await importer.run()
                    return true
                }
                inner.addTask { [drainRequests] in
                    for await _ in drainRequests.stream { return false }
                    return false
                }
                _ = await inner.next()
                // What a damaged ledger says may not be acted upon any more, so nothing is let end.
                if ledger.damage != nil { inner.cancelAll() }
                view.entered(.draining)
                desk.stop()
                rules.stop()
                notifier.send("STOPPING=1")
                reporting.signal()
                await importer.drain()
                inner.addTask {
                    await Self.drainTime(of: pacer)
                    return false
                }
                // Either everything in hand has ended, or its time is over.
                while let hasEnded = await inner.next(), !hasEnded {
                    if inner.isCancelled { break }
                    inner.cancelAll()
                }
                inner.cancelAll()
            }
            reporting.stop()
            await group.waitForAll()
        }
    }
}

/// Rings for the reporting service, also before there is one.
final class StatusBell: Sendable {
    private let service = Locked<ReportingService?>(nil)

    func connect(_ reporting: ReportingService) { service.withLock { $0 = reporting } }

    func ring() { service.withLock { $0 }?.signal() }
}

/// The latest trouble, for the daemon's status.
final class LastError: Sendable {
    private let value = Locked<DaemonSnapshot.Trouble?>(nil)

    var current: DaemonSnapshot.Trouble? { value.withLock { $0 } }

    func record(_ message: String, at now: Date) {
        value.withLock { $0 = DaemonSnapshot.Trouble(at: now, message: message) }
    }
}
