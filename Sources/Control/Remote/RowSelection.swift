public import DataRows
public import Foundation
internal import LabelboxAPI
internal import SystemPackage

/// Which rows are to be deleted, and finding them.
public struct RowSelection: Sendable {
    /// Named one by one.
    public var names: [RowName] = []
    /// Named in a file.
    public var lines: NameLines?
    /// Those of the dataset that were created after this.
    public var createdAfter: Date?
    /// Where external ids are looked for, or what `createdAfter` is about; `nil` for anywhere.
    public var dataset: DatasetID?

    public init() {}

    /// What the selection has come to.
    struct Found {
        let spool: RowSpool
        var missing = Missing()
        /// External ids that several rows have: nothing is done then.
        var ambiguous: [(externalID: String, rows: [DataRowID])] = []
        var ambiguousTotal = 0
    }

    /// Names that no row has, or none that may be seen.
    struct Missing {
        var total = 0
        var first: [RowName] = []

        mutating func add(_ name: RowName) {
            total += 1
            if first.count < 100 { first.append(name) }
        }
    }

    /// External ids in one question, by the API.
    private static let externalIDsAtOnce = 100
    /// Ambiguous names are kept so far.
    private static let shown = 20

    /// Finds the rows; those named by their ids are taken to be there.
    ///
    /// - Throws: ``ControlError`` or `LabelboxError`.
    mutating func find(
        by client: LabelboxClient, spoolFolder: FilePath, sleep: @escaping @Sendable (Duration) async throws -> Void
    ) async throws -> Found {
        var found = Found(spool: try RowSpool(in: spoolFolder))
        if let createdAfter, let dataset {
            let listing = RowListing(RowListing.Wish(createdAfter: createdAfter)) {
                (cursor, rows) async throws(LabelboxError) in
                try await client.dataRows(of: dataset, after: cursor, limit: rows, detail: .dated)
            }
            _ = try await listing.forEachPage { rows in
                for row in rows { try found.spool.append(.init(id: row.id, name: .id(row.id.rawValue))) }
            }
        }
        var keys: [ExactName] = []
        var externalIDs: [ExactName] = []
        var rest = names[...]
        while let name = try rest.popFirst() ?? lines?.next() {
            switch name {
            case .id(let text):
                try found.spool.append(.init(id: DataRowID(rawValue: text), name: name))
            case .globalKey(let text):
                keys.append(ExactName(text))
                if keys.count == KeyJob.keysAtOnce {
                    try await find(keys: keys, by: KeyJob(client: client, sleep: sleep), into: &found)
                    keys.removeAll()
                }
            case .externalID(let text):
                externalIDs.append(ExactName(text))
                if externalIDs.count == Self.externalIDsAtOnce {
                    try await find(externalIDs: externalIDs, by: client, into: &found)
                    externalIDs.removeAll()
                }
            }
        }
        if !keys.isEmpty { try await find(keys: keys, by: KeyJob(client: client, sleep: sleep), into: &found) }
        if !externalIDs.isEmpty { try await find(externalIDs: externalIDs, by: client, into: &found) }
        return found
    }

    private func find(keys: [ExactName], by job: KeyJob, into found: inout Found) async throws {
        let answer = try await job.run(keys)
        for key in keys {
            if let id = answer.rows[key] {
                try found.spool.append(.init(id: id, name: .globalKey(key.text)))
            } else {
                found.missing.add(.globalKey(key.text))
            }
        }
    }

    private func find(externalIDs: [ExactName], by client: LabelboxClient, into found: inout Found) async throws {
        var rows: [ExactName: [DataRowID]] = [:]
        if let dataset {
            for externalID in Set(externalIDs) {
                rows[externalID] = try await client.dataRows(
                    of: dataset, limit: Self.shown, externalID: externalID.text
                ).rows.map(\.id)
            }
        } else {
            rows = try await client.dataRowIDs(forExternalIDs: externalIDs)
        }
        for externalID in externalIDs {
            let ids = rows[externalID] ?? []
            switch ids.count {
            case 0: found.missing.add(.externalID(externalID.text))
            case 1: try found.spool.append(.init(id: ids[0], name: .externalID(externalID.text)))
            default:
                found.ambiguousTotal += 1
                if found.ambiguous.count < Self.shown {
                    found.ambiguous.append((externalID.text, Array(ids.prefix(Self.shown))))
                }
            }
        }
    }
}
