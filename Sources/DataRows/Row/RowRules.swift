/// The rules that one row is held to: what Labelbox's own client refuses is refused, with a word on how to mend it.
struct RowRules {
    let policy: RowPolicy
    let operation: RowOperation
    let defaults: RowDefaults
    let isEnvelope: Bool
    /// The present, in seconds since 1970; nil where nothing is to be said of what expires.
    let now: Int?
    /// What a chunk can need beside the row's own bytes: its wrapper, ids, a derived key.
    private let overhead: Int

    /// Room for an address of uploaded media, and for a path as external id.
    private static let mediaBytes = 4096
    /// `{"id":{"type":"AUTO","value":""},"payload":{…}}` with dataset id, derived key, a conversation's frame.
    private static let wrapperBytes = 512

    init(
        policy: RowPolicy, operation: RowOperation, defaults: RowDefaults, isEnvelope: Bool, now: Int? = nil
    ) {
        self.now = now
        self.policy = policy
        self.operation = operation
        self.defaults = defaults
        self.isEnvelope = isEnvelope
        // A metadata field of a few bytes may become two entries with an id each.
        overhead = Self.wrapperBytes + defaults.byteCount * (defaults.needsOntology ? 8 : 1)
    }

    /// A row that was too long to be looked at.
    func inspectOversize(_ row: inout SurveyedRow) {
        let size = row.byteRange.upperBound - row.byteRange.lowerBound
        row.problems = [
            RowProblem(
                row: row.index, byteOffset: row.byteRange.lowerBound,
                pointer: ManifestWalker.pointer(row: row.index, isEnvelope: isEnvelope), code: "row_too_large",
                message: "the row has \(size) bytes, and a row may have \(policy.maximumRowBytes): "
                    + "put its content into a file and name that in row_data")
        ]
    }

    /// Looks at one row, which is JSON, and notes what is found.
    ///
    /// The common row (an address, two short keys) is judged without memory being allocated.
    @inline(__always) func inspect(
        _ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int, base: Int64, members: inout JSONMembers,
        into row: inout SurveyedRow
    ) {
        row.payloadBytes = end &- start &+ overhead
        if bytes[start] == 0x7b {
            members.identify(in: bytes)
            inspectObject(bytes, start, end, base, members, &row)
        } else {
            inspectOther(JSONSlice(bytes: bytes, start: start, end: end), base, &row)
        }
        if row.payloadBytes > policy.maximumChunkBytes &- 2, row.problems.isEmpty {
            let size = row.payloadBytes
            report(JSONSlice(bytes: bytes, start: start, end: end), base, "", &row, "row_too_large") {
                "the row takes \(size) bytes in a chunk, and a chunk may have \(policy.maximumChunkBytes): "
                    + "put its content into a file and name that in row_data"
            }
        }
    }

    @inline(never) private func report(
        _ value: JSONSlice, _ base: Int64, _ pointer: String, _ row: inout SurveyedRow, _ code: String,
        _ message: () -> String
    ) {
        var reporter = reporter(row, base)
        reporter.report(value, pointer, code, message())
        row.take(reporter)
    }

    func reporter(_ row: SurveyedRow, _ base: Int64) -> RowReporter {
        RowReporter(row: row.index, base: base, isEnvelope: isEnvelope, tellsWarnings: row.tellsWarnings)
    }

    // MARK: Rows that are no objects

    @inline(never) private func inspectOther(_ value: JSONSlice, _ base: Int64, _ row: inout SurveyedRow) {
        guard value.kind == .string else {
            report(value, base, "", &row, "invalid_row") {
                "the row is neither an object nor a path: write {\"row_data\": \"https://…\"}"
            }
            return
        }
        guard operation == .create || operation == .upsert else {
            report(value, base, "", &row, "missing_key") {
                operation == .delete ? Self.deletedPathMessage : Self.keyMessage
            }
            return
        }
        if value.count == 2 {
            return report(value, base, "", &row, "empty_row_data") { Self.emptyMessage }
        }
        if policy.globalKey == .require {
            report(value, base, "", &row, "missing_global_key") { Self.globalKeyMessage }
        }
        switch RowContent(of: value, maximumTextBytes: .max) {
        case .inline where value.inner.contains(0x3a) && (value.string?.contains("://") ?? false):
            report(value, base, "", &row, "address_as_path") {
                "a row that is a mere string names a local file: write {\"row_data\": \"…\"} for an address"
            }
        case .s3: s3(value, "", base, &row)
        default: takePath(value, "", base, &row)
        }
    }

    private func takePath(_ value: JSONSlice, _ pointer: String, _ base: Int64, _ row: inout SurveyedRow) {
        guard let path = value.string.flatMap(MediaPath.resolve) else {
            return report(value, base, pointer, &row, "invalid_path") {
                "this can be no path of a file: write it relative to the manifest's own folder, in UTF-8"
            }
        }
        row.mediaPath = path
        // As external id, each byte may need an escape.
        row.payloadBytes += Self.mediaBytes + path.utf8.count * 6
    }

