public import DataRows

extension DataRows.MetadataOntology {
    /// What the API told, in the words of rows.
    public init(_ told: LabelboxAPI.MetadataOntology) {
        self.init(
            told.fields.map { field in
                let kind: Kind? =
                    switch field.kind {
                    case .string: .string
                    case .number: .number
                    case .dateTime: .dateTime
                    case .enumeration: .enumeration
                    case .embedding: .embedding
                    case .other: nil
                    }
                return Field(
                    id: field.id, name: field.name, kind: kind, isReserved: field.isReserved,
                    options: field.options.map { Option(id: $0.id, name: $0.name) })
            })
    }
}
