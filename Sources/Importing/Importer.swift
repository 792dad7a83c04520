internal import DataRows
internal import Foundation
public import Intake
public import LabelboxAPI
public import Ledger
public import Logging
public import SystemPackage

/// The pipeline: from files in drop folders to data rows in their datasets.
///
/// Everything that is to be done stands in the ledger; the importer is the stages that do it. It may be killed at any
/// instant: a new one goes on from the ledger and the folders alone.
public final class Importer: Sendable {
    /// What the importer is made of.
    public struct Parts: Sendable {
        public var watches: [ImportWatch]
        public var ledger: any LedgerStore
        public var client: LabelboxClient
        public var stateDirectory: FilePath
        public var clock: ImportClock
        public var logger: Logger
        /// Unique for each start of a process.
        public var owner: LeaseOwner
        /// Media uploads at a time; the pacer decides how many of their requests run.
        public var uploads: Int
        /// Small files that share one upload request, at most; nil finds out what the server takes, and remembers it.
        public var filesPerRequest: Int?
        /// Which server that holds for, such as the address of its API.
        public var server: String
        /// How rows are handed over from now on.
        public var submitWith: SubmitMutation
        /// Where the random part of identifiers comes from.
        public var random: @Sendable () -> UInt64
        /// Told whenever something may have changed that others show.
        public var changed: @Sendable () -> Void
        /// Where work is done that keeps a thread busy.
        package var hands = Hands.threads(name: "datarowd.work")

        public init(
            watches: [ImportWatch], ledger: any LedgerStore, client: LabelboxClient, stateDirectory: FilePath,
            clock: ImportClock, logger: Logger, owner: LeaseOwner, uploads: Int, filesPerRequest: Int?,
            server: String, submitWith: SubmitMutation,
            random: @escaping @Sendable () -> UInt64,
            changed: @escaping @Sendable () -> Void
        ) {
            self.watches = watches
            self.ledger = ledger
            self.client = client
            self.stateDirectory = stateDirectory
            self.clock = clock
            self.logger = logger
            self.owner = owner
            self.uploads = uploads
            self.filesPerRequest = filesPerRequest
            self.server = server
            self.submitWith = submitWith
            self.random = random
            self.changed = changed
        }
    }

    let parts: Parts
    let context: StageContext
    private let bells = Bells()
    let board: WatchBoard
    private let intakes = Intakes()

    private struct Bells: Sendable {
        let planning = Bell()
        let uploading = Bell()
        let submitting = Bell()
        let watching = Bell()
        let collecting = Bell()
        let doubting = Bell()
        let closing = Bell()
        let leaving = Bell()

        var all: [Bell] { [planning, uploading, submitting, watching, collecting, doubting, closing, leaving] }
    }

    /// What keeps stages from working at all.
    public var health: PipelineHealth { context.health }

    /// What its stages are at.
    public var pulse: PipelinePulse { context.pulse }

    /// Puts the pipeline together; nothing runs yet.
    public init(_ parts: Parts) {
        let observer = ImportObserver(logger: parts.logger)
        let changed = parts.changed
        parts.ledger.onChange(changed)
        self.parts = parts
        board = WatchBoard(
            parts.watches, submitWith: parts.submitWith, uploads: parts.uploads, filesPerRequest: parts.filesPerRequest)
        context = StageContext(
            clock: parts.clock, drain: Drain(),
            health: PipelineHealth { troubles in
                observer.healthChanged(troubles)
                changed()
            },
            pulse: PipelinePulse(clock: parts.clock), observer: observer)
        for bell in bells.all { context.drain.register(bell) }
        for watch in parts.watches { intakes.begin(watch) }
    }

    /// How long a lease holds without a heartbeat.
    private static let leaseTime: Duration = .seconds(300)
    private static let heartbeat: Duration = .seconds(60)

    /// Goes on where an earlier process stopped.
    ///
    /// To be called once, before ``run()``.
    public func recover() async throws -> Recovery {
        let recovery = try await parts.ledger.recover(as: parts.owner, at: parts.clock.now)
        parts.changed()
        return recovery
    }

    /// Works until drained, and then until what was in hand has ended.
    public func run() async {
        let stages = makeStages(learned: await learnedFilesTogether())
        // Leases are kept while anything is in hand, and no longer: nothing waits for the next heartbeat.
        let heart = Task { await keepLeases() }
        defer { heart.cancel() }
        await withDiscardingTaskGroup { group in
            group.addTask {
                await self.intakes.run { watch in
                    await IntakeService(
                        watch: watch, ledger: self.parts.ledger,
                        identifiers: ImportIdentifiers(random: self.parts.random), context: self.context,
                        planning: self.bells.planning
                    ).run()
                }
            }
            for stage in stages { group.addTask { await stage() } }
            group.addTask { await self.sweep() }
        }
    }

    /// Clears away what a crash left between the end of an import and the removal of its files.
    private func sweep() async {
        do {
            try await WorkFolder(stateDirectory: parts.stateDirectory).sweep { id in
                try await parts.ledger.find(id).map { $0.phase != .closed } ?? false
            }
        } catch {
            if !(error is CancellationError) { context.observer.stumbled(stage: "sweeping", error: error) }
        }
    }

    /// Takes no new work from now on.
    public func drain() async {
        context.drain.begin()
        intakes.close()
        for watch in board.all { await watch.folder.close() }
    }

    // MARK: While it runs

    /// The watches as they are configured now.
    public var watches: [ImportWatch] { board.all }

    /// Begins nothing that changes anything at Labelbox, or does so again; what is on its way goes on.
    public func hold(_ isHeld: Bool) {
        board.hold(isHeld)
        wake()
    }

