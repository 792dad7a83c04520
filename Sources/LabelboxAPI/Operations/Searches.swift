public import DataRows

extension LabelboxClient {
    /// The datasets of the organization, or those with exactly this name, page by page.
    ///
    /// - Parameters:
    ///   - name: nil for all.
    ///   - skip: how many to leave out: the number of those that earlier pages had.
    ///   - limit: datasets a page; a shorter page is the last.
    /// - Returns: a page.
    /// - Throws: ``LabelboxError``.
    public func datasets(
        named name: String? = nil, skip: Int = 0, limit: Int = 100
    ) async throws(LabelboxError) -> [DatasetInfo] {
        try await perform(Datasets(datasetName: name, skip: skip, limit: limit))
    }

    /// The rows with these external ids, over all datasets.
    ///
    /// External ids are not unique, so one can have several rows.
    /// - Parameter ids: 100 at a time, by the API.
    /// - Returns: the rows of each id that has any.
    /// - Throws: ``LabelboxError``.
    public func dataRowIDs(
        forExternalIDs ids: [ExactName]
    ) async throws(LabelboxError) -> [ExactName: [DataRowID]] {
        if ids.isEmpty { return [:] }
        return try await perform(ExternalIDs(ids: ids))
    }

    /// The newest tasks of a user: where a submit whose answer was lost can show up.
    ///
    /// A task does not say what it imports, and can appear late.
    public func recentTasks(user: UserID, skip: Int = 0, limit: Int = 100) async throws(LabelboxError) -> [TaskSnapshot]
    {
        try await perform(RecentTasks(user: user, skip: skip, limit: limit))
    }

    /// The first rows of each dataset of a project; the API has no cursor for more.
    ///
    /// - Parameters:
    ///   - project: the project's id.
    ///   - limit: rows a dataset.
    /// - Returns: the rows.
    /// - Throws: ``LabelboxError``.
    public func dataRows(ofProject project: ProjectID, limit: Int = 100) async throws(LabelboxError) -> [ListedRow] {
        try await perform(ProjectRows(project: project, limit: limit))
    }
}

private struct Datasets: GraphQLOperation {
    let datasetName: String?
    let skip: Int
    let limit: Int

    let name = "datasets"
    let kind = RequestKind.read

    var document: String {
        let (parameter, condition) = datasetName == nil ? ("", "") : ("$name: String!, ", "{ name: $name }, ")
        // Numbers stand in the text, as in Labelbox's own client: the type of `first` is none of GraphQL's.
        return "query Datasets(\(parameter)$deleted: Boolean!) { datasets(where: "
            + "{ AND: [\(condition){ deleted: $deleted }] }, skip: \(skip), first: \(limit)) { \(DatasetInfo.fields) } }"
    }

    var variables: JSONValue {
        .object(
            (datasetName.map { [.init("name", .string($0))] } ?? []) + [.init("deleted", false)])
    }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> [DatasetInfo] {
        var datasets: [DatasetInfo] = []
        for entry in try data.requiredArray("datasets") { datasets.append(try DatasetInfo(entry)) }
        return datasets
    }
}

private struct ExternalIDs: GraphQLOperation {
    let ids: [ExactName]

    let name = "externalIdsToDataRowIds"
    let kind = RequestKind.read
    let document =
        "query ExternalIDs($ids: [String!]!) { externalIdsToDataRowIds(externalId_in: $ids) { dataRowId externalId } }"
    var variables: JSONValue { ["ids": .array(ids.map { .string($0.text) })] }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> [ExactName: [DataRowID]] {
        var rows: [ExactName: [DataRowID]] = [:]
        for entry in try data.requiredArray("externalIdsToDataRowIds") {
            rows[ExactName(try entry.requiredString("externalId")), default: []]
                .append(DataRowID(rawValue: try entry.requiredString("dataRowId")))
        }
        return rows
    }
}

private struct RecentTasks: GraphQLOperation {
    let user: UserID
    let skip: Int
    let limit: Int

    let name = "createdTasks"
    let kind = RequestKind.read
    let document = """
        query RecentTasks($user: ID!, $skip: Int, $first: Int) { user(where: { id: $user }) \
        { createdTasks(skip: $skip, first: $first, orderBy: createdAt_DESC) { \(TaskSnapshot.fields) } } }
        """
    var variables: JSONValue {
        ["user": .string(user.rawValue), "skip": .number(String(skip)), "first": .number(String(limit))]
    }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> [TaskSnapshot] {
        var tasks: [TaskSnapshot] = []
        for entry in try data.required("user").requiredArray("createdTasks") { tasks.append(try TaskSnapshot(entry)) }
        return tasks
    }
}

private struct ProjectRows: GraphQLOperation {
    let project: ProjectID
    let limit: Int

    let name = "project"
    let kind = RequestKind.read
    let document = """
        query ProjectRows($id: ID!, $first: Int) { project(where: { id: $id }) \
        { datasets { dataRows(first: $first) { id externalId globalKey rowData } } } }
        """
    var variables: JSONValue { ["id": .string(project.rawValue), "first": .number(String(limit))] }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> [ListedRow] {
        var rows: [ListedRow] = []
        for dataset in try data.required("project").requiredArray("datasets") {
            for node in try dataset.requiredArray("dataRows") { rows.append(try ListedRow(node)) }
        }
        return rows
    }
}
