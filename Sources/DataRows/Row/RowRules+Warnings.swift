/// What is said of rows that are sent all the same: limits of Labelbox's manual that are not known to be enforced when rows
/// are taken in.
extension RowRules {
    /// The longest value of a metadata string, in characters.
    static let metadataCharacters = 4_096
    /// The most numbers in an embedding.
    static let embeddingDimensions = 2_048
    /// The most messages in a conversation.
    static let messages = 250
    /// The longest message, in characters.
    static let messageCharacters = 10_000
    /// The largest model chat evaluation that stands in a row, in characters.
    static let evaluationCharacters = 2_621_440

    /// Warns of what an address has that Labelbox may stumble over; nothing of any other text.
    @inline(never) func inspectAddress(
        _ value: JSONSlice, _ pointer: StaticString, _ base: Int64, _ row: inout SurveyedRow
    ) {
        var reporter = reporter(row, base)
        AddressRules.check(value, pointer.description, now: now, &reporter)
        row.take(reporter)
    }

    func warnOfAttachments(_ value: JSONSlice, _ reporter: inout RowReporter) {
        value.forEachElement { index, attachment in
            attachment.forEachMember { key, value in
                guard key.says("value"), value.kind == .string else { return }
                AddressRules.check(value, "/attachments/\(index)/value", now: now, &reporter)
            }
        }
    }

    func warnOfEmbeddings(_ value: JSONSlice, _ reporter: inout RowReporter) {
        value.forEachElement { index, embedding in
            guard let vector = EmbeddingFields(embedding).vector else { return }
            var count = 0
            vector.forEachElement { _, _ in count += 1 }
            if count > Self.embeddingDimensions {
                reporter.warn(
                    vector, "/embeddings/\(index)/vector", "long_embedding",
                    "the vector has \(count) numbers, and Labelbox's manual allows \(Self.embeddingDimensions)")
            }
        }
    }

    func warnOfMetadata(_ value: JSONSlice, _ reporter: inout RowReporter) {
        var seen: [ExactName: Int] = [:]
        value.forEachElement { index, field in
            let parts = MetadataFieldParts(field)
            if let value = parts.value, value.kind == .string, Self.isLonger(value, than: Self.metadataCharacters) {
                reporter.warn(
                    value, "/metadata_fields/\(index)/value", "long_metadata_value",
                    "the value has more than \(Self.metadataCharacters) characters, which is what Labelbox's manual allows"
                )
            }
            guard let name = (parts.schemaID ?? parts.name)?.string else { return }
            let first = seen.updateValue(index, forKey: ExactName((parts.schemaID == nil ? "n" : "i") + name))
            if let first {
                reporter.warn(
                    field, "/metadata_fields/\(index)", "repeated_metadata_field",
                    "the field \"\(name)\" was given by entry \(first) too; Labelbox takes a field once a row, unless it is a list of options"
                )
            }
        }
    }

    func warnOfMessages(_ value: JSONSlice, _ pointer: @autoclosure () -> String, _ reporter: inout RowReporter) {
        var count = 0
        value.forEachElement { index, message in
            count += 1
            message.forEachMember { key, content in
                guard key.says("content"), content.kind == .string,
                    Self.isLonger(content, than: Self.messageCharacters)
                else { return }
                reporter.warn(
                    content, "\(pointer())/\(index)/content", "long_message",
                    "the message has more than \(Self.messageCharacters) characters, which is what Labelbox's manual allows"
                )
            }
        }
        if count > Self.messages {
            reporter.warn(
                value, pointer(), "long_conversation",
                "the conversation has \(count) messages, and Labelbox's manual allows \(Self.messages): divide it")
        }
    }

    /// Looks into content that is an object: conversations, and what is fetched from addresses.
    @inline(never) func inspectStructured(_ value: JSONSlice, _ base: Int64, _ row: inout SurveyedRow) {
        guard value.kind == .object else { return }
        var reporter = reporter(row, base)
        var type: JSONSlice?
        var messages: JSONSlice?
        value.forEachMember { key, member in
            switch key.string {
            case "type": type = member
            case "messages": messages = member
            case let name? where Self.addresses.contains(name) && member.kind == .string:
                AddressRules.check(member, "/row_data/\(name)", now: now, &reporter)
            default: break
            }
        }
        if let messages, type?.says("application/vnd.labelbox.conversational") ?? false {
            warnOfMessages(messages, "/row_data/messages", &reporter)
        }
        if value.count > Self.evaluationCharacters,
            type?.says("application/vnd.labelbox.conversational.model-chat-evaluation") ?? false
        {
            reporter.warn(
                value, "/row_data", "long_evaluation",
                "the model chat evaluation has \(value.count) bytes, and Labelbox's manual allows \(Self.evaluationCharacters) "
                    + "characters within a row: put it where Labelbox can fetch it, and write its address")
        }
        row.take(reporter)
    }

    /// Members of structured content that are addresses.
    ///
    /// Those of tiles are patterns, and so are left out.
    private static let addresses: Set<String> = ["pdf_url", "pdfUrl", "text_layer_url", "textLayerUrl"]

    private static func isLonger(_ value: JSONSlice, than limit: Int) -> Bool {
        guard value.count - 2 > limit else { return false }
        return JSONText.unescapedLossily(value.inner).count { $0 & 0xc0 != 0x80 } > limit
    }
}
