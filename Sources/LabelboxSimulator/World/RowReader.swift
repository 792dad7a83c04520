/// A row as it stands in a chunk, read but not yet taken in.
struct Candidate {
    enum Match { case auto, globalKey, id, unknown }

    var match = Match.auto
    /// The key's or id's text, without quotes.
    var matchValue = Span(start: 0, count: 0)
    var payload = Span(start: 0, count: 0)
    var externalID: Span?
    var globalKey: Span?
    var rowData: Span?
    var dataset: Span?
    var problem: Problem?
}

/// Reads the rows of a chunk, or of an older import file, one after the other.
struct RowReader {
    let metadata: Metadata

    static let mediaTypes: Set<String> = [
        "AUDIO", "CONVERSATIONAL", "DICOM", "DOCUMENT", "GEOSPATIAL_TILE", "HTML", "IMAGE", "JSON",
        "LLM_PROMPT_CREATION",
        "LLM_PROMPT_RESPONSE_CREATION", "PDF", "POINT_CLOUD", "SIMPLE_TILE", "TEXT", "TMS_GEO", "TMS_SIMPLE", "VIDEO",
    ]
    static let attachmentTypes: Set<String> = [
        "AUDIO", "CAMERA_IMAGE", "HTML", "IMAGE", "IMAGE_OVERLAY", "PDF_URL", "RAW_TEXT", "TEXT", "TEXT_URL", "VIDEO",
    ]
    private static let poison = ByteSearch("poison-".utf8)
    private static let poisonRow = ByteSearch("poison-row".utf8)
    private static let poisonTask = ByteSearch("poison-task".utf8)

    /// All rows of a chunk, and whether one of them asks for the whole task to fail.
    func read(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) -> (rows: [Candidate], isPoisoned: Bool) {
        // Nearly always nothing in the whole chunk asks for a failure, and then no row need be searched.
        let isSuspect = Self.poison.first(in: bytes) != nil
        var rows: [Candidate] = []
        var isPoisoned = false
        var scanner = JSONScanner(bytes)
        try scanner.elements { (scanner) throws(JSONError) in
            var candidate = Candidate()
            let start = try readItem(&scanner, into: &candidate)
            finish(scanner, &candidate, isSuspect: isSuspect)
            if candidate.payload.count == 0 { candidate.payload = Span(start: start, count: scanner.position - start) }
            rows.append(candidate)
            if isSuspect, !isPoisoned {
                isPoisoned = [candidate.rowData, candidate.globalKey].contains { span in
                    span.map { Self.poisonTask.first(in: scanner.slice($0)) != nil } ?? false
                }
            }
        }
        try scanner.end()
        return (rows, isPoisoned)
    }

    /// `{"id": {…}, "payload": {…}}`, or the payload itself.
    private func readItem(_ scanner: inout JSONScanner, into candidate: inout Candidate) throws(JSONError) -> Int {
        _ = scanner.peek()
        let start = scanner.position
        try scanner.members { (key, scanner) throws(JSONError) in
            if scanner.matches(key, "payload") {
                _ = scanner.peek()
                let start = scanner.position
                try readPayload(&scanner, into: &candidate)
                candidate.payload = Span(start: start, count: scanner.position - start)
            } else if scanner.matches(key, "id") {
                try readID(&scanner, into: &candidate)
            } else {
                try readMember(key, &scanner, into: &candidate)
            }
        }
        return start
    }

    private func readID(_ scanner: inout JSONScanner, into candidate: inout Candidate) throws(JSONError) {
        try scanner.members { (key, scanner) throws(JSONError) in
            let value = try scanner.value()
            guard scanner.isString(value) else { return }
            if scanner.matches(key, "value") {
                candidate.matchValue = value.unquoted
            } else if scanner.matches(key, "type") {
                if scanner.matches(value, "AUTO") {
                    candidate.match = .auto
                } else if scanner.matches(value, "GKEY") {
                    candidate.match = .globalKey
                } else if scanner.matches(value, "ID") {
                    candidate.match = .id
                } else {
                    candidate.match = .unknown
                }
            }
        }
    }

    private func readPayload(_ scanner: inout JSONScanner, into candidate: inout Candidate) throws(JSONError) {
        try scanner.members { (key, scanner) throws(JSONError) in
            try readMember(key, &scanner, into: &candidate)
        }
    }

