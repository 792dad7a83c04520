internal import Account
internal import DataRows
internal import Files
internal import Foundation
internal import Importing
internal import Intake
internal import LabelboxAPI
internal import Ledger
internal import Logging
internal import Reporting
internal import Settings
internal import SystemPackage

/// The steps of starting, each with the failure that it may end in.
enum Startup {
    /// Makes the state directory and takes its lock.
    static func prepare(_ state: FilePath) throws(StartFailure) -> InstanceLock {
        HeapTuning.keepSmall()
        // The key is in this process's memory, and perhaps in its environment.
        ProcessSecrecy.guardMemory()
        ProcessSecrecy.guardFiles()
        do {
            try DurableRename.createFolder(state)
            for name in ["status", "results", "failed", "archive", "work", "claimed", "locks"] {
                try DurableRename.createFolder(state.appending(name))
            }
            try FileSpool(state.appending(StateDirectory.requests)).prepare()
            let making = state.appending(StateDirectory.making)
            try DurableRename.createFolder(making)
            let lock = try InstanceLock(state.appending("lock"))
            try TemporaryName.sweep(making)
            return lock
        } catch {
            throw failure(of: error)
        }
    }

    /// Opens the ledger; says whether it should be examined later, since that takes too long now.
    ///
    /// Sums of pages do not tell a page of an older version that was put back, and what is on it would be done again or
    /// never: that shows only when everything is read. Up to some size it is read before anything is done.
    static func openLedger(
        at path: FilePath, logger: Logger
    ) async throws(StartFailure) -> (SQLiteLedger, isExaminedLater: Bool) {
        do throws(LedgerError) {
            let isSmall = size(path) <= smallLedger
            if isSmall, let found = try await examination(of: path) {
                if let why = found.damage.first { throw .corrupt(path: path.string, why: why) }
                for contradiction in found.contradictions {
                    logger.error(
                        "Ledger does not add up",
                        metadata: ["reason": "\(contradiction); datarowctl doctor tells more"])
                }
            }
            let hasLog = size(FilePath(path.string + "-wal")) > 0
            return (try SQLiteLedger.open(at: path), isExaminedLater: !isSmall && hasLog)
        } catch {
            throw failure(of: error)
        }
    }

    /// So much is read from end to end in a fraction of a second.
    private static let smallLedger: Int64 = 64 << 20

    private static func size(_ path: FilePath) -> Int64 { (try? FileLook.at(path).identity.size) ?? 0 }

    /// What there is to be found; nil for a ledger that is new, or of an older version.
    private static func examination(of path: FilePath) async throws(LedgerError) -> LedgerExamination? {
        do throws(LedgerError) { return try await LedgerExamination.of(path, looksAtFiles: false) } catch {
            switch error {
            case .unknown, .unavailable: return nil
            default: throw error
            }
        }
    }

    /// Sets up the way to Labelbox, on which work waits for as long as it takes.
    ///
    /// In the state directory it is remembered when requests began, for a start within the same minute.
    static func account(
        _ settings: LabelboxSettings, state: FilePath, environment: [String: String], clock: ContinuousClock,
        witness: RequestWitness, noticed: @escaping @Sendable (RequestKind, LabelboxError, _ isRetried: Bool) -> Void
    ) throws(StartFailure) -> AccountConnection {
        do {
            return try AccountConnection(
                settings, environment: environment, userAgent: "datarowd/\(DatarowDaemon.version)", clock: clock,
                unixTime: { Int64(Date().timeIntervalSince1970) }, maximumConnections: mostConnections,
                memory: StartLog(
                    state.appending("request-starts"), limit: settings.requestsPerMinute, boot: BootID.current(),
                    now: { StartLog.timeSinceBoot() }),
                witness: witness,
                gate: { PacedRequests(pacer: $0, noticed: noticed) })
        } catch {
            throw StartFailure(.configuration, "the transport cannot be set up: \(error)")
        }
    }

