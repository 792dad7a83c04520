/// What an operation may use besides the world.
struct RequestContext: Sendable {
    let now: Moment
    /// The uploads of this request, by the text that stands for them in the variables.
    var uploads: [String: StoredFile] = [:]
}

extension World {
    typealias Operation = @Sendable (inout World, Selected, RequestContext) throws(GraphQLError) -> Node

    /// Every root field, by name.
    private static let operations: [String: Operation] = [
        "uploadFile": { (world, field, context) throws(GraphQLError) in try world.uploadFile(field, context) },
        "upsertDataRows": { (world, field, context) throws(GraphQLError) in try world.upsertDataRows(field, context) },
        "appendRowsToDataset": { (world, field, context) throws(GraphQLError) in
            try world.appendRowsToDataset(field, context)
        },
        "appendRowsToDatasetSync": { (world, field, context) throws(GraphQLError) in
            try world.appendRowsToDatasetSync(field, context)
        },
        "createDataRow": { (world, field, context) throws(GraphQLError) in try world.createDataRow(field, context) },
        "updateDataRow": { (world, field, context) throws(GraphQLError) in try world.updateDataRow(field, context) },
        "deleteDataRows": { (world, field, context) throws(GraphQLError) in try world.deleteDataRows(field, context) },
        "createDataset": { (world, field, context) in world.createDataset(field, context) },
        "updateDataset": { (world, field, context) throws(GraphQLError) in try world.updateDataset(field, context) },
        "deleteDataset": { (world, field, context) throws(GraphQLError) in try world.deleteDataset(field, context) },
        "setSignerForDataset": { (world, field, _) throws(GraphQLError) in try world.dataset(field) },
        "cancelBulkOperationJob": { (world, field, context) throws(GraphQLError) in
            try world.cancelBulkOperationJob(field, context)
        },
        "user": { (_, _, _) in .user },
        "organization": { (_, _, _) in .organization },
        "dataset": { (world, field, _) throws(GraphQLError) in try world.dataset(field) },
        "datasets": { (world, field, _) in world.datasets(field) },
        "datasetDataRows": { (world, field, context) throws(GraphQLError) in try world.datasetDataRows(field, context)
        },
        "project": { (world, field, _) throws(GraphQLError) in try world.project(field) },
        "projects": { (world, field, _) in world.projects(field) },
        "dataRow": { (world, field, _) throws(GraphQLError) in try world.dataRow(field) },
        "externalIdsToDataRowIds": { (world, field, context) in world.externalIDsToDataRowIDs(field, context) },
        "dataRowsForGlobalKeys": { (world, field, context) in world.dataRowsForGlobalKeys(field, context) },
        "dataRowsForGlobalKeysResult": { (world, field, context) throws(GraphQLError) in
            try world.dataRowsForGlobalKeysResult(field, context)
        },
        "successesfulDataRowImports": { (world, field, _) throws(GraphQLError) in try world.successfulImports(field) },
        "failedDataRowImports": { (world, field, _) throws(GraphQLError) in try world.failedImports(field) },
        "cancelableTaskTypes": { (_, _, _) in .value(["advUpsertDataRows", "jsonImport", "exportDataRows"]) },
        "customMetadataOntology": { (world, _, _) in world.customMetadataOntology() },
        "iamIntegrations": { (_, _, _) in .list([]) },
        "embeddings": { (_, _, _) in .list([]) },
    ]

    /// Answers a query as if it had come over HTTP; for requests without uploads.
    package mutating func respond(
        to query: String, variables: JSONValue = .null, now: Moment
    ) throws(GraphQLError) -> JSONValue {
        let fields = try Planner.plan(query, variables: variables)
        let answer = answer(fields, root: "Query", RequestContext(now: now))
        guard let json = try? JSONValue(parsing: answer.body) else {
            throw GraphQLError(.internal, "the answer is no JSON")
        }
        return json
    }

    /// Answers a request's root fields in their order.
    ///
    /// A field that fails is null, and the others go on.
    mutating func answer(_ fields: [Selected], root: String, _ context: RequestContext) -> Answer {
        var data = JSONOutput()
        var errors: [JSONValue] = []
        data.raw("{")
        for (index, field) in fields.enumerated() {
            if index > 0 { data.raw(",") }
            data.string(field.key)
            data.raw(":")
            if field.name == "__typename" {
                data.string(root)
                continue
            }
            do throws(GraphQLError) {
                guard let operation = Self.operations[field.name] else {
                    throw GraphQLError(.internal, "The simulator does not answer \(field.name)")
                }
                let node = try operation(&self, field, context)
                var writer = AnswerWriter(world: self, now: context.now, output: data)
                data = JSONOutput()
                writer.write(node, field.children)
                data = writer.output
            } catch {
                data.raw("null")
                guard case .object(var members) = error.json else { continue }
                members.insert(.init("path", [.string(field.key)]), at: 1)
                errors.append(.object(members))
            }
        }
        data.raw("}")
        return Answer(data: data, errors: errors)
    }

    struct Answer: Sendable {
        let data: JSONOutput
        let errors: [JSONValue]

        /// The response's body.
        var body: [UInt8] {
            var output = JSONOutput(reserving: data.bytes.count + 64)
            output.raw("{")
            if !errors.isEmpty {
                output.raw("\"errors\":")
                output.value(.list(errors))
                output.raw(",")
            }
            output.raw("\"data\":")
            output.raw(data.bytes)
            output.raw("}")
            return output.bytes
        }
    }
}