    /// Has every stage look for work: something was changed in the ledger that no stage did.
    public func wake() { for bell in bells.all { bell.ring() } }

    /// Closes the folder of a watch, and returns when nothing is taken from it any more.
    public func close(_ folder: DropFolder) async { await intakes.end(folder) }

    /// Goes by another configuration from the next item on.
    ///
    /// Folders that are new must have been started, and those that are left out closed. What was claimed of a watch that
    /// is left out waits in the ledger until it is there again.
    public func apply(watches: [ImportWatch], submitWith: SubmitMutation, uploads: Int, filesPerRequest: Int?) {
        board.put(watches, submitWith: submitWith, uploads: uploads, filesPerRequest: filesPerRequest)
        for watch in watches { intakes.begin(watch) }
        wake()
    }

    private func keepLeases() async {
        while !context.drain.isDraining {
            do {
                try await parts.clock.sleep(for: Self.heartbeat)
                try await parts.ledger.renewLeases(
                    of: parts.owner, until: parts.clock.now.advanced(by: Self.leaseTime))
            } catch {
                if Task.isCancelled || error is CancellationError { return }
                context.health.troubled("leases", error)
                continue
            }
            context.health.cleared("leases")
        }
    }

    /// How many small files the server was found to take in a request, where that is for us to find out.
    private func learnedFilesTogether() async -> Int? {
        guard parts.filesPerRequest == nil else { return nil }
        // Without the ledger's word it is found out again.
        let learned = try? await parts.ledger.limit(Self.filesTogether, of: parts.server)
        return learned.flatMap { $0 }
    }

    private static let filesTogether = "files_per_request"

    private func makeStages(learned: Int?) -> [@Sendable () async -> Void] {
        let (ledger, client, clock, context) = (parts.ledger, parts.client, parts.clock, context)
        let watches = board
        let work = WorkFolder(stateDirectory: parts.stateDirectory)
        let workbench = Workbench(parts.hands)
        let account = AccountFacts(client: client, clock: clock)
        let reader = SubmissionReader(ledger: ledger, workFolder: work)
        let words = LooseWords()
        let keys = KeySearch(client: client, clock: clock)
        let settling = SubmissionSettling(
            ledger: ledger, reader: reader, keys: keys, account: account, workFolder: work, workbench: workbench,
            context: context, sealing: bells.submitting, closing: bells.closing)
        let rows = RowSearch(client: client)
        let deleting = Deleting(
            ledger: ledger, client: client, lookup: DeletionLookup(keys: keys, rows: rows),
            settling: settling, account: account, context: context, doubting: bells.doubting)
        let owner = parts.owner
        let grants: @Sendable () -> LeaseGrant = {
            let now = clock.now
            return LeaseGrant(owner: owner, now: now, until: now.advanced(by: Self.leaseTime))
        }

        let planning = Planning(
            watches: watches, ledger: ledger, workFolder: work, workbench: workbench, context: context,
            uploading: bells.uploading, sealing: bells.submitting, closing: bells.closing
        ).stage(bell: bells.planning, grants: grants)
        let server = parts.server
        let sending = FileSending(
            client: client, limits: .init(requests: { watches.uploads }, files: { watches.filesTogether }),
            learned: learned
        ) { files, reason in
            context.observer.fewerFiles(perRequest: files, reason: reason)
            // If it is not kept, it is found out again.
            try? await ledger.recordLimit(files, on: Self.filesTogether, of: server)
        }
        let uploading = MediaUploading(
            watches: watches, ledger: ledger, client: client, context: context, sending: sending,
            reading: WorkLane(workbench) { watches.uploads }, sealing: bells.submitting, closing: bells.closing
        ).stage(bell: bells.uploading, grants: grants)
        let submitting = Submitting(
            ledger: ledger, client: client, reader: reader,
            texts: TextUploads(ledger: ledger, client: client, watches: watches, clock: clock), account: account,
            workFolder: work, workbench: workbench, context: context, settling: settling, watches: watches,
            words: words, deleting: deleting,
            changing: Changing(ledger: ledger, keys: keys, rows: rows, settling: settling, context: context),
            uploading: bells.uploading,
            watching: bells.watching, doubting: bells.doubting, closing: bells.closing
        ).stage(bell: bells.submitting, grants: grants)
        let watching = Watching(
            ledger: ledger, client: client, account: account, context: context, collecting: bells.collecting,
            doubting: bells.doubting
        ).stage(bell: bells.watching, grants: grants)
        let collecting = Collecting(
            ledger: ledger, client: client, account: account, settling: settling, context: context
        )
        .stage(bell: bells.collecting, grants: grants)
        let doubting = Doubting(
            ledger: ledger, keys: keys, settling: settling, deleting: deleting, submitting: bells.submitting,
            context: context, words: words
        )
        .stage(bell: bells.doubting, grants: grants)
        let closing = Closings(
            watches: watches, ledger: ledger, workFolder: work, stateDirectory: parts.stateDirectory,
            workbench: workbench,
            context: context, leaving: bells.leaving
        ).stage(bell: bells.closing, grants: grants)
        let leaving = MediaLeaving(watches: watches, ledger: ledger, context: context)
            .stage(bell: bells.leaving, grants: grants)
        return [
            { await planning.run(in: context) }, { await uploading.run(in: context) },
            { await submitting.run(in: context) }, { await watching.run(in: context) },
            { await collecting.run(in: context) }, { await doubting.run(in: context) },
            { await closing.run(in: context) }, { await leaving.run(in: context) },
        ]
    }
}