    /// Tells the metrics and the plots what moves on the way to Labelbox.
    static func witness(
        _ observer: ImportObserver, _ activity: Activity, now: @escaping @Sendable () -> Duration
    ) -> RequestWitness {
        RequestWitness(
            now: now,
            moved: { sent, received in
                observer.moved(sentBytes: sent, receivedBytes: received)
                if sent > 0 { activity.sent(bytes: sent) }
            },
            ended: { operation, outcome, took in
                observer.requestEnded(operation: operation, outcome: outcome, took: took)
                activity.requestEnded()
            })
    }

    /// As many as the configuration allows at most, since it may be changed while the daemon runs.
    private static let mostConnections = 20

    /// Opens the drop folders.
    ///
    /// One that is missing is waited for; one that another daemon has is an error.
    static func watches(
        _ settings: Settings, folder: (WatchSettings, Settings) -> DropFolder
    ) async throws(StartFailure) -> [ImportWatch] {
        var watches: [ImportWatch] = []
        for watch in settings.watches {
            let folder = folder(watch, settings)
            do { try await folder.start() } catch { throw failure(of: error) }
            watches.append(watch.importWatch(folder, submitWith: settings.labelbox.handover))
        }
        return watches
    }

    /// Unique for each start of a process.
    static func ownerName() -> String {
        "\(ProcessInfo.processInfo.hostName):\(getpid()):\(UUID().uuidString.lowercased())"
    }

    static func failure(of error: any Error) -> StartFailure {
        let code: ExitCode =
            switch error {
            case let error as StartFailure: error.code
            case let error as LedgerError:
                switch error {
                case .corrupt, .newer: .ledger
                case .unavailable: .inputOutput
                case .leaseLost, .unknown, .defect: .defect
                }
            case let error as FileError:
                error.errno == .permissionDenied || error.errno == .notPermitted ? .permission : .inputOutput
            case let error as InstanceLock.Failure:
                switch error {
                case .held: .inputOutput
                case .failed(let cause): failure(of: cause).code
                }
            default: .inputOutput
            }
        return StartFailure(code, "\(error)")
    }
}

extension LabelboxSettings {
    /// The mutation, in the ledger's words.
    var handover: Ledger.SubmitMutation {
        switch submitWith {
        case .upsertDataRows: .upsertDataRows
        case .appendRowsToDataset: .appendRowsToDataset
        case .createDataRow: .createDataRow
        }
    }
}

extension WatchSettings {
    /// What the drop folder needs to know.
    func folderSettings(stateDirectory: FilePath) -> DropFolderSettings {
        var settings = DropFolderSettings(name: name, path: path, stateDirectory: stateDirectory)
        settings.recursive = recursive
        settings.settle = settle
        settings.rescan = rescan
        settings.poll = poll
        settings.ignore = ignore.map(Glob.init)
        settings.manifests = manifests.map(Glob.init)
        settings.looseMedia = looseMedia == .import ? .import : .ignore
        settings.media = mediaRules
        settings.mediaGrace = mediaGrace
        settings.mediaWait = mediaWait
        settings.mediaRoots = mediaRoots
        settings.afterImport =
            switch afterImport {
            case .archive: .archive
            case .delete: .delete
            case .keep: .keep
            }
        return settings
    }

    /// What the importer needs to know.
    func importWatch(_ folder: DropFolder, submitWith: Ledger.SubmitMutation) -> ImportWatch {
        ImportWatch(
            folder: folder, datasetID: DatasetID(rawValue: dataset),
            operations: Set(operations.compactMap { DataRows.RowOperation(rawValue: $0.rawValue) }),
            policy: rowPolicy, media: mediaRules, skipsUnchangedRows: unchangedRows == .skip,
            invalidRows: onInvalidRow == .reject ? .reject : .skip,
            maximumRowsPerTask: min(maxRowsPerTask, Importer.mostRows(for: submitWith)),
            deletesPerRequest: deletesPerRequest, linger: linger, maximumManifestBytes: maxManifestSize,
            mediaURLAge: mediaURLAge)
    }
}
