/// What has other names on the wire than in a manifest: embeddings and metadata fields.
enum EmbeddingWriter {
    /// Writes a list of embeddings: numbers as written, unknown keys and empty clusters left out.
    static func write(_ list: JSONSlice, _ output: inout [UInt8]) {
        output.append(0x5b)
        list.forEachElement { index, element in
            if index > 0 { output.append(0x2c) }
            let embedding = EmbeddingFields(element)
            output += #"{"embeddingId":"#.utf8
            if let id = embedding.id { output += id.raw } else { output += "null".utf8 }
            output += #","vector":"#.utf8
            if let vector = embedding.vector { numbers(vector, &output) } else { output += "[]".utf8 }
            if let clusters = embedding.clusters, clusters.kind == .list, !clusters.isFalsy {
                output += #","clusters":["#.utf8
                clusters.forEachElement { index, number in
                    if index > 0 { output.append(0x2c) }
                    output += PythonNumber.whole(number) ?? []
                }
                output.append(0x5d)
            }
            output.append(0x7d)
        }
        output.append(0x5d)
    }

    private static func numbers(_ list: JSONSlice, _ output: inout [UInt8]) {
        var isPlain = true
        list.forEachElement { _, number in if number.kind != .number { isPlain = false } }
        guard !isPlain else {
            output += list.raw
            return
        }
        output.append(0x5b)
        list.forEachElement { index, number in
            if index > 0 { output.append(0x2c) }
            output += PythonNumber(number, as: .pydantic)?.text ?? []
        }
        output.append(0x5d)
    }
}

extension RowWriter {
    /// Writes `metadata_fields` with ids for names and values as the service takes them.
    func writeMetadata(
        _ list: JSONSlice, _ row: borrowing SourceRow, _ output: inout [UInt8]
    ) throws(RowWritingError) {
        if list.isFalsy {
            output += list.raw
            return
        }
        guard let ontology = context.ontology else { throw .ontologyRequired(row: row.index) }
        output.append(0x5b)
        var fault: MetadataFault?
        var isFirst = true
        list.forEachElement { index, element in
            guard fault == nil else { return }
            do throws(MetadataFault) {
                for entry in try MetadataEntry.resolve(element, ontology) {
                    if !isFirst { output.append(0x2c) }
                    isFirst = false
                    output += #"{"schemaId":"#.utf8
                    JSONText.appendString(entry.schemaID.utf8, to: &output)
                    output += #","value":"#.utf8
                    output += entry.value
                    output.append(0x7d)
                }
            } catch {
                fault = MetadataFault(
                    start: error.start, pointer: "/metadata_fields/\(index)" + error.pointer, code: error.code,
                    message: error.message)
            }
        }
        if let fault {
            // A value of the defaults has no place of its own in the row.
            let place = list.bytes == row.base ? fault.start : row.start
            throw problem(
                row, JSONSlice(bytes: row.base, start: place, end: place), fault.pointer, fault.code, fault.message)
        }
        output.append(0x5d)
    }
}

/// One entry as it is sent.
struct MetadataEntry {
    let schemaID: String
    /// JSON.
    let value: [UInt8]

    /// What one entry of a row's `metadata_fields` is sent as: two entries for an enumeration, else one.
    static func resolve(
        _ element: JSONSlice, _ ontology: MetadataOntology
    ) throws(MetadataFault) -> [MetadataEntry] {
        let parts = MetadataFieldParts(element)
        if let problem = parts.problem {
            throw MetadataFault(
                start: (problem.value ?? element).start, pointer: problem.pointer, code: problem.code,
                message: problem.reason)
        }
        let field: MetadataOntology.Field
        if let id = parts.schemaID {
            guard let found = ontology.field(id: id.string ?? "") else {
                throw MetadataFault(
                    start: id.start, pointer: "/schema_id", code: "unknown_metadata_field",
                    message: "there is no metadata field with the id \"\(id.string ?? "")\": look it up in Labelbox")
            }
            field = found
        } else {
            let name = parts.name?.string ?? ""
            guard let found = ontology.field(name: name) else {
                let nearest = NearestName.of(name, among: ontology.names)
                throw MetadataFault(
                    start: (parts.name ?? element).start, pointer: "/name", code: "unknown_metadata_field",
                    message: "there is no metadata field \"\(name)\": "
                        + (nearest.map { "write \"\($0)\"" } ?? "create it in Labelbox, or remove it here"))
            }
            field = found
        }
        guard let value = parts.value else { return [] }
        return try entries(field, value, byID: parts.schemaID != nil)
    }

    private static func entries(
        _ field: MetadataOntology.Field, _ value: JSONSlice, byID: Bool
    ) throws(MetadataFault) -> [MetadataEntry] {
        func wrong(_ message: String) -> MetadataFault {
            MetadataFault(start: value.start, pointer: "/value", code: "invalid_metadata_value", message: message)
        }
        switch field.kind {
        case nil: return [MetadataEntry(schemaID: field.id, value: Array(value.raw))]
        case .string:
            guard value.kind == .string else {
                throw wrong("the metadata field \"\(field.name)\" takes a text: put the value in quotes")
            }
            return [MetadataEntry(schemaID: field.id, value: Array(value.raw))]
        case .number:
            guard let number = PythonNumber(value) else {
                throw wrong("the metadata field \"\(field.name)\" takes a finite number: write one")
            }
            return [MetadataEntry(schemaID: field.id, value: number.text)]
        case .dateTime:
            guard let moment = value.string.flatMap(DateTime.normalized) else {
                throw wrong(
                    "the metadata field \"\(field.name)\" takes a date and time: write one like 2024-05-01T10:20:30Z")
            }
            return [MetadataEntry(schemaID: field.id, value: Array("\"\(moment)\"".utf8))]
        case .enumeration:
            let text = value.string
            let option = field.options.first { $0.id == text || (!byID && $0.name == text) }
            guard let option else {
                let names = byID ? field.options.map(\.id) : field.options.map(\.name)
                let nearest = text.flatMap { NearestName.of($0, among: names) }
                throw wrong(
                    "the metadata field \"\(field.name)\" has no such option: "
                        + (nearest.map { "write \"\($0)\"" } ?? "write one of \(names.joined(separator: ", "))"))
            }
            return [field.id, option.id].map { MetadataEntry(schemaID: $0, value: Array("{}".utf8)) }
        case .embedding:
            throw wrong(
                "the metadata field \"\(field.name)\" is an embedding and cannot be set here: use \"embeddings\"")
        }
    }
}

/// What is wrong with one entry of a row's `metadata_fields`.
struct MetadataFault: Error {
    /// Where the offending value begins.
    let start: Int
    let pointer: String
    let code: String
    let message: String
}
