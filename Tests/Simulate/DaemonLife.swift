import Account
import DataRows
import Files
import Foundation
import Importing
import Intake
import LabelboxAPI
import Ledger
import Logging
import Pacing
import Reporting
import SystemPackage

/// The daemon of one life: the rooms put together as the real one does, on the scheduler's time and threads.
final class DaemonLife: @unchecked Sendable {
    // `@unchecked`: only the thread that has the scheduler's baton touches any of it.
    let life: Lifetime
    let number: Int
    private let scheduler: Scheduler
    private let folders: Folders
    let ledger: SQLiteLedger
    private let starts: StartLog
    private let folder: DropFolder
    private let importer: Importer
    private let reporting: ReportingService
    private var work: Task<Void, Never>?
    private(set) var hasEnded = false
    private(set) var startFailure: String?
    private let disk: LedgerDisk
    /// How often the ledger's disk failed.
    var diskTroubles: Int { disk.failures }

    init(
        number: Int, plan: Plan, seed: UInt64, bug: PlantedBug?, scheduler: Scheduler, folders: Folders,
        farEnd: FarEnd, trace: Trace
    ) throws {
        self.number = number
        self.scheduler = scheduler
        self.folders = folders
        let life = Lifetime(scheduler)
        self.life = life
        let clock = VirtualClock(
            life: life, error: number == 0 || number > plan.endings.count ? .zero : plan.endings[number - 1].clockError)
        let names = NameSource(seed: seed, life: number)
        let logger = Logger(label: "simulate") { _ in TraceLog(trace: trace, life: number) }

        try TemporaryName.sweep(folders.state.appending(StateDirectory.making))
        let disk = LedgerDisk(plan.disk, scheduler, seed: seed, life: number)
        self.disk = disk
        ledger = try SQLiteLedger.open(
            at: folders.state.appending("ledger.sqlite"), tracing: nil,
            turns: LedgerTurns(
                later: { scheduler.add($0) }, name: { names.text() }, trouble: { disk.trouble() }))
        starts = StartLog(
            folders.state.appending("request-starts"), limit: plan.requestsPerMinute, boot: "1",
            now: { .nanoseconds(scheduler.now) })
        let pacer = RequestPacer(
            rules: PacingRules(requestsPerMinute: plan.requestsPerMinute, maximumConnections: plan.connections),
            clock: clock, random: SeededRandom(seed: seed, stream: 100 + UInt64(number)),
            memory: starts)
        let observer = ImportObserver(logger: logger)
        var gate: any RequestGate = PacedRequests(pacer: pacer) { kind, error, isRetried in
            observer.requestFailed(kind: kind.rawValue, error: error, isRetried: isRetried)
        }
        if bug == .resendOnUnknown { gate = ResendingGate(gate: gate) }
        let client = LabelboxClient(
            endpoint: "http://labelbox.invalid/graphql", credentials: FixedKey(),
            transport: farEnd.connect(life), gate: gate,
            unixTime: { Int64(clock.date.timeIntervalSince1970) })

        var settings = DropFolderSettings(name: "drops", path: folders.drop, stateDirectory: folders.state)
        settings.settle = plan.settle
        settings.rescan = plan.rescan
        settings.poll = plan.polls
        settings.mediaWait = .seconds(120)
        folder = DropFolder(
            settings, limits: DropFolderLimits(), clock: clock, wallClock: { clock.date }, disk: DiskSync(),
            logger: logger, executor: FolderExecutor(),
            watching: { (_, _, wake) in folders.listen(wake) })
        let watch = ImportWatch(
            folder: folder, datasetID: DatasetID(rawValue: Plan.dataset), operations: [.create, .upsert, .update],
            policy: RowPolicy(), invalidRows: .skip, maximumRowsPerTask: plan.rowsPerTask, linger: plan.linger,
            maximumManifestBytes: 1 << 20, mediaURLAge: .seconds(12 * 3_600))

        let bell = LateBell()
        var parts = Importer.Parts(
            watches: [watch], ledger: ledger, client: client, stateDirectory: folders.state,
            clock: ImportClock(now: { clock.date }, sleep: { try await clock.sleep(for: $0) }), logger: logger,
            owner: LeaseOwner(rawValue: "life-\(number)"), uploads: plan.connections,
            filesPerRequest: plan.filesPerRequest, server: "simulated", submitWith: .upsertDataRows,
            random: { names.number() }, changed: { bell.ring() })
        parts.hands = Hands(start: { scheduler.start($0) }, gate: { BatonGate() })
        importer = Importer(parts)
        let snapshot = Self.snapshot(folder, since: clock.date, budget: plan.requestsPerMinute)
        reporting = ReportingService(
            store: ledger,
            folder: StatusFolder(StatusLayout(stateDirectory: folders.state), files: StatusFiles(), boot: "1"),
            snapshot: snapshot, clock: clock, now: { clock.date },
            report: { event in trace.note("status", "\(event)") })
        bell.reporting = reporting
    }

