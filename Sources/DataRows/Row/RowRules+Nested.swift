/// The rules for what is inside attachments, embeddings, metadata fields and conversations.
extension RowRules {
    @inline(__always) func inspectNested(
        _ bytes: UnsafePointer<UInt8>, _ base: Int64, _ members: JSONMembers, _ row: inout SurveyedRow
    ) {
        // Programs write empty lists too, and there is nothing in those.
        @inline(__always) func isPlain(_ key: RowKey) -> Bool {
            guard let value = members.value(key, in: bytes) else { return true }
            return value.count == 2 && bytes[value.start] == 0x5b
        }
        if members.slots[Int(RowKey.conversationalData.rawValue)] < 0, isPlain(.attachments), isPlain(.embeddings),
            isPlain(.metadataFields)
        {
            return
        }
        inspectNestedValues(bytes, base, members, &row)
    }

    @inline(never) private func inspectNestedValues(
        _ bytes: UnsafePointer<UInt8>, _ base: Int64, _ members: JSONMembers, _ row: inout SurveyedRow
    ) {
        var reporter = reporter(row, base)
        if let value = members.value(.attachments, in: bytes) {
            Self.checkNested(.attachments, value, &reporter)
            warnOfAttachments(value, &reporter)
        }
        if members.value(.tileLayerURL, in: bytes) == nil {
            if let value = members.value(.embeddings, in: bytes) {
                Self.checkNested(.embeddings, value, &reporter)
                warnOfEmbeddings(value, &reporter)
            }
            if let value = members.value(.metadataFields, in: bytes) {
                Self.checkNested(.metadataFields, value, &reporter)
                warnOfMetadata(value, &reporter)
                // Each may become two entries with an id of its own.
                var count = 0
                value.forEachElement { _, _ in count += 1 }
                row.needsOntology = count > 0
                row.payloadBytes += count * 160
            }
            if let value = members.value(.conversationalData, in: bytes) {
                Self.conversation(value, &reporter)
                warnOfMessages(value, "/conversationalData", &reporter)
            }
        }
        row.take(reporter)
    }

    /// Checks the value of one key that has a shape of its own.
    static func checkNested(_ key: RowKey, _ value: JSONSlice, _ reporter: inout RowReporter) {
        switch key {
        case .attachments: attachments(value, &reporter)
        case .embeddings: embeddings(value, &reporter)
        case .metadataFields: metadataFields(value, &reporter)
        default: break
        }
    }

    private static func isAttachmentType(_ value: JSONSlice) -> Bool {
        value.says("IMAGE") || value.says("VIDEO") || value.says("AUDIO") || value.says("HTML")
            || value.string.map(attachmentTypes.contains) ?? false
    }

    static let attachmentTypes = [
        "AUDIO", "VIDEO", "IMAGE", "IMAGE_OVERLAY", "HTML", "RAW_TEXT", "TEXT_URL", "PDF_URL", "CAMERA_IMAGE",
    ]

    private static func attachments(_ value: JSONSlice, _ reporter: inout RowReporter) {
        if value.isFalsy { return }
        guard value.kind == .list else {
            return reporter.report(
                value, "/attachments", "invalid_attachments",
                "the attachments are not a list: write [{\"type\": \"IMAGE\", \"value\": \"https://…\"}]")
        }
        value.forEachElement { index, element in
            var pointer: String { "/attachments/\(index)" }
            guard element.kind == .object else {
                return reporter.report(
                    element, pointer, "invalid_attachment",
                    "the attachment is not an object: write {\"type\": \"IMAGE\", \"value\": \"https://…\"}")
            }
            var type: JSONSlice?
            var content: JSONSlice?
            element.forEachMember { key, value in
                if key.says("type") { type = value } else if key.says("value") { content = value }
            }
            guard let type else {
                return reporter.report(
                    element, pointer, "missing_attachment_type",
                    "the attachment has no type: add one of \(attachmentTypes.joined(separator: ", "))")
            }
            guard let content else {
                return reporter.report(
                    element, pointer, "missing_attachment_value",
                    "the attachment has no value: add an address, or the text of a RAW_TEXT")
            }
            guard content.kind == .string, content.count > 2 else {
                return reporter.report(
                    content, pointer + "/value", "invalid_attachment_value",
                    "the attachment's value is not a string with something in it: write an address, or the text of a RAW_TEXT"
                )
            }
            guard isAttachmentType(type) else {
                let nearest = NearestName.of(type.string ?? "", among: attachmentTypes)
                return reporter.report(
                    type, pointer + "/type", "invalid_attachment_type",
                    nearest.map { "the attachment's type is unknown: write \"\($0)\"" }
                        ?? "the attachment's type is unknown: write one of \(attachmentTypes.joined(separator: ", "))")
            }
        }
    }

