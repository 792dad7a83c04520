internal import DataRows
internal import Foundation
internal import LabelboxAPI
internal import Ledger

/// Finds out what is there before rows are changed.
///
/// The server says of a row that it was taken, and not whether it was created or updated; and given the key of a row to update
/// that does not exist, it would create one. A thousand keys cost two requests. Rows of an upsert that are as they should be
/// are left out, where that is wanted: it costs a look at each row, some hundreds in a request.
struct Changing: Sendable {
    let ledger: any LedgerStore
    let keys: KeySearch
    let rows: RowSearch
    let settling: SubmissionSettling
    let context: StageContext

    /// A row that has a name.
    private struct Named: Sendable {
        var segment: Int64
        var row: Int
        var name: Name
    }

    private enum Name: Sendable {
        case id(DataRowID)
        /// The row that is meant.
        case target(key: ExactName)
        /// A row that is new, and is refused where its key exists.
        case new(key: ExactName)

        var key: ExactName? {
            switch self {
            case .id: nil
            case .target(let key), .new(let key): key
            }
        }
    }

    /// What was found when the submission was sent first, or is found now.
    func findings(_ item: Leased<SubmissionRecord>) async throws -> Findings {
        let submission = item.item
        // Once a call was made, it may have been this submission that created what exists.
        if submission.manifestURL != nil, let known = try await ledger.findings(of: submission.id) {
            return try Findings.decode(known)
        }
        let named = try await settling.pass(submission, [Named]()) { rows, segment, row, fate, chunk in
            guard case .send(let identity) = fate else { return }
            let name: Name
            switch identity.target {
            case .id(let range)?: name = .id(DataRowID(rawValue: chunk.string(in: range)))
            case .globalKey(let range)?: name = .target(key: chunk.name(in: range))
            case nil:
                guard let range = identity.globalKey else { return }
                name = .new(key: chunk.name(in: range))
            }
            rows.append(Named(segment: segment.id, row: row, name: name))
        }
        let wanted = Set(named.compactMap(\.name.key))
        let found = wanted.isEmpty ? [:] : try await keys.find(Array(wanted))
        let isUpdate = submission.operation == RowOperation.update.rawValue
        var findings = Findings()
        for row in named {
            guard let key = row.name.key else { continue }
            let isPresent = found[key] != nil
            var isMissing = false
            if case .target = row.name { isMissing = isUpdate && !isPresent }
            findings.add(segment: row.segment, row: row.row, isPresent: isPresent, isMissing: isMissing)
        }
        if try await skipsUnchanged(submission) {
            let repeated = Self.repeated(named, found)
            for place in try await unchanged(submission, found, except: repeated) {
                findings.addUnchanged(segment: place.segment, row: place.row)
            }
        }
        try await ledger.recordFindings(item, found: try findings.encoded(), at: context.clock.now)
        return findings
    }

    // MARK: Comparing

    /// Whether rows may be left out: as is wanted, and unless what is there now is about to be changed by others.
    ///
    /// All segments of a submission agree in what is wanted: it is in their batch key.
    private func skipsUnchanged(_ submission: SubmissionRecord) async throws -> Bool {
        guard let segment = try await ledger.segments(of: submission.id, after: 0, limit: 1).first,
            try Instructions.decode(segment.instructions).skipsUnchanged ?? false
        else { return false }
        return try await !ledger.isPrecededByChanges(submission)
    }

    /// Rows that are meant more than once: which one comes last is not for us to say.
    private static func repeated(_ named: [Named], _ found: [ExactName: DataRowID]) -> Set<DataRowID> {
        var seen = Set<DataRowID>()
        var repeated = Set<DataRowID>()
        for row in named {
            let id: DataRowID? =
                switch row.name {
                case .id(let id): id
                case .target(let key): found[key]
                case .new: nil
                }
            if let id, !seen.insert(id).inserted { repeated.insert(id) }
        }
        return repeated
    }

    /// Rows that wait to be compared, all in one request.
    private struct Batch: Sendable {
        var rows: [(segment: Int64, row: Int, id: DataRowID, sent: JSONValue)] = []
        var bytes = 0
        var hasAttachments = false
        var unchanged: [(segment: Int64, row: Int)] = []

        var isFull: Bool { rows.count >= 200 || bytes >= 1 << 20 }
    }

    /// A row that is longer is sent and not compared.
    private static let longestCompared = 256 << 10

    private func unchanged(
        _ submission: SubmissionRecord, _ found: [ExactName: DataRowID], except repeated: Set<DataRowID>
    ) async throws -> [(segment: Int64, row: Int)] {
        let batch = try await settling.pass(submission, Batch()) { batch, segment, row, fate, chunk in
            guard case .send(let identity) = fate, chunk.bytes.count <= Self.longestCompared else { return }
            let id: DataRowID
            switch identity.target {
            case .id(let range)?: id = DataRowID(rawValue: chunk.string(in: range))
            case .globalKey(let range)?:
                guard let known = found[chunk.name(in: range)], !known.rawValue.isEmpty else { return }
                id = known
            case nil: return
            }
            guard !repeated.contains(id) else { return }
            // Behind the bracket of the list.
            guard let sent = try? JSONParser.parse(Array(chunk.bytes.dropFirst())) else { return }
            let (isComparable, hasAttachments) = RowComparison.comparable(sent)
            guard isComparable else { return }
            batch.rows.append((segment.id, row, id, sent))
            batch.bytes += chunk.bytes.count
            if hasAttachments { batch.hasAttachments = true }
            if batch.isFull {
                let full = batch
                batch = try Workbench.wait { try await compare(full) }
            }
        }
        return try await compare(batch).unchanged
    }

    private func compare(_ batch: Batch) async throws -> Batch {
        var rest = Batch()
        rest.unchanged = batch.unchanged
        guard !batch.rows.isEmpty else { return rest }
        let contents = try await rows.contents(of: batch.rows.map(\.id), withAttachments: batch.hasAttachments)
        for row in batch.rows {
            guard let current = contents[row.id], RowComparison.isUnchanged(row.sent, current) else { continue }
            rest.unchanged.append((row.segment, row.row))
        }
        return rest
    }
}
