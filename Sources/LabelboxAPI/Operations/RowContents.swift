public import DataRows

/// What a row holds, as far as it can be read and compared.
public struct RowContents: Hashable, Sendable {
    public let row: ListedRow
    public let dataset: DatasetID
    public let attachments: [Attachment]

    /// Something that is shown beside a row.
    public struct Attachment: Hashable, Sendable {
        public let type: String?
        public let value: String?
        public let name: String?

        /// Creates an attachment.
        public init(type: String?, value: String?, name: String?) {
            self.type = type
            self.value = value
            self.name = name
        }
    }

    /// Creates a row's content as a server would show it.
    public init(row: ListedRow, dataset: DatasetID, attachments: [Attachment] = []) {
        self.row = row
        self.dataset = dataset
        self.attachments = attachments
    }
}

extension LabelboxClient {
    /// What rows hold; those that do not exist are left out.
    ///
    /// - Parameters:
    ///   - ids: how many the server takes is not known; a `queryTooComplex` asks for fewer.
    ///   - withAttachments: whether their attachments are asked for; else they are empty.
    /// - Returns: the content of each row that exists.
    /// - Throws: ``LabelboxError``.
    public func contents(
        ofRows ids: [DataRowID], withAttachments: Bool
    ) async throws(LabelboxError) -> [DataRowID: RowContents] {
        if ids.isEmpty { return [:] }
        return try await perform(ContentsOfRows(ids: ids, withAttachments: withAttachments))
    }

    /// In which datasets rows are; those that do not exist, or not any more, are left out.
    ///
    /// - Parameter ids: how many the server takes is not known; a `queryTooComplex` asks for fewer.
    /// - Returns: the dataset of each row that exists.
    /// - Throws: ``LabelboxError``.
    public func datasets(ofRows ids: [DataRowID]) async throws(LabelboxError) -> [DataRowID: DatasetID] {
        if ids.isEmpty { return [:] }
        return try await perform(RowPlaces(ids: ids))
    }
}

private struct RowPlaces: GraphQLOperation {
    let ids: [DataRowID]

    let name = "dataRow"
    let kind = RequestKind.read

    // The user is there in any case: an answer in which no row was found is told from one that failed as a whole.
    var document: String {
        let parameters = ids.indices.map { "$r\($0): ID!" }.joined(separator: ", ")
        let fields = ids.indices.map { "r\($0): dataRow(where: { id: $r\($0) }) { id dataset { id } }" }
        return "query RowPlaces(\(parameters)) { user { id } \(fields.joined(separator: " ")) }"
    }

    var variables: JSONValue { .object(ids.enumerated().map { .init("r\($0)", .string($1.rawValue)) }) }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> [DataRowID: DatasetID] {
        _ = try data.requiredObject("user")
        var places: [DataRowID: DatasetID] = [:]
        for (index, id) in ids.enumerated() {
            guard let row = data["r\(index)"] else {
                throw BadAnswer(message: "the answer does not say whether row \(id) exists")
            }
            if row.isNull { continue }
            guard try row.requiredString("id") == id.rawValue else {
                throw BadAnswer(message: "the answer for row \(id) is about another")
            }
            places[id] = DatasetID(rawValue: try row.required("dataset").requiredString("id"))
        }
        return places
    }
}

private struct ContentsOfRows: GraphQLOperation {
    let ids: [DataRowID]
    let withAttachments: Bool

    let name = "dataRow"
    let kind = RequestKind.read

    var document: String {
        let parameters = ids.indices.map { "$r\($0): ID!" }.joined(separator: ", ")
        let attachments = withAttachments ? " attachments { type value name }" : ""
        let fields = ids.indices.map {
            "r\($0): dataRow(where: { id: $r\($0) }) { id externalId globalKey rowData dataset { id }\(attachments) }"
        }
        return "query ContentsOfRows(\(parameters)) { user { id } \(fields.joined(separator: " ")) }"
    }

    var variables: JSONValue { .object(ids.enumerated().map { .init("r\($0)", .string($1.rawValue)) }) }

    func answer(from data: JSONValue, errors: [GraphQLError]) throws(BadAnswer) -> [DataRowID: RowContents] {
        _ = try data.requiredObject("user")
        var contents: [DataRowID: RowContents] = [:]
        for (index, id) in ids.enumerated() {
            guard let node = data["r\(index)"], !node.isNull else { continue }
            let row = try ListedRow(node)
            guard row.id == id else { throw BadAnswer(message: "the answer for row \(id) is about another") }
            contents[id] = RowContents(
                row: row, dataset: DatasetID(rawValue: try node.required("dataset").requiredString("id")),
                attachments: (node["attachments"]?.array ?? []).map {
                    RowContents.Attachment(
                        type: $0["type"]?.string, value: $0["value"]?.string, name: $0["name"]?.string)
                })
        }
        return contents
    }
}
