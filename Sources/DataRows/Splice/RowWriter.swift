/// What all rows of one import have in common when they are written.
public struct RowContext: Sendable {
    /// The dataset that the rows go to.
    public var datasetID: DatasetID
    /// The rules that pass 1 had.
    public var policy: RowPolicy
    /// What is done with the rows, as the survey's summary tells.
    public var operation: RowOperation
    /// Values for keys that rows leave out.
    public var defaults: RowDefaults
    /// The metadata fields that there are; needed once a row has `metadata_fields`.
    public var ontology: MetadataOntology?
    /// The rows stand in an envelope.
    public var isEnvelope: Bool

    /// Creates a context.
    public init(
        datasetID: DatasetID, policy: RowPolicy, operation: RowOperation, defaults: RowDefaults,
        ontology: MetadataOntology? = nil, isEnvelope: Bool = false
    ) {
        self.datasetID = datasetID
        self.policy = policy
        self.operation = operation
        self.defaults = defaults
        self.ontology = ontology
        self.isEnvelope = isEnvelope
    }

    /// Creates the context of a surveyed manifest.
    ///
    /// - Throws: ``ManifestError`` for defaults that no row could have.
    public init(
        datasetID: DatasetID, policy: RowPolicy, summary: SurveySummary, ontology: MetadataOntology? = nil
    ) throws(ManifestError) {
        self.init(
            datasetID: datasetID, policy: policy, operation: summary.operation,
            defaults: try RowDefaults(summary.header.defaults, mediaType: policy.mediaType), ontology: ontology,
            isEnvelope: summary.isEnvelope)
    }
}

/// What is known of one row beside its bytes.
public struct RowAddition: Sendable, Equatable {
    /// Where its media, or its long text, was uploaded to.
    public var mediaURL: String?
    /// What the content of the local file that it names is known by, 32 bytes: BLAKE3.
    public var mediaDigest: [UInt8]?
    /// How many identical rows come before it in its manifest.
    public var ordinal: Int

    /// Creates an addition.
    public init(mediaURL: String? = nil, mediaDigest: [UInt8]? = nil, ordinal: Int = 0) {
        self.mediaURL = mediaURL
        self.mediaDigest = mediaDigest
        self.ordinal = ordinal
    }
}

/// Why a row was not written; the chunk is as it was before.
public enum RowWritingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The row cannot be imported.
    case problem(RowProblem)
    /// The row has metadata fields and the ontology is not known yet.
    case ontologyRequired(row: Int)
    /// The row's media or long text has to be uploaded first.
    case mediaRequired(row: Int)
    /// The row finds no room: close this chunk and begin another.
    case chunkFull(row: Int)

    public var description: String {
        switch self {
        case .problem(let problem): problem.description
        case .ontologyRequired(let row): "row \(row) has metadata fields: fetch the metadata ontology first"
        case .mediaRequired(let row): "row \(row) names a file: upload it first"
        case .chunkFull(let row): "row \(row) finds no room in the chunk: begin another"
        }
    }
}

/// Writes rows into chunks: their bytes as they came in, with only what has to be added, renamed or replaced.
public struct RowWriter: Sendable {
    /// How the service wants its rows.
    public enum Form: Sendable {
        /// `{"id": {…}, "payload": {…}}` with snake_case keys, for `upsertDataRows`.
        case upsert
        /// Plain objects with camelCase keys, for `appendRowsToDataset`; only for rows that are created.
        case append
        /// The fields of one `createDataRow` call: `rowData`, `externalId` and `globalKey`, each a string.
        case single
    }

    let context: RowContext
    let form: Form
    private let dataset: [UInt8]
    private let datasetMember: [UInt8]
    private let automaticHead: [UInt8]

