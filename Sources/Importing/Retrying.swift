internal import DataRows
internal import Foundation
internal import Intake
public import Ledger
internal import SystemPackage

/// Why an import is not cancelled or taken up again; a sentence for who asked.
public struct ControlRefusal: Error, Sendable {
    public let reason: String
}

extension Importer {
    /// Ends an import as far as it has not been handed over.
    ///
    /// - Parameters:
    ///   - request: Names the import, and who asked.
    ///   - isStill: Whether no request is under way to Labelbox, and none may start.
    /// - Returns: What was done, as a sentence without its full stop.
    /// - Throws: ``ControlRefusal``, and what the ledger throws.
    public func cancel(_ request: RecordedRequest, isStill: () -> Bool) async throws -> String {
        let record = try await named(request)
        let now = parts.clock.now
        let reason = "\(request.by) cancelled it at \(Self.time(now))"
        let cancellation = try await parts.ledger.cancel(record.id, reason: reason, at: now)
        context.callOffs.callOff(cancellation.calledOff)
        // Calls that wait for a pause or an outage to end are not made any more; one that is under way is let be.
        if isStill() { context.callOffs.callOff(cancellation.called) }
        wake()
        switch cancellation.found {
        case .ended(.cancelled), .cancelledBefore: return "\(record.path) was cancelled before"
        case .ended(let state):
            throw ControlRefusal(reason: "\(record.path) has ended: \(state.rawValue); there is nothing to cancel")
        case .underWay:
            let rest = cancellation.followedRows
            return rest == 0
                ? "\(record.path) is cancelled"
                : "\(record.path) is cancelled; \(rest) rows are at Labelbox already and are followed"
        }
    }

    /// Takes an import up again that has ended, from its file as it was put away: as a new import of the same bytes.
    ///
    /// Its keys follow from the bytes, so rows that are there already are found to be, and none is made twice.
    /// - Returns: What was done, as a sentence without its full stop.
    public func retry(_ request: RecordedRequest) async throws -> String {
        let record = try await named(request)
        let failedOnly = request.request.failedOnly == true
        guard record.phase == .closed else {
            throw ControlRefusal(reason: "\(record.path) has not ended yet; cancel it first, or wait")
        }
        guard record.state != .complete else {
            throw ControlRefusal(reason: "\(record.path) is complete; there is nothing to take up again")
        }
        guard let watch = board[record.watch] else {
            throw ControlRefusal(reason: "its watch '\(record.watch)' is not configured any more; add it again")
        }
        let (source, path) = try self.source(of: record, failedOnly: failedOnly, in: watch)
        if !failedOnly, record.rows.succeeded > 0, Self.sendsNoKeys(record) {
            throw ControlRefusal(
                reason:
                    "\(record.path) has rows without global keys, and \(record.rows.succeeded) of its rows are there: "
                    + "they would be made twice; retry it with --failed-only, or drop what is missing")
        }
        // From the request, so that the same request never makes two.
        let asked = Date(timeIntervalSince1970: request.request.askedAt)
        let number = request.request.id.utf8.reduce(UInt64(14_695_981_039_346_656_037)) {
            ($0 ^ UInt64($1)) &* 1_099_511_628_211
        }
        let id = ImportIdentifiers(random: { number }).next(at: asked)
        if try await parts.ledger.find(id) == nil {
            let others = try await parts.ledger.find(watch: record.watch, path: path)
            if let other = others.first(where: { $0.retryOf == record.id && $0.phase != .closed }) {
                return "\(record.path) is being taken up again already, as import \(other.id)"
            }
            let claim: Claim
            do { claim = try await watch.folder.claimAgain(source, as: path, id: id) } catch {
                throw ControlRefusal(reason: "\(source) cannot be taken up again: \(error)")
            }
            let now = parts.clock.now
            try await parts.ledger.open(
                [
                    NewImport(
                        id: id, watch: record.watch, path: path, claimedPath: claim.path, bytes: claim.size,
                        seenAt: now, retryOf: record.id)
                ], at: now)
            context.observer.claimed(watch: record.watch, id: id, path: path)
        }
        try await fetchMedia(of: record, back: watch)
        wake()
        return "\(record.path) is taken up again as import \(id)"
    }

    // MARK: -

    private func named(_ request: RecordedRequest) async throws -> ImportRecord {
        guard let id = request.request.importID, let record = try await parts.ledger.find(ImportID(rawValue: id)) else {
            throw ControlRefusal(reason: "there is no import '\(request.request.importID ?? "")'")
        }
        return record
    }

    /// The file to be read again, and the path beneath the watch that it stands for.
    private func source(
        of record: ImportRecord, failedOnly: Bool, in watch: ImportWatch
    ) throws -> (FilePath, FilePath) {
        if failedOnly {
            guard let file = record.failedRowsPath, let name = file.lastComponent else {
                throw ControlRefusal(
                    reason: "no row of \(record.path) failed by itself; retry it without --failed-only")
            }
            return (file, record.path.removingLastComponent().appending(name))
        }
        if let file = record.destination { return (file, record.path) }
        // It stays where it was dropped, or was deleted.
        return (watch.folder.settings.path.pushing(record.path), record.path)
    }

    private static func sendsNoKeys(_ record: ImportRecord) -> Bool {
        record.instructions.flatMap { try? Instructions.decode($0) }?.policy.globalKey == .off
    }

    /// Moves the media back that was put away with the import; what is there already stays.
    private func fetchMedia(of record: ImportRecord, back watch: ImportWatch) async throws {
        let files = try await parts.ledger.mediaPutAway(of: record.id)
        guard !files.isEmpty else { return }
        var rest = files[...]
        while !rest.isEmpty {
            let some = rest.prefix(500)
            rest = rest.dropFirst(500)
            let moves = some.map {
                PutAway(from: $0.destination, to: watch.folder.settings.path.appending($0.path.components))
            }
            for (move, result) in zip(moves, await watch.folder.putAway(moves)) {
                guard case .failure(let error) = result else { continue }
                context.observer.notTaken(watch: record.watch, path: move.from, error: error)
            }
        }
        try await parts.ledger.forgetMediaPutAway(of: record.id)
    }

    private static func time(_ date: Date) -> String { ISO8601DateFormatter().string(from: date) }
}
