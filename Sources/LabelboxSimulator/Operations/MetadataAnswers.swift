extension World {
    func customMetadataOntology() -> Node {
        func node(_ field: Metadata.Field) -> Node {
            .fields(
                type: "CustomMetadata",
                [
                    "id": .text(field.id), "schemaId": .text(field.id), "name": .text(field.name),
                    "kind": .text(field.kind),
                    "reserved": .bool(field.isReserved), "options": .list(field.options.map(node)),
                ])
        }
        return .list(metadata.fields.map(node))
    }

    /// A row's metadata, named by the schema; `asSent` leaves out what was not sent.
    func metadata(of payload: Piece, asSent: Bool = false) -> Node {
        let entries =
            members(of: payload, "metadata_fields", "metadataFields") ?? members(of: payload, "metadata", "") ?? []
        return .list(
            entries.map { entry in
                let field =
                    entry["schemaId"]?.string.flatMap { metadata.field($0) }
                    ?? entry["name"]?.string.flatMap { metadata.field(named: $0) }
                return .fields(
                    type: "MetadataField",
                    [
                        "schemaId": .text(entry["schemaId"]?.string ?? field?.id),
                        "value": .value(entry["value"] ?? .null),
                        "name": .text(asSent ? entry["name"]?.string : field?.name), "kind": .text(field?.kind),
                    ])
            })
    }

    func attachments(of payload: Piece, _ field: Selected, row: Int32?) -> Node {
        let entries = members(of: payload, "attachments", "attachments") ?? []
        let skip = max(0, field["skip"]?.int ?? 0)
        let first = max(0, field["first"]?.int ?? entries.count)
        return .list(
            entries.enumerated().dropFirst(skip).prefix(first).map { index, entry in
                .fields(
                    type: "Attachment",
                    [
                        "id": .text(row.map { Identifier.make("cmat", Int($0) * 64 + index) }),
                        "type": .text(entry["type"]?.string),
                        "value": .text(entry["value"]?.string), "name": .text(entry["name"]?.string),
                    ])
            })
    }

    private func members(of payload: Piece, _ name: String, _ older: String) -> [JSONValue]? {
        // Most rows have none of it: look before building a tree.
        guard
            ByteSearch(name.utf8).first(in: slabs[payload]) != nil
                || !older.isEmpty && ByteSearch(older.utf8).first(in: slabs[payload]) != nil
        else { return nil }
        guard let object = try? JSONValue(parsing: slabs[payload]) else { return nil }
        return object[name]?.list ?? object[older]?.list
    }
}
