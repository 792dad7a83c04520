internal import DataRows
internal import Foundation
internal import Ledger
internal import Results

/// Which rows a submission deletes: what its names meant when they were looked up.
///
/// It is kept with the submission before anything is deleted, and never made anew afterwards: once its row is deleted, a
/// global key can be given to another row, and that one nobody asked to delete.
struct Deletion: Codable, Sendable, Equatable {
    /// What one row of a manifest means.
    struct Entry: Codable, Sendable, Equatable {
        var segment: Int64
        var row: Int
        /// The row to delete; it was in the dataset when it was looked up.
        var id: DataRowID?
        /// Why there is none, where there is none.
        var code: String?
        var message: String?
    }

    var entries: [Entry] = []

    /// The rows to delete, each once.
    var ids: [DataRowID] {
        var seen = Set<DataRowID>()
        return entries.compactMap(\.id).filter { seen.insert($0).inserted }
    }

    /// The entries by segment and row.
    var bySegment: [Int64: [Int: Entry]] {
        Dictionary(grouping: entries, by: \.segment).mapValues { entries in
            Dictionary(entries.map { ($0.row, $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    func encoded() throws -> Data { try JSONEncoder().encode(self) }

    static func decode(_ data: Data) throws -> Deletion { try JSONDecoder().decode(Deletion.self, from: data) }
}

/// A row of a manifest that names a row to delete.
struct DeletionRequest: Sendable {
    var segment: Int64
    var row: Int
    var target: RowTarget
}

/// Finds out which rows are meant by those who ask for their deletion.
struct DeletionLookup: Sendable {
    let keys: KeySearch
    let rows: RowSearch

    /// With more rows than this in all datasets, an external id is not looked into.
    private static let mostNamesakes = 1_000
    /// So many ids stand in a message.
    private static let mostListed = 20

    /// Looks every name up, and that the row is in the dataset: a deletion cannot be undone.
    func look(up requests: [DeletionRequest], in dataset: DatasetID) async throws -> Deletion {
        var names = Names()
        for request in requests { names.add(request.target) }
        let byKey = try await keys.find(Array(names.keys))
        let byExternalID = try await rows.rows(withExternalIDs: Array(names.externalIDs))
        let candidates =
            names.ids + byKey.values.filter { !$0.rawValue.isEmpty }
            + byExternalID.values.filter { $0.count <= Self.mostNamesakes }.joined()
        let places = try await rows.datasets(of: Array(Set(candidates)))

        return Deletion(
            entries: requests.map { request in
                let meaning =
                    switch request.target {
                    case .id(let id): Self.row(DataRowID(rawValue: id), "the id '\(id)'", places, dataset)
                    case .globalKey(let key):
                        byKey[ExactName(key)].map { Self.row($0, "the global key '\(key)'", places, dataset) }
                            ?? .missing("there is no row with the global key '\(key)'")
                    case .externalID(let name): Self.row(byExternalID[ExactName(name)] ?? [], name, places, dataset)
                    }
                var entry = Deletion.Entry(segment: request.segment, row: request.row)
                switch meaning {
                case .row(let id): entry.id = id
                case .nothing(let code, let message): (entry.code, entry.message) = (code, message)
                }
                return entry
            })
    }

    /// The names of each kind.
    private struct Names {
        var ids: [DataRowID] = []
        var keys = Set<ExactName>()
        var externalIDs = Set<ExactName>()

        mutating func add(_ target: RowTarget) {
            switch target {
            case .id(let id): ids.append(DataRowID(rawValue: id))
            case .globalKey(let key): keys.insert(ExactName(key))
            case .externalID(let name): externalIDs.insert(ExactName(name))
            }
        }
    }

    private enum Meaning {
        case row(DataRowID)
        case nothing(code: String, message: String)

        static func missing(_ what: String) -> Meaning {
            .nothing(
                code: "not_found",
                message: "\(what): it was deleted before, never was, or is so new that it cannot be found yet")
        }
    }

    /// What a name that only one row can have means.
    private static func row(
        _ id: DataRowID, _ name: String, _ places: [DataRowID: DatasetID], _ dataset: DatasetID
    ) -> Meaning {
        if id.rawValue.isEmpty {
            return .nothing(code: "permission", message: "this API key may not see the row with \(name)")
        }
        guard let place = places[id] else { return .missing("there is no row with \(name)") }
        guard place == dataset else {
            return .nothing(
                code: "other_dataset",
                message: "the row with \(name) is in dataset '\(place)' and not in '\(dataset)', and was left alone; "
                    + "name its dataset in \"dataset_id\" to delete it")
        }
        return .row(id)
    }

    /// What an external id means, of all the rows that have it.
    private static func row(
        _ namesakes: [DataRowID], _ name: String, _ places: [DataRowID: DatasetID], _ dataset: DatasetID
    ) -> Meaning {
        guard namesakes.count <= mostNamesakes else {
            return .nothing(
                code: "several_matches",
                message: "\(namesakes.count) rows have the external id '\(name)', and none was deleted; "
                    + "name those that are meant by their ids or global keys")
        }
        let here = namesakes.filter { places[$0] == dataset }
        if here.count == 1 { return .row(here[0]) }
        guard here.isEmpty else {
            let list = here.prefix(mostListed).map(\.rawValue).joined(separator: ", ")
            let more = here.count > mostListed ? " and \(here.count - mostListed) more" : ""
            return .nothing(
                code: "several_matches",
                message: "\(here.count) rows of the dataset have the external id '\(name)', and none was deleted: "
                    + "\(list)\(more); name those that are meant by {\"id\": \"…\"}")
        }
        let elsewhere = namesakes.filter { places[$0] != nil }.count
        if elsewhere == 0 { return .missing("no row of the dataset has the external id '\(name)'") }
        return .nothing(
            code: "not_found",
            message: "no row of the dataset has the external id '\(name)'; of other datasets "
                + "\(elsewhere == 1 ? "one row has it, which was" : "\(elsewhere) rows have it, which were") left alone"
        )
    }
}

extension Deletion.Entry {
    /// What became of the row, when what was asked for was done but for some failures.
    func line(_ names: RowNames, failures: [DataRowID: ErrorEntry]) -> ResultLine {
        let (key, externalID) = (names.globalKey?[...], names.externalID?[...])
        let failure: ResultLine.Failure?
        if let id {
            failure = failures[id].map { .init(code: $0.code, message: $0.message) }
        } else {
            failure = .init(code: code ?? "not_found", message: message ?? "")
        }
        return ResultLine(
            row: row, globalKey: key, externalID: externalID, outcome: failure == nil ? .deleted : .failed,
            dataRowID: id.map { ResultLine.quoted($0.rawValue) }, failure: failure)
    }
}
