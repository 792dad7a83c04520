internal import DataRows
internal import Files
public import Foundation
internal import Glibc
internal import Intake
internal import Ledger
internal import Reporting
public import Settings
public import SystemPackage

/// Makes a new ledger from what is left: the old one as far as it can be read, claimed manifests, statuses, results.
///
/// The new ledger is made beside the old one and put in its place when it is whole. It may be killed at any instant and
/// run again; until it is done no daemon starts.
public struct LedgerRebuild: Sendable {
    private let settings: Settings
    private let state: FilePath
    private let source: FilePath
    private let sendsAgain: Bool
    private let now: Date

    /// - Parameters:
    ///   - settings: The configuration.
    ///   - source: A ledger to read instead of the one that is there, such as a backup.
    ///   - sendsAgain: Whether manifests are sent of which nobody can tell whether they were imported.
    ///   - now: The time.
    public init(_ settings: Settings, from source: FilePath?, sendsAgain: Bool, now: Date) {
        self.settings = settings
        state = settings.stateDirectory
        self.source = source ?? settings.stateDirectory.appending("ledger.sqlite")
        self.sendsAgain = sendsAgain
        self.now = now
    }

    private var ledger: FilePath { state.appending("ledger.sqlite") }
    private var workplace: FilePath { state.appending("rebuild") }
    private var made: FilePath { workplace.appending("ledger.sqlite") }
    /// Says that the new ledger is whole, and where the old one goes.
    private var ready: FilePath { workplace.appending("ready") }

    /// Does it.
    public func run(isDryRun: Bool) async throws(ControlError) -> RebuildReport {
        do {
            return try await rebuild(isDryRun: isDryRun)
        } catch {
            switch error {
            case let error as ControlError: throw error
            case let error as LedgerError: throw ControlError(ledger: error, state: state)
            case let error as FileError:
                throw ControlError(
                    "ledger rebuild", why: "\(error)", hint: "mend that and run it again; nothing is lost",
                    status: [.permissionDenied, .notPermitted].contains(error.errno) ? .noPermission : .io)
            default:
                throw ControlError(
                    "ledger rebuild", why: "\(error)", hint: "run it again, or report this as a defect",
                    status: .software)
            }
        }
    }

    private func rebuild(isDryRun: Bool) async throws -> RebuildReport {
        let lock = try takeLock()
        defer { withExtendedLifetime(lock) {} }
        var report = RebuildReport(isDryRun: isDryRun)
        report.sendsAgain = sendsAgain
        if let aside = aside() {
            report.isResumed = true
            report.movedAside = aside
            if !isDryRun { try putInPlace(aside) }
            return report
        }
        try clearWorkplace()
        try DurableRename.createFolder(workplace)
        do {
            let new = try SQLiteLedger.open(at: made)
            try await fill(new, &report)
            try new.close()
        } catch {
            try clearWorkplace()
            throw error
        }
        guard !isDryRun else {
            try clearWorkplace()
            return report
        }
        let aside = try FreeName.at(state.appending("damaged").appending(Self.name(now))) {
            path throws(FileError) in try FileLook.exists(path)
        }
        try DiskSync().fileSystem(of: workplace)
        try AtomicFile.write(Array(aside.string.utf8), to: ready, durable: true)
        report.movedAside = LedgerFiles.all(of: ledger).contains { exists($0) } ? aside : nil
        try putInPlace(aside)
        return report
    }

    private func takeLock() throws(ControlError) -> InstanceLock {
        do throws(InstanceLock.Failure) { return try InstanceLock(state.appending("lock")) } catch {
            switch error {
            case .held(_, let pid):
                throw ControlError(
                    "ledger rebuild", why: "datarowd runs\(pid.map { " as process \($0)" } ?? "")",
                    hint: "stop it first: systemctl stop datarowd", status: .temporary)
            case .failed(let cause):
                throw ControlError(
                    "ledger rebuild", why: "\(cause)", hint: "run it as the daemon's user",
                    status: cause.errno == .permissionDenied ? .noPermission : .io)
            }
        }
    }

    // MARK: What goes into it

    private func fill(_ new: SQLiteLedger, _ report: inout RebuildReport) async throws {
        var salvage = LedgerSalvage()
        if exists(source) { salvage = try await LedgerSalvage(from: source, into: new) }
        report.isWhole = salvage.isWhole
        report.troubles = salvage.troubles
        report.contents = salvage.contents
        report.finishedFromLedger = salvage.finishedImports
        report.goneOn = salvage.unfinishedImports
        var seen: [ImportID: Date] = [:]
        report.finishedFromStatus = try await rememberStatuses(in: new, &seen)
        for watch in settings.watches {
            let layout = DropFolderLayout(
                DropFolderSettings(name: watch.name, path: watch.path, stateDirectory: state))
            var found = ClaimSequence(layout).makeIterator()
            var claims: [Claim] = []
            while let claim = found.next() { claims.append(claim) }
            // A ledger that does not know a claim would leave it for ever.
            if let failure = found.failure { throw failure }
            for claim in claims where try await new.find(claim.importID) == nil {
                try await new.open(
                    [
                        NewImport(
                            id: claim.importID, watch: watch.name, path: claim.relativePath, claimedPath: claim.path,
                            bytes: claim.size, seenAt: seen[claim.importID] ?? now,
                            origin: sendsAgain ? .sentAgain : .rebuilt)
                    ], at: now)
                report.takenUp.append("\(watch.name): \(claim.relativePath)")
            }
            report.finishedFromResults += try await rememberResults(of: watch, in: new)
            if !salvage.knowsKeptFiles, watch.afterImport == .keep {
                report.takenAsImported[watch.name] = try await keepAll(of: watch, in: new)
            }
        }
    }

