public import DataRows

extension LabelboxClient {
    /// The types of task that may be cancelled, in the API's camel case, such as `advUpsertDataRows`.
    public func cancelableTaskTypes() async throws(LabelboxError) -> Set<String> {
        try await perform(CancelableTaskTypes())
    }

    /// Asks the server to cancel a task; it takes effect, if at all, some time later.
    ///
    /// - Parameter task: a task in progress, of a type that may be cancelled.
    /// - Returns: whether the server agreed.
    /// - Throws: ``LabelboxError``.
    public func cancelTask(_ task: TaskID) async throws(LabelboxError) -> Bool {
        try await perform(CancelTask(task: task))
    }
}

private struct CancelableTaskTypes: GraphQLOperation {
    let name = "cancelableTaskTypes"
    let kind = RequestKind.read
    let document = "query CancelableTaskTypes { cancelableTaskTypes }"
    let variables: JSONValue = [:]

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> Set<String> {
        Set(try data.requiredArray("cancelableTaskTypes").compactMap(\.string))
    }
}

private struct CancelTask: GraphQLOperation {
    let task: TaskID

    let name = "cancelBulkOperationJob"
    let kind = RequestKind.upload
    let document = "mutation CancelTask($id: ID!) { cancelBulkOperationJob(id: $id) { success } }"
    var variables: JSONValue { ["id": .string(task.rawValue)] }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> Bool {
        try data.required("cancelBulkOperationJob")["success"]?.bool ?? false
    }
}
