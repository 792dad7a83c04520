public import DataRows

/// How much is asked of each row; more takes longer.
public enum RowDetail: Sendable, CaseIterable {
    /// Its id, its names and its data.
    case brief
    /// The same, and when it was created and changed.
    case dated
    /// All of that, its media's attributes and its metadata.
    case full

    /// The fields of a row in a query.
    var fields: String {
        switch self {
        case .brief: "id externalId globalKey rowData"
        case .dated: "id externalId globalKey rowData createdAt updatedAt"
        case .full:
            "id externalId globalKey rowData createdAt updatedAt mediaAttributes metadataFields { schemaId name value kind }"
        }
    }
}

/// A row as the service lists it.
public struct ListedRow: Hashable, Sendable {
    public let id: DataRowID
    public let externalID: String?
    public let globalKey: String?
    /// Text, a URL, or an object as JSON text.
    public let rowData: String?
    /// As the server writes it: RFC 3339 in UTC, to the millisecond; nil where it was not asked for.
    public let createdAt: String?
    /// The same.
    public let updatedAt: String?
    /// JSON text; nil where it was not asked for.
    public let mediaAttributes: String?
    /// JSON text of a list; nil where it was not asked for.
    public let metadataFields: String?
    /// nil where it was not asked for: who pages through a dataset knows it.
    public let dataset: DatasetID?

    /// Creates a row as a server would show it.
    public init(
        id: DataRowID, externalID: String? = nil, globalKey: String? = nil, rowData: String? = nil,
        createdAt: String? = nil, updatedAt: String? = nil, mediaAttributes: String? = nil,
        metadataFields: String? = nil, dataset: DatasetID? = nil
    ) {
        self.id = id
        self.externalID = externalID
        self.globalKey = globalKey
        self.rowData = rowData
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.mediaAttributes = mediaAttributes
        self.metadataFields = metadataFields
        self.dataset = dataset
    }

    init(_ node: JSONValue) throws(BadAnswer) {
        id = DataRowID(rawValue: try node.requiredString("id"))
        externalID = node["externalId"]?.text
        globalKey = node["globalKey"]?.text
        rowData = node["rowData"]?.text
        createdAt = node["createdAt"]?.text
        updatedAt = node["updatedAt"]?.text
        mediaAttributes = node["mediaAttributes"]?.json
        metadataFields = node["metadataFields"]?.json
        dataset = (node["dataset"]?["id"]?.string).map(DatasetID.init(rawValue:))
    }
}