    private static func embeddings(_ value: JSONSlice, _ reporter: inout RowReporter) {
        if value.isFalsy { return }
        let shape = "write [{\"embedding_id\": \"…\", \"vector\": [0.5, …]}]"
        guard value.kind == .list else {
            return reporter.report(
                value, "/embeddings", "invalid_embeddings", "the embeddings are not a list: \(shape)")
        }
        value.forEachElement { index, element in
            var pointer: String { "/embeddings/\(index)" }
            guard element.kind == .object else {
                return reporter.report(
                    element, pointer, "invalid_embedding", "the embedding is not an object: \(shape)")
            }
            let embedding = EmbeddingFields(element)
            if embedding.id?.kind != .string {
                reporter.report(
                    embedding.id ?? element, pointer + (embedding.id == nil ? "" : "/embedding_id"),
                    "invalid_embedding_id", "the embedding has no \"embedding_id\" that is a string: \(shape)")
            }
            guard let vector = embedding.vector, vector.kind == .list else {
                return reporter.report(
                    embedding.vector ?? element, pointer + (embedding.vector == nil ? "" : "/vector"),
                    "invalid_embedding_vector", "the embedding has no \"vector\" that is a list of numbers: \(shape)")
            }
            vector.forEachElement { place, number in
                let isFinite =
                    number.kind == .number
                    ? PythonNumber.isFinite(number.raw) : PythonNumber(number, as: .pydantic) != nil
                if !isFinite {
                    reporter.report(
                        number, pointer + "/vector/\(place)", "invalid_embedding_vector",
                        "the vector's entry is not a finite number: write a number")
                }
            }
            guard let clusters = embedding.clusters, clusters.kind != .null else { return }
            guard clusters.kind == .list else {
                return reporter.report(
                    clusters, pointer + "/clusters", "invalid_embedding_clusters",
                    "\"clusters\" is not a list of whole numbers: write [1, 2], or leave it out")
            }
            clusters.forEachElement { place, number in
                if PythonNumber.whole(number) == nil {
                    reporter.report(
                        number, pointer + "/clusters/\(place)", "invalid_embedding_clusters",
                        "the cluster is not a whole number: write one")
                }
            }
        }
    }

    private static func metadataFields(_ value: JSONSlice, _ reporter: inout RowReporter) {
        if value.isFalsy { return }
        let shape = "write [{\"name\": \"…\", \"value\": …}]"
        guard value.kind == .list else {
            return reporter.report(
                value, "/metadata_fields", "invalid_metadata_fields", "the metadata fields are not a list: \(shape)")
        }
        value.forEachElement { index, element in
            var pointer: String { "/metadata_fields/\(index)" }
            guard element.kind == .object else {
                return reporter.report(
                    element, pointer, "invalid_metadata_field", "the metadata field is not an object: \(shape)")
            }
            let field = MetadataFieldParts(element)
            if let problem = field.problem {
                reporter.report(
                    problem.value ?? element, pointer + problem.pointer, problem.code, "\(problem.reason): \(shape)")
            }
        }
    }

    private static let messageKeys = ["messageId", "timestampUsec", "content", "user", "align", "canLabel"]

    private static func conversation(_ value: JSONSlice, _ reporter: inout RowReporter) {
        // An empty object or text holds no message either.
        if value.isFalsy, value.kind == .object || value.kind == .string { return }
        guard value.kind == .list else {
            return reporter.report(
                value, "/conversationalData", "invalid_conversational_data",
                "conversationalData is not a list of messages: write a list, or put the conversation into row_data")
        }
        value.forEachElement { index, message in
            var pointer: String { "/conversationalData/\(index)" }
            guard message.kind == .object else {
                return reporter.report(
                    message, pointer, "invalid_message", "the message is not an object: write {\"content\": \"…\", …}")
            }
            message.forEachMember { key, _ in
                let name = String(decoding: JSONText.unescapedLossily(key.inner), as: UTF8.self)
                guard !messageKeys.contains(name) else { return }
                let nearest = NearestName.of(name, among: messageKeys)
                reporter.report(
                    key, pointer + "/" + JSONText.pointerToken(name), "unknown_message_key",
                    nearest.map { "a message has no key \"\(name)\": write \"\($0)\"" }
                        ?? "a message has no key \"\(name)\": its keys are \(messageKeys.joined(separator: ", "))")
            }
        }
    }
}

/// The parts of one embedding.
struct EmbeddingFields {
    var id: JSONSlice?
    var vector: JSONSlice?
    var clusters: JSONSlice?

    init(_ embedding: JSONSlice) {
        var found: (id: JSONSlice?, vector: JSONSlice?, clusters: JSONSlice?)
        embedding.forEachMember { key, value in
            if key.says("vector") {
                found.vector = value
            } else if key.says("embedding_id") {
                found.id = value
            } else if key.says("clusters") {
                found.clusters = value
            }
        }
        (id, vector, clusters) = found
    }
}

/// The parts of one entry of `metadata_fields`.
struct MetadataFieldParts {
    var schemaID: JSONSlice?
    var name: JSONSlice?
    var value: JSONSlice?

    init(_ field: JSONSlice) {
        var found: (schemaID: JSONSlice?, name: JSONSlice?, value: JSONSlice?)
        field.forEachMember { key, value in
            if key.says("name") {
                found.name = value
            } else if key.says("value") {
                found.value = value
            } else if key.says("schema_id") {
                found.schemaID = value
            }
        }
        (schemaID, name, value) = found
        if schemaID?.kind == .null { schemaID = nil }
        if name?.kind == .null { name = nil }
    }

    /// What is wrong with the entry's shape.
    var problem: (value: JSONSlice?, pointer: String, code: String, reason: String)? {
        if schemaID == nil, name == nil {
            return (nil, "", "missing_metadata_name", "the metadata field has neither \"name\" nor \"schema_id\"")
        }
        if let schemaID, schemaID.kind != .string {
            return (schemaID, "/schema_id", "invalid_metadata_name", "the metadata field's id is not a string")
        }
        if let name, name.kind != .string {
            return (name, "/name", "invalid_metadata_name", "the metadata field's name is not a string")
        }
        if value == nil {
            return (nil, "", "missing_metadata_value", "the metadata field has no \"value\"")
        }
        return nil
    }
}
