public import DataRows

extension LabelboxClient {
    /// Starts the import of every row in the chunks that an upload manifest lists.
    ///
    /// Nothing in the call identifies it, so it is put on the wire at most once per attempt.
    public func upsertDataRows(manifestURL: String) async throws(LabelboxError) -> TaskSnapshot {
        try await perform(UpsertDataRows(manifestURL: manifestURL))
    }

    /// Starts an import in the older form: one JSON file of rows for one dataset.
    ///
    /// A refusal that came as `accepted: false` is an error of the kind `refused`, with the server's message.
    public func appendRows(to dataset: DatasetID, jsonURL: String) async throws(LabelboxError) -> TaskID {
        try await perform(AppendRows(dataset: dataset, jsonURL: jsonURL))
    }

    /// Creates one row at once, for servers that know nothing better.
    public func createDataRow(
        in dataset: DatasetID, rowData: String, externalID: String?, globalKey: String?
    ) async throws(LabelboxError) -> DataRowID {
        try await perform(
            CreateDataRow(dataset: dataset, rowData: rowData, externalID: externalID, globalKey: globalKey))
    }
}

private struct UpsertDataRows: GraphQLOperation {
    let manifestURL: String

    let name = "upsertDataRows"
    let kind = RequestKind.submit
    let document = """
        mutation UpsertDataRows($manifestUri: String!) \
        { upsertDataRows(data: { manifestUri: $manifestUri }) { \(TaskSnapshot.fields) } }
        """
    var variables: JSONValue { ["manifestUri": .string(manifestURL)] }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> TaskSnapshot {
        try TaskSnapshot(data.required("upsertDataRows"))
    }
}

private struct AppendRows: GraphQLOperation {
    let dataset: DatasetID
    let jsonURL: String

    let name = "appendRowsToDataset"
    let kind = RequestKind.submit
    let document = """
        mutation AppendRows($datasetId: ID!, $jsonUrl: String!) \
        { appendRowsToDataset(data: { datasetId: $datasetId, jsonFileUrl: $jsonUrl }) { taskId accepted errorMessage } }
        """
    var variables: JSONValue { ["datasetId": .string(dataset.rawValue), "jsonUrl": .string(jsonURL)] }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> TaskID {
        let answer = try data.required("appendRowsToDataset")
        if answer["accepted"]?.bool == false {
            throw BadAnswer(kind: .refused, message: answer["errorMessage"]?.text ?? "not accepted, without a reason")
        }
        return TaskID(rawValue: try answer.requiredID("taskId"))
    }
}

private struct CreateDataRow: GraphQLOperation {
    let dataset: DatasetID
    let rowData: String
    let externalID: String?
    let globalKey: String?

    let name = "createDataRow"
    let kind = RequestKind.submit

    // Only what is set is named: null would be a value.
    var document: String {
        var parameters = "$dataset: ID!, $rowData: String!"
        var fields = "dataset: { connect: { id: $dataset } }, rowData: $rowData"
        if externalID != nil {
            parameters += ", $externalId: String"
            fields += ", externalId: $externalId"
        }
        if globalKey != nil {
            parameters += ", $globalKey: String"
            fields += ", globalKey: $globalKey"
        }
        return "mutation CreateDataRow(\(parameters)) { createDataRow(data: { \(fields) }) { id } }"
    }

    var variables: JSONValue {
        var members: [JSONValue.Member] = [
            .init("dataset", .string(dataset.rawValue)), .init("rowData", .string(rowData)),
        ]
        if let externalID { members.append(.init("externalId", .string(externalID))) }
        if let globalKey { members.append(.init("globalKey", .string(globalKey))) }
        return .object(members)
    }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> DataRowID {
        DataRowID(rawValue: try data.required("createDataRow").requiredID("id"))
    }
}
