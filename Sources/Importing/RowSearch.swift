internal import DataRows
internal import LabelboxAPI
internal import Locking

/// Asks which rows exist, and where.
struct RowSearch: Sendable {
    let client: LabelboxClient
    /// How many rows one request asks for; halved when the server calls that too complex.
    private let rowsAtOnce = Locked(200)

    /// What the service takes in one question.
    private static let externalIDsAtOnce = 100

    init(client: LabelboxClient) { self.client = client }

    /// The datasets of those rows that exist.
    func datasets(of ids: [DataRowID]) async throws -> [DataRowID: DatasetID] {
        try await inParts(ids) { some throws(LabelboxError) in try await client.datasets(ofRows: some) }
    }

    /// What those rows hold that exist.
    func contents(of ids: [DataRowID], withAttachments: Bool) async throws -> [DataRowID: RowContents] {
        try await inParts(ids) { some throws(LabelboxError) in
            try await client.contents(ofRows: some, withAttachments: withAttachments)
        }
    }

    private func inParts<Answer>(
        _ ids: [DataRowID], _ ask: ([DataRowID]) async throws(LabelboxError) -> [DataRowID: Answer]
    ) async throws -> [DataRowID: Answer] {
        var found: [DataRowID: Answer] = [:]
        var rest = ids[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(rowsAtOnce.withLock { $0 }))
            do throws(LabelboxError) {
                found.merge(try await ask(some)) { first, _ in first }
            } catch {
                guard error.kind == .queryTooComplex, some.count > 1 else { throw error }
                rowsAtOnce.withLock { $0 = max(1, min($0, some.count) / 2) }
                continue
            }
            rest = rest.dropFirst(some.count)
        }
        return found
    }

    /// The rows with some external ids, in all datasets.
    func rows(withExternalIDs externalIDs: [ExactName]) async throws -> [ExactName: [DataRowID]] {
        var found: [ExactName: [DataRowID]] = [:]
        var rest = externalIDs[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(Self.externalIDsAtOnce))
            rest = rest.dropFirst(some.count)
            found.merge(try await client.dataRowIDs(forExternalIDs: some)) { first, _ in first }
        }
        return found
    }
}
