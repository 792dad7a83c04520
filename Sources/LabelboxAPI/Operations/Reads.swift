public import DataRows

/// Whose key it is.
public struct UserInfo: Hashable, Sendable {
    public let id: UserID
    public let email: String?

    /// Creates a user as a server would show it.
    public init(id: UserID, email: String? = nil) {
        self.id = id
        self.email = email
    }
}

/// A dataset, as far as it matters before rows are sent to it.
public struct DatasetInfo: Hashable, Sendable {
    public let id: DatasetID
    public let name: String
    public let rowCount: Int?
    public let description: String?
    /// As the server writes it: RFC 3339 in UTC, to the millisecond.
    public let createdAt: String?
    /// The same.
    public let updatedAt: String?

    /// Creates a dataset as a server would show it.
    public init(
        id: DatasetID, name: String, rowCount: Int? = nil, description: String? = nil, createdAt: String? = nil,
        updatedAt: String? = nil
    ) {
        self.id = id
        self.name = name
        self.rowCount = rowCount
        self.description = description
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    static let fields = "id name rowCount description createdAt updatedAt"
}

/// The metadata fields that an organization has.
public struct MetadataOntology: Hashable, Sendable {
    /// What a field can hold.
    public enum Kind: Hashable, Sendable {
        case string, number, dateTime, enumeration, embedding
        /// One that this version does not know, in the API's spelling.
        case other(String)

        init(_ text: String) {
            self =
                switch text {
                case "CustomMetadataString": .string
                case "CustomMetadataNumber": .number
                case "CustomMetadataDateTime": .dateTime
                case "CustomMetadataEnum": .enumeration
                case "CustomMetadataEmbedding": .embedding
                default: .other(text)
                }
        }
    }

    /// A field of metadata.
    public struct Field: Hashable, Sendable {
        /// What rows call `schemaId`.
        public let id: String
        public let name: String
        public let kind: Kind
        /// Whether it is Labelbox's own and not the organization's.
        public let isReserved: Bool
        /// The values of an enumeration; empty for the others.
        public let options: [Option]

        /// Creates a field.
        public init(id: String, name: String, kind: Kind, isReserved: Bool = false, options: [Option] = []) {
            self.id = id
            self.name = name
            self.kind = kind
            self.isReserved = isReserved
            self.options = options
        }
    }

    /// A value of an enumeration.
    public struct Option: Hashable, Sendable {
        public let id: String
        public let name: String

        /// Creates an option.
        public init(id: String, name: String) {
            self.id = id
            self.name = name
        }
    }

    public let fields: [Field]

    /// Creates an ontology.
    public init(fields: [Field]) { self.fields = fields }
}

extension LabelboxClient {
    /// The user whom the key belongs to.
    public func currentUser() async throws(LabelboxError) -> UserInfo {
        try await perform(CurrentUser())
    }

    /// A dataset; nil when there is none with this id.
    public func dataset(_ id: DatasetID) async throws(LabelboxError) -> DatasetInfo? {
        do throws(LabelboxError) {
            return try await perform(DatasetByID(id: id))
        } catch {
            if case .notFound = error.kind { return nil }
            throw error
        }
    }

    /// Pages through a dataset's rows, the newest first.
    ///
    /// - Parameters:
    ///   - dataset: the dataset.
    ///   - cursor: the previous page's `next`, nil for the first page.
    ///   - limit: rows a page; Labelbox's own client asks for 500.
    ///   - externalID: only rows with this external id; they are not unique.
    ///   - detail: how much of each row.
    /// - Returns: a page.
    /// - Throws: ``LabelboxError``.
    public func dataRows(
        of dataset: DatasetID, after cursor: String? = nil, limit: Int, externalID: String? = nil,
        detail: RowDetail = .brief
    ) async throws(LabelboxError) -> Page<ListedRow> {
        try await perform(
            DataRowsOfDataset(dataset: dataset, cursor: cursor, limit: limit, externalID: externalID, detail: detail))
    }

    /// One row; nil when there is none with this id.
    public func dataRow(_ id: DataRowID, detail: RowDetail = .brief) async throws(LabelboxError) -> ListedRow? {
        do throws(LabelboxError) {
            return try await perform(DataRowByID(id: id, detail: detail))
        } catch {
            if case .notFound = error.kind { return nil }
            throw error
        }
    }

