public import DataRows
public import LabelboxAPI

/// What a row is called.
public enum RowName: Sendable, Hashable, CustomStringConvertible {
    case id(String)
    case globalKey(String)
    case externalID(String)

    public var description: String {
        switch self {
        case .id(let text): "data row '\(VisibleText.of(text))'"
        case .globalKey(let text): "global key '\(VisibleText.of(text))'"
        case .externalID(let text): "external id '\(VisibleText.of(text))'"
        }
    }
}

/// Finds the one row of a name.
public struct RowFinder: Sendable {
    private let client: LabelboxClient
    private let dataset: DatasetID?
    private let sleep: @Sendable (Duration) async throws -> Void

    /// How many of several matches are shown.
    private static let shown = 20

    /// - Parameters:
    ///   - client: Who is asked.
    ///   - dataset: Where the row must be; `nil` for anywhere.
    ///   - sleep: Lets time pass while the server looks global keys up.
    public init(
        client: LabelboxClient, dataset: DatasetID?,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.client = client
        self.dataset = dataset
        self.sleep = sleep
    }

    /// The row of this name.
    ///
    /// - Throws: ``ControlError`` when there is none, or for an external id when there are several: those are listed.
    public func find(_ name: RowName) async throws -> RowLine {
        do {
            switch name {
            case .id(let id):
                return try await row(DataRowID(rawValue: id), called: name)
            case .globalKey(let key):
                let found = try await KeyJob(client: client, sleep: sleep).run([ExactName(key)])
                guard let id = found.rows[ExactName(key)] else {
                    if found.denied.contains(ExactName(key)) {
                        throw ControlError(
                            "\(name)", why: "there is such a row, and this API key may not read it",
                            hint: "give the key's owner access to its dataset", status: .noPermission)
                    }
                    throw missing(name)
                }
                return try await row(id, called: name)
            case .externalID(let text):
                let rows = try await rows(externalID: text)
                guard let row = rows.first else { throw missing(name) }
                guard rows.count == 1 else { throw Self.several(rows, called: name) }
                return row
            }
        } catch let error as LabelboxError {
            throw ControlError("\(name)", error)
        }
    }

    private func row(_ id: DataRowID, called name: RowName) async throws -> RowLine {
        guard let row = try await client.dataRow(id, detail: .full) else { throw missing(name) }
        if let dataset, let its = row.dataset, its != dataset {
            throw ControlError(
                "\(name)", why: "it lies in dataset \(its), not in \(dataset)", hint: "give that one, or none",
                status: .noInput)
        }
        return RowLine(row, dataset: dataset)
    }

    private func rows(externalID: String) async throws -> [RowLine] {
        if let dataset {
            return try await client.dataRows(
                of: dataset, limit: Self.shown + 1, externalID: externalID, detail: .full
            ).rows.map { RowLine($0, dataset: dataset) }
        }
        var rows: [RowLine] = []
        for id in try await client.dataRowIDs(forExternalIDs: [ExactName(externalID)]).values.first ?? [] {
            // One that went away meanwhile is no match any more.
            if let row = try await client.dataRow(id, detail: .full) { rows.append(RowLine(row)) }
            if rows.count > Self.shown { break }
        }
        return rows
    }

    private func missing(_ name: RowName) -> ControlError {
        ControlError(
            "\(name)", why: dataset.map { "there is no such data row in dataset \($0)" } ?? "there is no such data row",
            hint: "check its spelling; a row that was just created may take seconds to be found", status: .noInput)
    }

    static func several(_ rows: [RowLine], called name: RowName) -> ControlError {
        let isMore = rows.count > shown
        let list = rows.prefix(shown).map { "\n  \($0.summary)" }.joined() + (isMore ? "\n  …" : "")
        return ControlError(
            "\(name)", why: "\(isMore ? "more than \(shown)" : "\(rows.count)") data rows have it",
            hint: "name one of them by --id:\(list)", status: .data)
    }
}

/// A look-up of global keys, which the server works on for a while.
struct KeyJob: Sendable {
    let client: LabelboxClient
    let sleep: @Sendable (Duration) async throws -> Void

    /// So many keys go into one question, as in Labelbox's own batch tool.
    static let keysAtOnce = 1_000
    /// How often an answer is asked for: a minute in all.
    private static let looks = 63

    /// - Parameter keys: ``keysAtOnce`` at most.
    /// - Returns: The rows that exist, and the keys of which reading is denied.
    /// - Throws: `LabelboxError`; ``ControlError`` when the server does not come to an end with it.
    func run(_ keys: [ExactName]) async throws -> (rows: [ExactName: DataRowID], denied: Set<ExactName>) {
        let job = try await client.startKeyLookup(keys)
        looking: for look in 0..<Self.looks {
            switch try await client.keyLookupResult(job) {
            case .done(let found, _, let denied): return (found, denied)
            case .running: try await sleep(.milliseconds(look < 5 ? 200 : 1_000))
            case .failed: break looking
            }
        }
        throw ControlError(
            "global keys", why: "the server's look-up of \(keys.count) failed or took longer than a minute",
            hint: "try again", status: .unavailable)
    }
}
