/// The metadata fields that an organization has: which names stand for which ids, and what values they take.
public struct MetadataOntology: Sendable {
    /// What values a field takes.
    public enum Kind: String, Sendable, Codable {
        case string = "CustomMetadataString"
        case number = "CustomMetadataNumber"
        case dateTime = "CustomMetadataDateTime"
        case enumeration = "CustomMetadataEnum"
        case embedding = "CustomMetadataEmbedding"
    }

    /// One field.
    public struct Field: Sendable, Codable, Equatable {
        /// Its id.
        public var id: String
        /// Its name, exactly.
        public var name: String
        /// What values it takes; nil for a kind that is not known here, whose values are sent as written.
        public var kind: Kind?
        /// It is one of Labelbox's own.
        public var isReserved: Bool
        /// The values of an enumeration.
        public var options: [Option]

        /// Creates a field.
        public init(id: String, name: String, kind: Kind?, isReserved: Bool = false, options: [Option] = []) {
            self.id = id
            self.name = name
            self.kind = kind
            self.isReserved = isReserved
            self.options = options
        }
    }

    /// One value of an enumeration.
    public struct Option: Sendable, Codable, Equatable {
        /// Its id.
        public var id: String
        /// Its name, exactly.
        public var name: String

        /// Creates an option.
        public init(id: String, name: String) {
            self.id = id
            self.name = name
        }
    }

    private let byID: [String: Field]
    private let byName: [String: Field]

    /// Creates an ontology; of fields with one name, Labelbox's own wins.
    public init(_ fields: [Field]) {
        byID = Dictionary(fields.map { ($0.id, $0) }) { first, _ in first }
        let ownFirst = fields.filter(\.isReserved) + fields.filter { !$0.isReserved }
        byName = Dictionary(ownFirst.map { ($0.name, $0) }) { first, _ in first }
    }

    func field(id: String) -> Field? { byID[id] }
    func field(name: String) -> Field? { byName[name] }
    var names: [String] { byName.keys.sorted() }
}
