internal import DataRows
public import Reporting

/// What became of one row that was to be deleted, after docs/schemas/deletion-line.schema.json.
public struct DeletionLine: Sendable, Hashable, JSONWritable {
    /// How it ended.
    public enum Outcome: String, Sendable, CaseIterable {
        case deleted
        /// There is no such row, or this key may not see it.
        case notFound = "not_found"
        /// It is still there: the server did not say why.
        case notDeleted = "not_deleted"
        /// The answer was lost, and it could not be found out.
        case unknown
    }

    /// As it was given.
    public var name: RowName
    /// Nil for a name that no row has.
    public var id: String?
    public var outcome: Outcome

    public init(name: RowName, id: String?, outcome: Outcome) {
        self.name = name
        self.id = id
        self.outcome = outcome
    }

    public func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("id", id)
            if case .globalKey(let key) = name { json.member("global_key", key) }
            if case .externalID(let text) = name { json.member("external_id", text) }
            json.member("outcome", outcome.rawValue)
        }
    }

    /// For people.
    public var line: String {
        let word = outcome.rawValue.replacing("_", with: " ").padded(to: 13)
        switch name {
        case .id: return word + VisibleText.of(id ?? "")
        default: return word + (id.map { VisibleText.of($0) + ", " } ?? "") + "\(name)"
        }
    }
}
