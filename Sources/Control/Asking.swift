public import DataRows
internal import Files
public import Foundation
public import Ledger
internal import Reporting
internal import SystemPackage

/// Asks the daemon for something, durably: a file in the state directory that the daemon takes into its ledger.
///
/// It works while the daemon is down, too: then it is taken up at the next start.
public struct Asking: Sendable {
    private let state: StateFolder
    private let spool: FileSpool

    /// Asks the daemon of a state directory.
    public init(_ state: StateFolder) {
        self.state = state
        spool = FileSpool(state.path.appending(StateDirectory.requests))
    }

    /// Puts a request, and returns its id when it is durable.
    public func ask(
        _ verb: OperatorVerb, watch: String? = nil, importID: ImportID? = nil, failedOnly: Bool? = nil, at now: Date
    ) throws(ControlError) -> String {
        // In the order of time, so that they are taken in the order in which they were asked.
        let milliseconds = String(Int(now.timeIntervalSince1970 * 1_000))
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        let id = "\(milliseconds)-\(digits)"
        let request = OperatorRequest(
            id: id, verb: verb, watch: watch, importID: importID, failedOnly: failedOnly, askedAt: now)
        do {
            try spool.put(try RequestFile.bytes(of: request), named: "\(id).json")
        } catch {
            throw Self.trouble(error, spool.folder)
        }
        // Without it the daemon looks within a minute.
        try? FileBell.ring(spool.folder.appending(StateDirectory.requestBell))
        return id
    }

    /// What came of a request; `nil` while nothing did.
    public func outcome(of id: String) async throws -> RecordedRequest? {
        guard let request = try await state.ledger.request(id), request.state != .open else { return nil }
        return request
    }

    /// Returns once the daemon's status is of after `instant`, or when `limit` is over: it is written once a second.
    ///
    /// Who waited for a pause and then asks for the status is to be told of the pause.
    public func statusFollows(_ instant: Date, within limit: Duration = .seconds(3)) async throws {
        let clock = ContinuousClock()
        let end = clock.now + limit
        while clock.now < end {
            let updated = state.rereadingDaemon().daemon.flatMap { Timestamp.date($0.updatedAt) }
            if let updated, updated > instant { return }
            try await clock.sleep(for: .milliseconds(50))
        }
    }

    private static func trouble(_ error: any Error, _ folder: FilePath) -> ControlError {
        guard let error = error as? FileError else {
            return ControlError("request", why: "\(error)", hint: "report this as a defect", status: .software)
        }
        switch error.errno {
        case .permissionDenied, .notPermitted:
            return ControlError(
                folder.string, why: "you may not put requests there",
                hint: "run datarowctl as root, or as a user of the daemon's group", status: .noPermission)
        case .noSuchFileOrDirectory:
            return ControlError(
                folder.string, why: "it is not there: the daemon has not run with this state directory",
                hint: "start datarowd once", status: .noInput)
        default: return ControlError(folder.string, why: "\(error)", hint: "", status: .io)
        }
    }
}
