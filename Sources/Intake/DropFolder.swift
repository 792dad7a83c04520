internal import DataRows
public import Files
public import FoundationEssentials
public import Logging
public import SystemPackage

/// One watched folder: finds what is dropped, knows when it is complete, takes it, and puts it away.
///
/// Runs on a queue of its own, since everything here may wait for a disk. What it knows is only a help: the
/// folder is the truth, and a new process finds everything again by looking. One task at a time may wait
/// in `nextBatch`.
public actor DropFolder {
    public nonisolated let settings: DropFolderSettings
    public nonisolated let layout: DropFolderLayout
    public nonisolated let rules: FileRules

    nonisolated let limits: DropFolderLimits
    nonisolated let disk: DiskSync
    nonisolated let bell = Doorbell()
    nonisolated let watching: HintSource
    nonisolated let time: MonotonicTime
    nonisolated let wallClock: @Sendable () -> Date
    nonisolated let logger: Logger
    private nonisolated let changed: @Sendable () -> Void
    private nonisolated let executor: any SerialExecutor

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    var state = WatchState.starting
    var statistics = WatchStatistics()
    var manifests: SettleTracker
    var sidecars: SettleTracker
    var media: SettleTracker
    /// Media that only manifests ask for.
    var named: SettleTracker
    var ready: [ReadyFile] = []
    var handedOut = HandedOut()
    var footing: Footing?
    var hints: (any FolderHints)?
    var backlog = HintBacklog()
    var scan: Scan?
    var nextScan: Duration = .zero
    var scanWhenRoom = false
    var scanAgain = false
    var watchTrouble: FileError?
    var trouble: FolderTrouble?
    var isClosed = false
    private var told = Shown(state: .starting, settling: 0)

    /// What people are shown of a folder, as far as it changes while nothing is taken.
    private struct Shown: Equatable {
        var state: WatchState
        var settling: Int
    }

    /// * `clock`: for all waiting; a monotonic one.
    /// * `wallClock`: for dates that people see, and for names.
    /// * `disk`: is told of each sync.
    /// * `changed`: is called when how the folder is watched changes, or how much settles.
    public init(
        _ settings: DropFolderSettings, limits: DropFolderLimits = DropFolderLimits(), clock: any Clock<Duration>,
        wallClock: @escaping @Sendable () -> Date, disk: DiskSync = DiskSync(), logger: Logger,
        changed: @escaping @Sendable () -> Void = {}
    ) {
        self.init(
            settings, limits: limits, clock: clock, wallClock: wallClock, disk: disk, logger: logger,
            changed: changed, executor: QueueExecutor("datarowd.intake.\(settings.name)"),
            watching: { (root, capacity, wake) throws(FileError) in
                try DirectoryHints(root: root, capacity: capacity, wake: wake)
            })
    }

    /// As the other, on an executor and with a source of hints that are given.
    package init(
        _ settings: DropFolderSettings, limits: DropFolderLimits, clock: any Clock<Duration>,
        wallClock: @escaping @Sendable () -> Date, disk: DiskSync, logger: Logger,
        changed: @escaping @Sendable () -> Void = {}, executor: any SerialExecutor,
        watching: @escaping HintSource
    ) {
        self.settings = settings
        self.limits = limits
        self.disk = disk
        self.wallClock = wallClock
        self.logger = logger
        self.changed = changed
        layout = DropFolderLayout(settings)
        rules = FileRules(settings)
        time = MonotonicTime(clock)
        self.executor = executor
        self.watching = watching
        manifests = SettleTracker(settle: settings.settle, capacity: limits.settling)
        sidecars = SettleTracker(settle: settings.settle, capacity: limits.settling)
        named = SettleTracker(settle: settings.settle, capacity: limits.settling)
        media = SettleTracker(settle: settings.settle, grace: settings.mediaGrace, capacity: limits.settling)
    }

    /// Takes the folder's lock and starts to watch.
    ///
    /// A folder that is missing is no error: the state says so, and it is tried again at each rescan.
    /// - Throws: `IntakeError` with `.unavailable` when another process has the folder, naming its id.
    public func start() throws(IntakeError) {
        do {
            try stand()
        } catch  where error.code != .unavailable {
            lose(error.reason)
        }
        nextScan = time.now()
    }

    /// Stops watching and gives the lock back; whoever waits for a batch gets an empty one.
    public func close() {
        isClosed = true
        hints = nil
        scan = nil
        footing = nil
        bell.ring()
    }

    /// Waits until files are ready and returns up to `limit` of them; empty only after `close`.
    ///
    /// A file is handed out once, unless it changes, or is released.
    /// - Throws: `CancellationError`.
    public func nextBatch(limit: Int) async throws -> [ReadyFile] {
        while true {
            try Task.checkCancellation()
            if isClosed { return [] }
            let isMore = turn(limit: limit)
            tellChanges()
            if !ready.isEmpty {
                let batch = Array(ready.prefix(limit))
                ready.removeFirst(batch.count)
                return batch
            }
            if isMore {
                await Task.yield()
            } else {
                await bell.wait(until: nextWake, on: time)
            }
        }
    }

    private func tellChanges() {
        let shown = Shown(state: state, settling: manifests.count + sidecars.count + media.count)
        guard shown != told else { return }
        told = shown
        changed()
    }

    /// Looks at everything soon, whatever was seen before.
    public func rescan() {
        requestScan()
        bell.ring()
    }

    /// Gives a file back that was handed out and not used, to be handed out again later.
    ///
    /// * `changed`: whether it changed while it was read: it then settles again, each time twice as long.
    /// * `trouble`: why it could not be taken, where that is not because a manifest may name it.
    public func release(_ file: ReadyFile, changed: Bool, trouble: String? = nil) {
        handedOut.forget(file.relativePath)
        let strikes = changed ? file.strikes + 1 : max(file.strikes, 1)
        settleAgain(
            file, strikes: strikes, reason: changed ? nil : trouble.map { .troubled($0) } ?? .waitingForManifest)
    }

    /// Whether some manifest is on its way in; sidecars do not count.
    public func hasSettlingManifests() -> Bool { manifests.count > 0 }

    /// Whether the sidecar of a media file lies there.
    public nonisolated func hasSidecar(_ media: FilePath) -> Bool {
        guard let sidecar = rules.sidecar(of: media) else { return false }
        // One that cannot be looked at cannot be taken either; then the file is on its own.
        return (try? FileLook.at(settings.path.pushing(sidecar)))?.kind == .regular
    }

    /// How the folder is watched now.
    public func watchState() -> WatchState { state }

    /// What was done so far.
    public func watchStatistics() -> WatchStatistics {
        var answer = statistics
        answer.watchedFolders = hints?.watchedFolders ?? 0
        return answer
    }

    /// What waits, and for what; at most `limit` files by name.
    public func settlingFiles(limit: Int = 1_000) -> SettlingSnapshot {
        let now = time.now()
        let date = wallClock()
        func shown(_ tracker: SettleTracker, _ role: ReadyFile.Role, _ limit: Int) -> [SettlingFile] {
            tracker.sample(limit: limit).map { path, entry in
                SettlingFile(
                    relativePath: path, role: role, bytes: entry.identity.size, reason: "\(entry.reason)",
                    since: date - (now - entry.firstSeen),
                    until: date - (now - entry.due))
            }
        }
        var files = shown(manifests, .manifest, limit)
        files += shown(sidecars, .sidecar, limit - files.count)
        files += shown(media, .looseMedia, limit - files.count)
        return SettlingSnapshot(count: manifests.count + sidecars.count + media.count, files: files)
    }

    /// When there is something to do although nobody rings.
    private var nextWake: Duration {
        [nextScan, manifests.nextDue, sidecars.nextDue, media.nextDue].compactMap(\.self).min() ?? nextScan
    }

    /// Takes a file up again that was handed out, as old as it was: its age is what people are woken by.
    func settleAgain(_ file: ReadyFile, strikes: Int, reason: SettleTracker.Reason?) {
        let age = Duration.seconds(max(0, wallClock().timeIntervalSince(file.firstSeen)))
        settleAgain(
            file.role, file.relativePath, file.identity, strikes: strikes, reason: reason, firstSeen: time.now() - age)
    }

    func settleAgain(
        _ role: ReadyFile.Role, _ path: FilePath, _ identity: FileIdentity, strikes: Int, reason: SettleTracker.Reason?,
        firstSeen: Duration? = nil
    ) {
        let now = time.now()
        withTracker(of: role) {
            $0.settleAgain(path, identity, strikes: strikes, reason: reason, firstSeen: firstSeen, at: now)
        }
        bell.ring()
    }

    /// What follows the files of one role until they are complete.
    func withTracker<Answer>(of role: ReadyFile.Role, _ body: (inout SettleTracker) -> Answer) -> Answer {
        switch role {
        case .manifest: body(&manifests)
        case .sidecar: body(&sidecars)
        case .looseMedia: body(&media)
        }
    }
}

/// Begins to tell of changes below a folder: at most so many paths wait, and each news wakes by a call.
package typealias HintSource =
    @Sendable (_ root: FilePath, _ capacity: Int, _ wake: @escaping @Sendable () -> Void) throws(FileError)
    -> any FolderHints

extension Date {
    static func - (date: Date, duration: Duration) -> Date {
        let (seconds, attoseconds) = duration.components
        return date.addingTimeInterval(-(Double(seconds) + Double(attoseconds) / 1e18))
    }

    static func + (date: Date, duration: Duration) -> Date { date - (.zero - duration) }
}