    private func readMember(
        _ key: Span, _ scanner: inout JSONScanner, into candidate: inout Candidate
    ) throws(JSONError) {
        let value = try scanner.value()
        if scanner.isNull(value) { return }
        if scanner.matches(key, "row_data") || scanner.matches(key, "data") {
            candidate.rowData = value
        } else if scanner.matches(key, "external_id") || scanner.matches(key, "externalId") {
            candidate.externalID = value
        } else if scanner.matches(key, "global_key") || scanner.matches(key, "globalKey") {
            candidate.globalKey = value
        } else if scanner.matches(key, "dataset_id") {
            candidate.dataset = value.unquoted
        } else if scanner.matches(key, "media_type") || scanner.matches(key, "mediaType") {
            if scanner.matches(value, "IMAGE") {
                candidate.problem = candidate.problem ?? .other(Self.imageMarker)
                return
            }
            let media = text(value, scanner)
            if !Self.mediaTypes.contains(media) { refuse(&candidate, "Found invalid media type: '\(media)'") }
        } else if scanner.matches(key, "metadata_fields") || scanner.matches(key, "metadataFields") {
            try checkMetadata(value, scanner, &candidate)
        } else if scanner.matches(key, "attachments") {
            try checkAttachments(value, scanner, &candidate)
        }
    }

    /// Stands for "claims to be an image" until the row data is known.
    private static let imageMarker = "image?"

    private func finish(_ scanner: JSONScanner, _ candidate: inout Candidate, isSuspect: Bool) {
        if candidate.problem == .other(Self.imageMarker) {
            candidate.problem = nil
            if let data = candidate.rowData {
                if !scanner.isString(data) {
                    refuse(&candidate, "Expected type image/*, detected: application/json")
                } else if !isURL(scanner.slice(data.unquoted)) {
                    refuse(&candidate, "Found invalid contents for media type: 'IMAGE'")
                }
            }
        }
        if let data = candidate.rowData {
            if isSuspect, Self.poisonRow.first(in: scanner.slice(data)) != nil {
                refuse(&candidate, "Failed to process the row")
            }
            if scanner.isString(data), data.count > 65_536, !isURL(scanner.slice(data.unquoted)),
                text(data, scanner).count > 65_536
            {
                refuse(&candidate, "Inline text must be at most 64K characters")
            }
        }
        if let key = candidate.globalKey {
            if !scanner.isString(key) {
                refuse(&candidate, "Global key must be a string")
                candidate.globalKey = nil
            } else if isSuspect, Self.poisonRow.first(in: scanner.slice(key)) != nil {
                refuse(&candidate, "Failed to process the row")
            } else if key.count > 202, text(key, scanner).count > 200 {
                refuse(&candidate, "Global key must be at most 200 characters")
            }
        }
    }

    private func isURL(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.starts(with: "https://".utf8) || bytes.starts(with: "http://".utf8) || bytes.starts(with: "gs://".utf8)
    }

    private func text(_ span: Span, _ scanner: JSONScanner) -> String {
        guard scanner.isString(span) else { return String(decoding: scanner.slice(span), as: UTF8.self) }
        return String(decoding: decodedString(scanner.slice(span.unquoted)), as: UTF8.self)
    }

    private func refuse(_ candidate: inout Candidate, _ message: String) {
        if candidate.problem == nil || candidate.problem == .other(Self.imageMarker) {
            candidate.problem = .other(message)
        }
    }

    private func checkMetadata(
        _ span: Span, _ scanner: JSONScanner, _ candidate: inout Candidate
    ) throws(JSONError) {
        var inner = JSONScanner(scanner.bytes, from: span.start)
        guard let entries = try JSONValue(&inner).list else { return refuse(&candidate, "Invalid metadata") }
        var seen: Set<String> = []
        for entry in entries {
            guard let id = entry["schemaId"]?.string else {
                refuse(&candidate, "Metadata needs a schemaId")
                continue
            }
            if metadata.field(id) == nil { refuse(&candidate, "Could not find metadata schema: [\(id)]") }
            if !seen.insert(id).inserted {
                refuse(&candidate, "A schemaId can only be specified once per DataRow : [\(id)]")
            }
        }
    }

    private func checkAttachments(
        _ span: Span, _ scanner: JSONScanner, _ candidate: inout Candidate
    ) throws(JSONError) {
        var inner = JSONScanner(scanner.bytes, from: span.start)
        guard let entries = try JSONValue(&inner).list else { return refuse(&candidate, "Invalid attachments") }
        for entry in entries {
            let type = entry["type"]?.string ?? ""
            if !Self.attachmentTypes.contains(type) { refuse(&candidate, "Found invalid attachment type: '\(type)'") }
            if entry["value"]?.string?.isEmpty ?? true { refuse(&candidate, "An attachment needs a value") }
        }
    }
}