    /// Takes finished imports from their statuses, and notes when the others were seen first.
    private func rememberStatuses(in new: SQLiteLedger, _ seen: inout [ImportID: Date]) async throws -> Int {
        struct Begun: Decodable {
            var id: String?
            var seen_at: String
        }
        let root = StatusLayout(stateDirectory: state).root
        guard let walk = try? FolderWalk(root) else { return 0 }
        var count = 0
        var batch: [FinishedImport] = []
        while let entry = try walk.next() {
            guard entry.kind == .regular, entry.path.string.hasSuffix(".status.json"),
                let bytes = (try? StatusFiles().read(root.pushing(entry.path), limit: 16 << 20)) ?? nil
            else { continue }
            if let finished = FinishedStatus.read(bytes)?.finished {
                batch.append(finished)
                if batch.count == 1_000 {
                    count += try await new.remember(batch)
                    batch = []
                }
            } else if let begun = try? JSONDecoder().decode(Begun.self, from: Data(bytes)), let id = begun.id {
                seen[ImportID(rawValue: id)] = Timestamp.date(begun.seen_at)
            }
        }
        return count + (try await new.remember(batch))
    }

    /// Takes finished imports from their files, where nothing else tells of them.
    private func rememberResults(of watch: WatchSettings, in new: SQLiteLedger) async throws -> Int {
        let files = FinishedResults(state: state, watch: watch.name, rules: Place.rules(of: watch, state: state))
        let results = files.results()
        let named = try await new.namedResults(among: results.map(\.file))
        var found = results.filter { !named.contains($0.file) }.compactMap { files.read($0.file, of: $0.manifest) }
        for (file, manifest) in files.failed() where try await !new.knows(watch: watch.name, path: manifest) {
            guard !found.contains(where: { $0.path == manifest }) else { continue }
            if let rejected = files.rejected(file, manifest) { found.append(rejected) }
        }
        return try await new.remember(found)
    }

    /// Takes all files of a folder where they stay as imported: what was imported must not be so again.
    private func keepAll(of watch: WatchSettings, in new: SQLiteLedger) async throws -> Int {
        let rules = Place.rules(of: watch, state: state)
        guard let walk = try? FolderWalk(watch.path) else { return 0 }
        var count = 0
        var batch: [KeptFile] = []
        while let entry = try walk.next() {
            guard entry.kind == .regular, rules.verdict(entry.path).isTaken else { continue }
            batch.append(KeptFile(path: entry.path, size: entry.identity.size, modified: entry.identity.modified))
            count += 1
            guard batch.count == 1_000 else { continue }
            try await new.recordKept(batch, watch: watch.name)
            batch = []
        }
        try await new.recordKept(batch, watch: watch.name)
        return count
    }

    // MARK: Putting it in place

    /// Where the old ledger goes, when a new one was being put in its place.
    ///
    /// Before the bar a daemon may have run since, and the new one is not that of today.
    private func aside() -> FilePath? {
        guard LedgerFiles.isBarred(ledger), let bytes = (try? StatusFiles().read(ready, limit: 4096)) ?? nil,
            !bytes.isEmpty
        else { return nil }
        return FilePath(String(decoding: bytes, as: UTF8.self))
    }

    /// Each step may have been done before.
    private func putInPlace(_ aside: FilePath) throws {
        let owner = Permissions.look(state)
        let old = LedgerFiles.all(of: ledger)
        let new = LedgerFiles.all(of: made)
        if exists(new[0]) {
            try DurableRename.createFolder(aside)
            let mark = old[3]
            if exists(mark), !LedgerFiles.isBarred(ledger) {
                try DurableRename.copy(from: mark, to: aside.appending(mark.lastComponent ?? "mark"), replacing: true)
            }
            try LedgerFiles.bar(ledger)
            for file in old.dropLast() where exists(file) {
                guard let name = file.lastComponent else { continue }
                try DurableRename.move(from: file, to: aside.appending(name), replacing: false)
            }
            for folder in [aside.removingLastComponent(), aside] { try hand(over: folder, to: owner, mode: nil) }
            try hand(over: new[0], to: owner, mode: 0o660)
            try DurableRename.move(from: new[0], to: old[0], replacing: true)
        }
        if exists(new[3]) {
            try hand(over: new[3], to: owner, mode: 0o660)
            try DurableRename.move(from: new[3], to: old[3], replacing: true)
        }
        // Statuses are written anew, as the new ledger has it.
        let layout = StatusLayout(stateDirectory: state)
        for file in [layout.revisionFile, layout.sealFile] where exists(file) { try DurableRename.remove(file) }
        try clearWorkplace()
    }

    /// What root made must be the daemon's.
    private func hand(over path: FilePath, to owner: stat?, mode: mode_t?) throws {
        if let mode { _ = path.withPlatformString { chmod($0, mode) } }
        guard geteuid() == 0, let owner else { return }
        _ = path.withPlatformString { chown($0, owner.st_uid, owner.st_gid) }
    }

    /// The file that says that all is ready goes last: without the ledger it means nothing.
    private func clearWorkplace() throws {
        guard exists(workplace) else { return }
        for file in LedgerFiles.all(of: made) + [ready] { try DurableRename.remove(file) }
        try DurableRename.removeEmptyFolder(workplace)
    }

    private func exists(_ path: FilePath) -> Bool { (try? FileLook.exists(path)) ?? false }

    private static func name(_ date: Date) -> String {
        String(Timestamp.text(date).filter { $0.isNumber || $0 == "T" }.prefix(15)) + "Z"
    }
}
