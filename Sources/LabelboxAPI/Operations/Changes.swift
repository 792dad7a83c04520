public import DataRows

extension LabelboxClient {
    /// The most ids that one deletion takes, by Labelbox's documentation.
    public static let mostDeletedRows = 10_000

    /// Deletes rows, with their labels, for good.
    ///
    /// Asking twice ends in the same state.
    /// - Parameters:
    ///   - ids: ``mostDeletedRows`` at most.
    ///   - once: whether it is put on the wire at most once, over a connection of its own, so that what became of it
    ///     can be found out before anything is asked again.
    /// - Returns: those that the server says are deleted.
    /// - Throws: ``LabelboxError``.
    public func deleteDataRows(
        _ ids: [DataRowID], once: Bool = false
    ) async throws(LabelboxError) -> Set<DataRowID> {
        if ids.isEmpty { return [] }
        guard ids.count <= Self.mostDeletedRows else {
            throw LabelboxError(
                .tooLarge, outcome: .failed, operation: "deleteDataRows",
                message: "\(ids.count) ids at once, and a call takes \(Self.mostDeletedRows)")
        }
        return try await perform(DeleteDataRows(ids: ids, kind: once ? .submit : .upload))
    }

    /// Changes the fields of one row that are given, and leaves the others.
    ///
    /// - Parameters:
    ///   - id: the row.
    ///   - rowData: text, a URL, or an object as JSON text.
    ///   - externalID: the new external id.
    ///   - globalKey: the new global key.
    /// - Throws: ``LabelboxError``.
    public func updateDataRow(
        _ id: DataRowID, rowData: String? = nil, externalID: String? = nil, globalKey: String? = nil
    ) async throws(LabelboxError) {
        let changes = [("rowData", rowData), ("externalId", externalID), ("globalKey", globalKey)]
            .compactMap { name, value in value.map { JSONValue.Member(name, .string($0)) } }
        _ = try await perform(UpdateDataRow(id: id, changes: changes))
    }
}

private struct DeleteDataRows: GraphQLOperation {
    let ids: [DataRowID]
    let kind: RequestKind

    let name = "deleteDataRows"
    // The client writes the ids into the document, so the type of the list is known only from there: strings.
    var document: String {
        let list = JSONValue.array(ids.map { .string($0.rawValue) }).json
        return "mutation DeleteDataRows { deleteDataRows(where: { dataRowIds: \(list) }) { id deleted } }"
    }
    let variables: JSONValue = [:]

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> Set<DataRowID> {
        var deleted: Set<DataRowID> = []
        for entry in try data.requiredArray("deleteDataRows") where entry["deleted"]?.bool == true {
            deleted.insert(DataRowID(rawValue: try entry.requiredString("id")))
        }
        return deleted
    }
}

private struct UpdateDataRow: GraphQLOperation {
    let id: DataRowID
    let changes: [JSONValue.Member]

    let name = "updateDataRow"
    let kind = RequestKind.upload
    var document: String {
        let parameters = changes.map { ", $\($0.key): String!" }.joined()
        let fields = changes.map { "\($0.key): $\($0.key)" }.joined(separator: ", ")
        return "mutation UpdateDataRow($id: ID!\(parameters)) "
            + "{ updateDataRow(where: { id: $id }, data: { \(fields) }) { id } }"
    }
    var variables: JSONValue { .object([.init("id", .string(id.rawValue))] + changes) }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> DataRowID {
        DataRowID(rawValue: try data.required("updateDataRow").requiredString("id"))
    }
}
