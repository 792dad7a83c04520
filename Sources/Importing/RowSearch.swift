internal import DataRows
internal import LabelboxAPI
internal import Locking

/// Asks which rows exist, and where.
struct RowSearch: Sendable {
    let client: LabelboxClient
    /// How many rows one request asks for; halved when the server calls that too complex.
    private let rowsAtOnce = Locked(100)

    /// What the service takes in one question.
    private static let externalIDsAtOnce = 100

    init(client: LabelboxClient) { self.client = client }

    /// The datasets of those rows that exist.
    func datasets(of ids: [DataRowID]) async throws -> [DataRowID: DatasetID] {
        var found: [DataRowID: DatasetID] = [:]
        var rest = ids[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(rowsAtOnce.withLock { $0 }))
            do {
                found.merge(try await client.datasets(ofRows: some)) { first, _ in first }
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
    func rows(withExternalIDs externalIDs: [String]) async throws -> [String: [DataRowID]] {
        var found: [String: [DataRowID]] = [:]
        var rest = externalIDs[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(Self.externalIDsAtOnce))
            rest = rest.dropFirst(some.count)
            found.merge(try await client.dataRowIDs(forExternalIDs: some)) { first, _ in first }
        }
        return found
    }
}