    /// Creates a writer.
    public init(_ context: RowContext, form: Form = .upsert) {
        self.context = context
        self.form = form
        dataset = Array(context.datasetID.rawValue.utf8)
        var member = Array("\"dataset_id\":".utf8)
        JSONText.appendString(dataset, to: &member)
        datasetMember = member
        automaticHead = Array(#"{"id":{"type":"AUTO","value":""},"payload":{"#.utf8) + member
    }

    /// Adds one row to a chunk.
    ///
    /// The row should be one that pass 1 found valid; of another, what is written is JSON, and nothing more is promised.
    ///
    /// - Returns: where its names stand in the chunk.
    /// - Throws: ``RowWritingError``; the chunk is then as it was.
    public func append(
        _ row: borrowing SourceRow, _ addition: RowAddition = RowAddition(), to chunk: inout ChunkBuffer
    ) throws(RowWritingError) -> RowIdentity {
        let before = chunk.bytes.count
        var identity = RowIdentity(row: row.index)
        do throws(RowWritingError) {
            if !chunk.isEmpty { chunk.bytes.append(0x2c) }
            let start = chunk.bytes.count
            try write(row, addition, &chunk.bytes, &identity)
            if !chunk.isEmpty, chunk.bytes.count + 1 > chunk.target { throw .chunkFull(row: row.index) }
            if chunk.bytes.count + 1 > chunk.limit {
                let size = chunk.bytes.count - start
                throw problem(
                    row, row.whole, "", "row_too_large",
                    "the row takes \(size) bytes in a chunk, and a chunk may have \(chunk.limit): "
                        + "put its content into a file and name that in row_data")
            }
        } catch {
            chunk.bytes.removeSubrange(before...)
            throw error
        }
        chunk.countRow()
        return identity
    }

    /// What a row is called, also where it gets its external id from the defaults, or from the file that it names.
    public func names(of row: borrowing SourceRow) -> RowNames {
        var names = row.names
        let takesDefaults = context.operation == .create || context.operation == .upsert
        if names.externalID == nil, takesDefaults, let value = context.defaults[.externalID], value.first == 0x22 {
            names.externalID = Array(value)
        }
        if names.externalID == nil, row.kind(context.policy) == .path {
            var text: [UInt8] = []
            JSONText.appendString(
                MediaPath.externalID(row.content?.string.flatMap(MediaPath.resolve) ?? "").utf8, to: &text)
            names.externalID = text
        }
        return names
    }

    func problem(
        _ row: borrowing SourceRow, _ value: JSONSlice, _ pointer: String, _ code: String, _ message: String
    ) -> RowWritingError {
        let root = ManifestWalker.pointer(row: row.index, isEnvelope: context.isEnvelope)
        return .problem(
            RowProblem(
                row: row.index, byteOffset: row.offset + Int64(value.start), pointer: root + pointer, code: code,
                message: message))
    }

    // MARK: One row

    private func write(
        _ row: borrowing SourceRow, _ addition: RowAddition, _ output: inout [UInt8], _ identity: inout RowIdentity
    ) throws(RowWritingError) {
        guard !row.isOversize else {
            throw problem(row, row.whole, "", "row_too_large", "the row is larger than rows may be")
        }
        guard row.isObject || row.whole.kind == .string else {
            throw problem(
                row, row.whole, "", "invalid_row",
                "the row is neither an object nor a path: write {\"row_data\": \"https://…\"}")
        }
        let isTile = row.value(.tileLayerURL) != nil
        if form == .single { try refuseWhatOneCallCannotCarry(row) }
        let isMatched = try writeHead(row, isTile, &output, &identity)
        let kind = row.kind(context.policy)
        let needsMedia = kind == .path || kind == .longText
        if needsMedia, addition.mediaURL == nil { throw .mediaRequired(row: row.index) }
        if row.isObject {
            try writeMembers(row, needsMedia ? addition.mediaURL : nil, isTile, &output, &identity)
        } else {
            writeString(.rowData, addition.mediaURL ?? "", &output)
        }
        let takesDefaults = context.operation == .create || context.operation == .upsert
        if kind == .path, identity.externalID == nil, !takesDefaults || context.defaults[.externalID] == nil {
            let path = row.content?.string.flatMap(MediaPath.resolve) ?? ""
            identity.externalID = writeString(.externalID, MediaPath.externalID(path), &output)
        }
        if takesDefaults {
            try writeDefaults(row, isTile, &output, &identity)
            if context.policy.globalKey == .derive, !isMatched, identity.globalKey == nil {
                if kind == .path, addition.mediaDigest == nil { throw .mediaRequired(row: row.index) }
                writeName(.globalKey, &output)
                output.append(0x22)
                let start = output.count
                DerivedKey.append(
                    dataset: dataset, row: row.bytes, mediaDigest: kind == .path ? addition.mediaDigest : nil,
                    ordinal: addition.ordinal, to: &output)
                identity.globalKey = start..<output.count
                identity.isDerived = true
                output.append(0x22)
            }
        }
        output.append(0x7d)
        if form == .upsert, !isTile { output.append(0x7d) }
    }

    /// Everything up to the first member of the row's own; true if the row is matched on an id or a key.
    private func writeHead(
        _ row: borrowing SourceRow, _ isTile: Bool, _ output: inout [UInt8], _ identity: inout RowIdentity
    ) throws(RowWritingError) -> Bool {
        var match: RowMatch?
        if let key = row.value(.key), !key.isFalsy {
            match = RowMatch(key)
            if match == nil || context.operation == .create {
                throw problem(row, key, "/key", "invalid_key", RowRules.keyMessage)
            }
        } else if context.operation == .update || context.operation == .delete {
            throw problem(row, row.whole, "", "missing_key", RowRules.keyMessage)
        }
        if form != .upsert {
            guard match == nil else {
                throw problem(
                    row, row.value(.key) ?? row.whole, "/key", "operation_not_supported",
                    "rows can only be created, not updated, by \(form.mutation): set submit_with to upsertDataRows")
            }
            output.append(0x7b)
            return false
        }
        if isTile {
            output.append(0x7b)
            output += datasetMember
            return match != nil
        }
        // What has a key of its own is updated where that key exists; as a new row it would only be refused for it.
        if match == nil, context.operation == .upsert, let key = row.value(.globalKey), key.kind == .string {
            match = .globalKey(key)
        }
        switch match {
        case nil:
            output += automaticHead
            return false
        case .id(let value):
            output += #"{"id":{"type":"ID","value":"#.utf8
            identity.target = .id(output.count + 1..<output.count + value.count - 1)
            output += value.raw
        case .globalKey(let value):
            output += #"{"id":{"type":"GKEY","value":"#.utf8
            let place = output.count + 1..<output.count + value.count - 1
            identity.target = .globalKey(place)
            identity.globalKey = place
            output += value.raw
        }
        output += #"},"payload":{"#.utf8
        output += datasetMember
        return true
    }

    /// The unknown keys of which the last member is null, so that the ones before it count for nothing either.
    private func namesOfNulls(_ members: JSONMembers, _ base: UnsafePointer<UInt8>) -> Set<[UInt8]> {
        func isNull(_ member: JSONMember) -> Bool { base[Int(member.valueStart)] == 0x6e }
        let unknown = UnsafeBufferPointer(start: members.list, count: members.count).filter { $0.key == .unknown }
        guard unknown.contains(where: isNull) else { return [] }
        var seen = Set<[UInt8]>()
        return Set(
            unknown.reversed().filter { seen.insert(name($0, base)).inserted && isNull($0) }.map { name($0, base) })
    }

    private func name(_ member: JSONMember, _ base: UnsafePointer<UInt8>) -> [UInt8] {
        JSONText.unescapedLossily(
            UnsafeRawBufferPointer(start: base + Int(member.keyStart), count: Int(member.keyEnd - member.keyStart)))
    }

    private func writeMembers(
        _ row: borrowing SourceRow, _ mediaURL: String?, _ isTile: Bool, _ output: inout [UInt8],
        _ identity: inout RowIdentity
    ) throws(RowWritingError) {
        let members = row.members
        let isConversation = !isTile && row.value(.conversationalData) != nil
        let hasLegacyName = isConversation && row.value(.legacyExternalID) != nil
        let nulls = isTile ? namesOfNulls(members, row.base) : []
        for index in 0..<members.count {
            let member = members.list[index]
            let key = member.key
            let value = JSONSlice(bytes: row.base, start: Int(member.valueStart), end: Int(member.valueEnd))
            if key == .unknown {
                if isTile, value.kind != .null, nulls.isEmpty || !nulls.contains(name(member, row.base)) {
                    writeAsIs(member, row.base, &output)
                }
                continue
            }
            // Nulls, and all but the last of a key.
            guard members.slots[Int(key.rawValue)] == Int32(truncatingIfNeeded: index) else { continue }
            switch key {
            case .key, .datasetID: continue
            case .unknown: continue
            case .rowData:
                if isConversation { continue }
                if let mediaURL {
                    writeString(.rowData, mediaURL, &output)
                    continue
                }
            case .conversationalData where isConversation:
                writeConversation(row, value, &output)
                continue
            case .type where isConversation, .version where isConversation: continue
            case .externalID:
                if hasLegacyName { continue }
                writeNamed(member, row.base, &output)
                identity.externalID = output.count - value.count..<output.count
                continue
            case .legacyExternalID where isConversation:
                writeName(.externalID, &output)
                output += value.raw
                identity.externalID = output.count - value.count..<output.count
                continue
            case .globalKey:
                writeNamed(member, row.base, &output)
                if value.kind == .string { identity.globalKey = output.count - value.count + 1..<output.count - 1 }
                continue
            case .metadataFields where !isTile && !value.isFalsy:
                writeName(.metadataFields, &output)
                try writeMetadata(value, row, &output)
                continue
            case .embeddings where !isTile && value.kind == .list:
                // Their numbers are taken apart, so they are looked at again: the row may not be one that pass 1 saw.
                var reporter = RowReporter(row: row.index, base: row.offset, isEnvelope: context.isEnvelope)
                RowRules.checkNested(.embeddings, value, &reporter)
                if let problem = reporter.problems.first { throw .problem(problem) }
                writeName(.embeddings, &output)
                EmbeddingWriter.write(value, &output)
                continue
            default: break
            }
            writeNamed(member, row.base, &output)
        }
    }

    private func writeDefaults(
        _ row: borrowing SourceRow, _ isTile: Bool, _ output: inout [UInt8], _ identity: inout RowIdentity
    ) throws(RowWritingError) {
        if isTile { return }
        for entry in context.defaults.entries where row.value(entry.key) == nil {
            if entry.key == .externalID, identity.externalID != nil { continue }
            writeName(entry.key, &output)
            let start = output.count
            switch entry.key {
            case .metadataFields, .embeddings:
                try entry.withSlice { value throws(RowWritingError) in
                    if entry.key == .embeddings {
                        EmbeddingWriter.write(value, &output)
                    } else {
                        try writeMetadata(value, row, &output)
                    }
                }
            default: output += entry.value
            }
            if entry.key == .externalID { identity.externalID = start..<output.count }
        }
    }

    // MARK: Pieces

    /// A comma, unless an object has just begun.
    private func separate(_ output: inout [UInt8]) {
        if output.last != 0x7b { output.append(0x2c) }
    }

    private func writeAsIs(_ member: JSONMember, _ base: UnsafePointer<UInt8>, _ output: inout [UInt8]) {
        separate(&output)
        output += UnsafeBufferPointer(
            start: base + Int(member.keyStart) - 1, count: Int(member.valueEnd - member.keyStart) + 1)
    }

    /// A member as it was written, its key in the form's own spelling.
    private func writeNamed(_ member: JSONMember, _ base: UnsafePointer<UInt8>, _ output: inout [UInt8]) {
        if form == .upsert || member.key.appendName == nil { return writeAsIs(member, base, &output) }
        writeName(member.key, &output)
        output += UnsafeBufferPointer(
            start: base + Int(member.valueStart), count: Int(member.valueEnd - member.valueStart))
    }

    private func writeName(_ key: RowKey, _ output: inout [UInt8]) {
        separate(&output)
        output.append(0x22)
        let name =
            switch form {
            case .upsert: key.name
            case .append: key.appendName ?? key.name
            case .single: key == .rowData ? "rowData" : key.appendName ?? key.name
            }
        output += UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        output.append(0x22)
        output.append(0x3a)
    }

    @discardableResult
    private func writeString(_ key: RowKey, _ text: String, _ output: inout [UInt8]) -> Range<Int> {
        writeName(key, &output)
        let start = output.count
        JSONText.appendString(text.utf8, to: &output)
        return start..<output.count
    }

    /// The older shape of a conversation, as the `row_data` it stands for.
    private func writeConversation(_ row: borrowing SourceRow, _ messages: JSONSlice, _ output: inout [UInt8]) {
        writeName(.rowData, &output)
        output += #"{"type":"#.utf8
        if let type = row.value(.type) {
            output += type.raw
        } else {
            output += #""application/vnd.labelbox.conversational""#.utf8
        }
        output += #","version":"#.utf8
        if let version = row.value(.version) { output += version.raw } else { output.append(0x31) }
        output += #","messages":"#.utf8
        output += messages.raw
        output.append(0x7d)
    }
}

extension RowKey {
    /// The key's name in the older form, where it has another.
    var appendName: StaticString? {
        switch self {
        case .rowData: "data"
        case .externalID: "externalId"
        case .globalKey: "globalKey"
        case .mediaType: "mediaType"
        case .metadataFields: "metadataFields"
        case .createdAt: "createdAt"
        case .updatedAt: "updatedAt"
        case .mediaAttributes: "mediaAttributes"
        default: nil
        }
    }
}
