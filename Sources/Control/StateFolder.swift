internal import DataRows
public import Foundation
internal import Glibc
public import Ledger
public import Reporting
public import SystemPackage

/// The daemon's state as the operator's tool sees it: the ledger, read only, and the daemon's own status.
public struct StateFolder: Sendable {
    public let path: FilePath
    public let ledger: SQLiteLedger
    public let layout: StatusLayout
    /// The daemon's status as it was last written; `nil` where there is none.
    public let daemon: DaemonDocument?
    /// The same, as it was written.
    public let daemonBytes: [UInt8]?

    /// Opens the state in a folder.
    public static func open(_ path: FilePath) throws(ControlError) -> StateFolder {
        let layout = StatusLayout(stateDirectory: path)
        let ledger: SQLiteLedger
        do throws(LedgerError) { ledger = try SQLiteLedger.openReadOnly(at: path.appending("ledger.sqlite")) } catch {
            throw Self.refusal(path) ?? ControlError(ledger: error, state: path)
        }
        let bytes: [UInt8]?
        do throws(StatusFileError) { bytes = try daemonBytes(layout) } catch {
            throw ControlError(
                layout.daemonFile.string, why: "\(error.errno)",
                hint: "run datarowctl as a user of the daemon's group", status: .noPermission)
        }
        return StateFolder(path: path, ledger: ledger, layout: layout, daemonBytes: bytes)
    }

    /// Where this user may not look into the folder, in the words of that: nothing in it can be told to be missing then.
    private static func refusal(_ path: FilePath) -> ControlError? {
        let ledger = path.appending("ledger.sqlite")
        guard !Permissions.allow(R_OK, ledger), errno == EACCES else { return nil }
        let group = Permissions.look(path).map { " \(Permissions.groupName($0.st_gid))" } ?? ""
        return ControlError(
            "state directory \(path)", why: "you may not look into it",
            hint: "run datarowctl as root, or as a member of the daemon's group\(group)", status: .noPermission)
    }

    private init(path: FilePath, ledger: SQLiteLedger, layout: StatusLayout, daemonBytes: [UInt8]?) {
        self.path = path
        self.ledger = ledger
        self.layout = layout
        self.daemonBytes = daemonBytes
        // A file of another version is worth as much as none: the ledger tells the rest.
        daemon = daemonBytes.flatMap { try? DaemonDocument(reading: $0) }
    }

    /// The same with what the daemon wrote since.
    func rereadingDaemon() -> StateFolder {
        // What cannot be read just now was read before; the ledger tells the rest.
        let bytes = (try? Self.daemonBytes(layout)) ?? daemonBytes
        return StateFolder(path: path, ledger: ledger, layout: layout, daemonBytes: bytes)
    }

    private static func daemonBytes(_ layout: StatusLayout) throws(StatusFileError) -> [UInt8]? {
        try StatusFiles().read(layout.daemonFile, limit: 64 << 20)
    }

    /// Describes an import as its status file does.
    public func report(_ record: ImportRecord, now: Date) async throws -> StatusReport {
        var circumstances = StateSentence.Circumstances()
        if record.state == .waitingForMedia {
            circumstances.missing = try await ledger.missingMedia(of: record.id, limit: 100)
            circumstances.mediaDeadline = daemon?.watches.first { $0.name == record.watch }
                .map { record.seenAt + $0.mediaWaitSeconds }
        }
        return StatusReport(
            record, tasks: try await ledger.tasks(of: record.id), circumstances: circumstances, estimator: nil,
            now: now)
    }

    /// Manifests that are not claimed yet, as the daemon's status lists them.
    public func settling(now: Date) -> [StatusReport] {
        (daemon?.watches ?? []).flatMap { watch in
            watch.settlingFiles.compactMap(\.file).filter(\.isManifest)
                .map { StatusReport(settling: $0, watch: watch.name, now: now) }
        }
    }
}

extension ControlError {
    /// What a failing ledger means for a command.
    public init(ledger error: LedgerError, state: FilePath) {
        let what = "state directory \(state)"
        switch error {
        case .unknown:
            self.init(
                what,
                why: "there is no ledger.sqlite in it: the daemon has not run with it, or you may not look into it",
                hint: "give the right one with --state-directory or --config",
                status: .noInput)
        case .unavailable(_, let why):
            self.init(
                what, why: why, hint: "run datarowctl as a user of the daemon's group, or try again", status: .io)
        case .corrupt, .newer:
            self.init(what, why: "\(error)", hint: "", status: .data)
        case .leaseLost, .defect:
            self.init(what, why: "\(error)", hint: "report this as a defect", status: .software)
        }
    }
}