    /// The metadata fields that rows may have.
    public func metadataOntology() async throws(LabelboxError) -> MetadataOntology {
        try await perform(Ontology())
    }
}

private struct CurrentUser: GraphQLOperation {
    let name = "user"
    let kind = RequestKind.read
    let document = "query CurrentUser { user { id email } }"
    let variables: JSONValue = [:]

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> UserInfo {
        let user = try data.required("user")
        return UserInfo(id: UserID(rawValue: try user.requiredID("id")), email: user["email"]?.string)
    }
}

private struct DatasetByID: GraphQLOperation {
    let id: DatasetID

    let name = "dataset"
    let kind = RequestKind.read
    let document = "query Dataset($id: ID!) { dataset(where: { id: $id }) { \(DatasetInfo.fields) } }"
    var variables: JSONValue { ["id": .string(id.rawValue)] }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> DatasetInfo {
        try DatasetInfo(data.required("dataset"))
    }
}

private struct DataRowsOfDataset: GraphQLOperation {
    let dataset: DatasetID
    let cursor: String?
    let limit: Int
    let externalID: String?
    let detail: RowDetail

    let name = "datasetDataRows"
    let kind = RequestKind.read
    var document: String {
        """
        query DataRows($id: ID!, $from: ID, $first: Int, $where: DatasetDataRowWhereInput) \
        { datasetDataRows(id: $id, from: $from, first: $first, where: $where) \
        { nodes { \(detail.fields) } pageInfo { hasNextPage startCursor } } }
        """
    }
    var variables: JSONValue {
        [
            "id": .string(dataset.rawValue), "from": cursor.map(JSONValue.string) ?? .null,
            "first": .number(String(limit)), "where": externalID.map { ["externalId": .string($0)] } ?? .null,
        ]
    }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> Page<ListedRow> {
        let list = try data.required("datasetDataRows")
        var rows: [ListedRow] = []
        for node in try list.requiredArray("nodes") { rows.append(try ListedRow(node)) }
        // Despite its name, the cursor of the next page.
        return Page(rows: rows, next: list["pageInfo"]?["startCursor"]?.text)
    }
}

private struct DataRowByID: GraphQLOperation {
    let id: DataRowID
    let detail: RowDetail

    let name = "dataRow"
    let kind = RequestKind.read
    var document: String {
        let fields = detail == .brief ? detail.fields : detail.fields + " dataset { id }"
        return "query DataRow($id: ID!) { dataRow(where: { id: $id }) { \(fields) } }"
    }
    var variables: JSONValue { ["id": .string(id.rawValue)] }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> ListedRow {
        try ListedRow(data.required("dataRow"))
    }
}

private struct Ontology: GraphQLOperation {
    let name = "customMetadataOntology"
    let kind = RequestKind.read
    let document =
        "query MetadataOntology { customMetadataOntology { id name kind reserved options { id kind name reserved } } }"
    let variables: JSONValue = [:]

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> MetadataOntology {
        var fields: [MetadataOntology.Field] = []
        for entry in try data.requiredArray("customMetadataOntology") {
            var options: [MetadataOntology.Option] = []
            for option in entry["options"]?.array ?? [] {
                options.append(
                    MetadataOntology.Option(
                        id: try option.requiredString("id"), name: try option.requiredString("name")))
            }
            fields.append(
                MetadataOntology.Field(
                    id: try entry.requiredString("id"), name: try entry.requiredString("name"),
                    kind: MetadataOntology.Kind(try entry.requiredString("kind")),
                    isReserved: entry["reserved"]?.bool ?? false, options: options))
        }
        return MetadataOntology(fields: fields)
    }
}

extension DatasetInfo {
    init(_ value: JSONValue) throws(BadAnswer) {
        id = DatasetID(rawValue: try value.requiredString("id"))
        name = value["name"]?.text ?? ""
        rowCount = value["rowCount"]?.int
        description = value["description"]?.text
        createdAt = value["createdAt"]?.text
        updatedAt = value["updatedAt"]?.text
    }
}