    // MARK: Objects

    @inline(__always) private func inspectObject(
        _ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ base: Int64, _ members: JSONMembers,
        _ row: inout SurveyedRow
    ) {
        if operation == .delete { return inspectDelete(bytes, start, end, base, members, &row) }
        if members.slots[Int(RowKey.unknown.rawValue)] >= 0 || members.total > JSONMembers.capacity
            || hasLegacyShape(members)
        {
            guard inspectKeys(bytes, start, end, base, members, &row) else { return }
        }
        if let value = members.value(.key, in: bytes), !value.isFalsy {
            inspectKey(value, base, &row)
        } else if operation == .update {
            report(JSONSlice(bytes: bytes, start: start, end: end), base, "", &row, "missing_key") {
                Self.keyMessage
            }
        }
        if let value = members.value(.globalKey, in: bytes) {
            row.hasGlobalKey = true
            inspectGlobalKey(value, "/global_key", base, &row)
        } else if policy.globalKey == .require, !row.hasGlobalKey, operation == .create || operation == .upsert,
            members.value(.key, in: bytes)?.isFalsy ?? true
        {
            report(JSONSlice(bytes: bytes, start: start, end: end), base, "", &row, "missing_global_key") {
                Self.globalKeyMessage
            }
        }
        if let value = members.value(.externalID, in: bytes), bytes[value.start] != 0x22 {
            report(value, base, "/external_id", &row, "invalid_external_id") {
                "the external id is not a string: put it in quotes"
            }
        }
        inspectContent(bytes, start, end, base, members, &row)
        inspectNested(bytes, base, members, &row)
    }

    @inline(__always) private func inspectContent(
        _ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ base: Int64, _ members: JSONMembers,
        _ row: inout SurveyedRow
    ) {
        guard let value = members.value(.rowData, in: bytes) else {
            let hasContent =
                switch operation {
                case .create: members.value(.conversationalData, in: bytes) != nil
                case .upsert: hasMore(members) || !defaults.entries.isEmpty
                case .update, .delete: hasMore(members)
                }
            if !hasContent {
                report(JSONSlice(bytes: bytes, start: start, end: end), base, "", &row, "empty_row_data") {
                    Self.emptyMessage
                }
            }
            return
        }
        if members.value(.conversationalData, in: bytes) != nil { return }
        // The one check that most rows need.
        if value.count > 10, bytes[value.start] == 0x22,
            UnsafeRawPointer(bytes).loadUnaligned(fromByteOffset: value.start &+ 1, as: UInt64.self)
                == 0x2f2f_3a73_7074_7468  // "https://"
        {
            if !AddressRules.isPlain(value) { inspectAddress(value, "/row_data", base, &row) }
            return
        }
        if value.isFalsy {
            return report(value, base, "/row_data", &row, "empty_row_data") { Self.emptyMessage }
        }
        // Tiled imagery of the older shape goes out as it is, but for what is no content at all.
        if members.value(.tileLayerURL, in: bytes) != nil, operation != .create || !value.isScalar { return }
        switch RowContent(of: value, maximumTextBytes: policy.maximumTextBytes) {
        case .inline: inspectAddress(value, "/row_data", base, &row)
        case .structured: inspectStructured(value, base, &row)
        case .path: takePath(value, "/row_data", base, &row)
        case .longText:
            row.needsTextUpload = true
            row.payloadBytes += Self.mediaBytes - value.count
        case .s3: s3(value, "/row_data", base, &row)
        case .invalid:
            report(value, base, "/row_data", &row, "invalid_row_data") {
                "row_data is neither a string nor an object: write an https:// address, a path, a text or an object"
            }
        }
    }

    /// Whether there is anything to update: more than the key and the dataset.
    private func hasMore(_ members: JSONMembers) -> Bool {
        for key in RowKey.allCases where key != .key && key != .datasetID && key != .id && key != .unknown {
            if members.slots[Int(key.rawValue)] >= 0 { return true }
        }
        return false
    }

    private func s3(_ value: JSONSlice, _ pointer: String, _ base: Int64, _ row: inout SurveyedRow) {
        report(value, base, pointer, &row, "s3_address") {
            let rest = (value.string ?? "").drop { $0 != "/" }.drop { $0 == "/" }
            let parts = rest.split(separator: "/", maxSplits: 1)
            let bucket = parts.first.map(String.init) ?? "BUCKET"
            let path = parts.count > 1 ? String(parts[1]) : ""
            return "Labelbox takes no s3:// addresses: write https://\(bucket).s3.amazonaws.com/\(path)"
        }
    }

    static let emptyMessage = "the row has no row_data: write an https:// address, a path, a text or an object"
    static let globalKeyMessage = "the row has no global_key, and this folder asks for one in each row: add it"
    static let keyMessage =
        "the row does not say which row it is for: add \"key\": {\"global_key\": \"…\"} or \"key\": {\"id\": \"…\"}"
}
