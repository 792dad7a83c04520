public import DataRows
public import Foundation
internal import Ledger
public import Reporting
public import SystemPackage

/// Looks at the same manifests again and again.
public struct Following: Sendable {
    /// A manifest and what is known of it so far.
    public enum Subject: Sendable {
        /// As an operator named it; found again at each look until it is claimed.
        case name(ManifestName)
        case claimed(ImportID)
        /// Dropped, and perhaps not seen by the daemon yet: any import of this path but `other`.
        case expected(watch: String, path: FilePath, other: ImportID?)
    }

    private var state: StateFolder
    private var subjects: [Subject]
    private let directory: FilePath
    private var reports: [StatusReport] = []
    private var revision: Int?

    public init(_ subjects: [Subject], in state: StateFolder, directory: FilePath) {
        self.state = state
        self.subjects = subjects
        self.directory = directory
    }

    /// Follows everything that is unfinished now, at most `limit` manifests.
    public static func unfinished(
        in state: StateFolder, directory: FilePath, limit: Int, now: Date
    ) async throws -> Following {
        var subjects = state.settling(now: now).prefix(limit)
            .map { Subject.name(ManifestName("\($0.watch):\($0.manifest)")) }
        let states = ImportState.allCases.filter { !$0.isFinal }
        let records = try await state.ledger.imports(ImportFilter(states: states, limit: limit - subjects.count))
        subjects += records.map { .claimed($0.id) }
        return Following(subjects, in: state, directory: directory)
    }

    /// Whether there is nothing to follow.
    public var isEmpty: Bool { subjects.isEmpty }

    /// The daemon's status as it is now; `nil` where there is none.
    public mutating func rereadingDaemon() -> DaemonDocument? {
        state = state.rereadingDaemon()
        return state.daemon
    }

    /// What became of each, in the same order each time.
    ///
    /// Costs one indexed row while nothing has changed.
    public mutating func look(now: Date) async throws -> [StatusReport] {
        let revision = try await state.ledger.revision()
        let isWaiting = subjects.contains { if case .claimed = $0 { false } else { true } }
        if revision == self.revision, !isWaiting { return reports }
        self.revision = revision
        if isWaiting { state = state.rereadingDaemon() }
        for index in subjects.indices {
            if index < reports.count, reports[index].state.isFinal { continue }
            let report = try await look(at: index, now: now)
            if index < reports.count { reports[index] = report } else { reports.append(report) }
        }
        return reports
    }

    private mutating func look(at index: Int, now: Date) async throws -> StatusReport {
        switch subjects[index] {
        case .claimed(let id):
            guard let record = try await state.ledger.find(id) else {
                throw ControlError(
                    id.rawValue, why: "the ledger knows it no longer", hint: "see datarowctl ls", status: .noInput)
            }
            return try await state.report(record, now: now)
        case .name(let name):
            switch try await name.find(in: state, directory: directory, now: now) {
            case .settling(let report): return report
            case .claimed(let record):
                subjects[index] = .claimed(record.id)
                return try await state.report(record, now: now)
            }
        case .expected(let watch, let path, let other):
            if let record = try await state.ledger.find(watch: watch, path: path).first, record.id != other {
                subjects[index] = .claimed(record.id)
                return try await state.report(record, now: now)
            }
            let settling = state.settling(now: now).first { $0.watch == watch && $0.manifest == path.string }
            let file = SettlingFile(
                path: path, bytes: 0, since: now, reason: "the daemon has not looked at it yet", nextLook: nil,
                isManifest: true)
            return settling ?? StatusReport(settling: file, watch: watch, now: now)
        }
    }
}