    /// Starts as the daemon does.
    func start() {
        work = Task {
            do {
                try await folder.start()
                _ = try await importer.recover()
            } catch {
                if !life.isOver { startFailure = "\(error)" }
                hasEnded = true
                return
            }
            // One that cannot be started is started again by systemd, which is not simulated.
            disk.isInUse = true
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.reporting.run() }
                await self.importer.run()
                self.reporting.stop()
                await group.waitForAll()
            }
            hasEnded = true
        }
    }

    /// Asks it to stop, as SIGTERM does.
    func stop() { Task { await importer.drain() } }

    /// What is unfinished; nil when the ledger cannot be read now.
    func unfinished(_ answer: @escaping @Sendable (Int?) -> Void) {
        Task {
            let totals: LedgerTotals
            let closing: Int
            do {
                totals = try await ledger.totals()
                closing = try await ledger.nextDue(.imports(.closing), after: .distantPast) == nil ? 0 : 1
            } catch {
                return answer(nil)
            }
            let imports = totals.imports.values.reduce(0) { sum, states in
                sum + states.filter { !$0.key.isFinal }.values.reduce(0, +)
            }
            let media = totals.media.values.reduce(0, +)
            let open = totals.submissions.filter { $0.key != .settled }.values.reduce(0, +)
            answer(imports + open + closing + media)
        }
    }

    /// Ends it at this instant: nothing that it does from now on reaches ledger, folder or server.
    ///
    /// Its tasks still run, as Swift has no other way to end them: cancelled, with a closed ledger, in a folder that is
    /// not there any more.
    /// - Returns: whether all of it ended.
    func kill() -> Bool {
        folders.hide()
        try? ledger.close()
        starts.close()
        work?.cancel()
        life.end()
        let folder = folder
        Task { await folder.close() }
        var steps = 0
        while steps < 200_000, scheduler.step() { steps += 1 }
        folders.show()
        return hasEnded
    }

    /// Ends at once whatever it still does; what it has done stays.
    func cancel() { work?.cancel() }

    /// Lets go of what a life that has ended still holds, as the end of its process does.
    func release() {
        try? ledger.close()  // It may have been closed by what failed.
        starts.close()
        life.end()
        let folder = folder
        Task { await folder.close() }
    }

    private static func snapshot(
        _ folder: DropFolder, since start: Date, budget: Int
    ) -> @Sendable () async -> DaemonSnapshot {
        {
            let settling = await folder.settlingFiles(limit: WatchSnapshot.mostSettling)
            return DaemonSnapshot(
                version: "0", pid: 1, state: .running, reason: "it works", startedAt: start,
                watches: [
                    WatchSnapshot(
                        name: "drops", path: folder.settings.path, mode: .watching, settlingCount: settling.count,
                        settling: settling.files.map {
                            Reporting.SettlingFile(
                                path: $0.relativePath, bytes: $0.bytes, since: $0.since, reason: $0.reason,
                                nextLook: $0.until, isManifest: $0.role == .manifest)
                        })
                ],
                budget: .init(requestsPerMinute: budget), concurrency: .init(limit: 1, maximum: 1))
        }
    }
}

/// Rings for the reporting service, which is made after those who ring.
private final class LateBell: @unchecked Sendable {
    // `@unchecked`: as above.
    var reporting: ReportingService?
    func ring() { reporting?.signal() }
}

/// Fails as the plan says.
private final class LedgerDisk: @unchecked Sendable {
    // `@unchecked`: as above.
    private let plan: Plan.Disk
    private let scheduler: Scheduler
    private var random: SeededRandom
    var isInUse = false
    private(set) var failures = 0

    init(_ plan: Plan.Disk, _ scheduler: Scheduler, seed: UInt64, life: Int) {
        self.plan = plan
        self.scheduler = scheduler
        random = SeededRandom(seed: seed, stream: 2_000 + UInt64(life))
    }

    func trouble() -> LedgerError? {
        guard isInUse, plan.troubles.contains(where: { $0.contains(scheduler.now) }), random.chance(plan.failing)
        else { return nil }
        failures += 1
        return .unavailable(path: "ledger.sqlite", why: "the disk of the simulation is full")
    }
}

private struct FixedKey: CredentialSource {
    func apiKey() throws -> String { "simulated-key" }
}

/// Numbers and names that are the same for the same seed.
final class NameSource: @unchecked Sendable {
    // `@unchecked`: as above.
    private var random: SeededRandom
    init(seed: UInt64, life: Int) { random = SeededRandom(seed: seed, stream: 1_000 + UInt64(life)) }
    func number() -> UInt64 { random.next() }
    func text() -> String { "submission-\(String(number(), radix: 16))" }
}
