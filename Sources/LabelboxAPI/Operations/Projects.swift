public import DataRows

/// A project, as far as its rows are concerned.
public struct ProjectInfo: Hashable, Sendable {
    public let id: ProjectID
    public let name: String

    /// Creates a project as a server would show it.
    public init(id: ProjectID, name: String) {
        self.id = id
        self.name = name
    }
}

extension LabelboxClient {
    /// A project; nil when there is none with this id.
    public func project(_ id: ProjectID) async throws(LabelboxError) -> ProjectInfo? {
        do throws(LabelboxError) {
            return try await perform(ProjectByID(id: id))
        } catch {
            if case .notFound = error.kind { return nil }
            throw error
        }
    }

    /// The datasets of a project, page by page.
    ///
    /// - Parameters:
    ///   - project: the project.
    ///   - skip: how many to leave out: the number of those that earlier pages had.
    ///   - limit: datasets a page; a shorter page is the last.
    /// - Returns: a page.
    /// - Throws: ``LabelboxError``.
    public func datasets(
        ofProject project: ProjectID, skip: Int = 0, limit: Int = 100
    ) async throws(LabelboxError) -> [DatasetInfo] {
        try await perform(DatasetsOfProject(project: project, skip: skip, limit: limit))
    }
}

private struct ProjectByID: GraphQLOperation {
    let id: ProjectID

    let name = "project"
    let kind = RequestKind.read
    let document = "query Project($id: ID!) { project(where: { id: $id }) { id name } }"
    var variables: JSONValue { ["id": .string(id.rawValue)] }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> ProjectInfo {
        let project = try data.required("project")
        return ProjectInfo(
            id: ProjectID(rawValue: try project.requiredString("id")), name: project["name"]?.text ?? "")
    }
}

private struct DatasetsOfProject: GraphQLOperation {
    let project: ProjectID
    let skip: Int
    let limit: Int

    let name = "project"
    let kind = RequestKind.read
    // Numbers stand in the text, as in Labelbox's own client: the type of `first` is none of GraphQL's.
    var document: String {
        """
        query ProjectDatasets($id: ID!) { project(where: { id: $id }) \
        { datasets(skip: \(skip), first: \(limit)) { \(DatasetInfo.fields) } } }
        """
    }
    var variables: JSONValue { ["id": .string(project.rawValue)] }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> [DatasetInfo] {
        var datasets: [DatasetInfo] = []
        for entry in try data.required("project").requiredArray("datasets") {
            datasets.append(try DatasetInfo(entry))
        }
        return datasets
    }
}
