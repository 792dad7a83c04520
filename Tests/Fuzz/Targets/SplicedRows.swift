internal import DataRows

/// Pass 2 over a manifest that pass 1 has taken.
struct SplicedRows {
    private let manifest: ManifestFile
    private let text: [UInt8]
    private let rows: [SurveyedRow]
    private let summary: SurveySummary
    private let setting: ManifestTarget.Setting
    private let writer: RowWriter

    init(
        _ manifest: ManifestFile, _ text: [UInt8], _ rows: [SurveyedRow], _ summary: SurveySummary,
        _ setting: ManifestTarget.Setting
    ) throws {
        self.manifest = manifest
        self.text = text
        self.rows = rows
        self.summary = summary
        self.setting = setting
        writer = RowWriter(
            try RowContext(
                datasetID: DatasetID(rawValue: "set\"\\"), policy: setting.policy, summary: summary,
                ontology: Self.ontology),
            form: setting.form)
    }

    static let ontology = MetadataOntology([
        .init(id: "tag1", name: "tag", kind: .string, isReserved: true),
        .init(id: "num1", name: "score", kind: .number),
        .init(id: "day1", name: "taken", kind: .dateTime),
        .init(
            id: "enu1", name: "split", kind: .enumeration,
            options: [.init(id: "opt1", name: "train"), .init(id: "opt2", name: "test")]),
        .init(id: "emb1", name: "vector", kind: .embedding),
        .init(id: "new1", name: "future", kind: nil),
    ])

    /// The rows that are in the chunk, and where in it their names stand.
    private struct Chunk {
        var buffer: ChunkBuffer
        var identities: [RowIdentity] = []
    }

    func check() throws {
        guard let first = rows.first, let last = rows.last else { return }
        var chunk = Chunk(buffer: ChunkBuffer(limit: setting.policy.maximumChunkBytes))
        var count = 0
        try RowReader.read(
            manifest, byteRange: first.byteRange.lowerBound..<last.byteRange.upperBound, firstRow: 0,
            rowCount: rows.count, policy: setting.policy, windowBytes: setting.windowBytes
        ) { row in
            try hold(row.index == count, "row \(row.index) comes as number \(count)")
            count += 1
            let surveyed = rows[row.index]
            try hold(row.byteRange == surveyed.byteRange, "row \(row.index) is at \(row.byteRange)")
            if row.isOversize {
                try hold(!surveyed.problems.isEmpty, "a row that is too large was found valid")
                return
            }
            try hold(
                surveyed.hasGlobalKey || row.repetitionHash == surveyed.repetitionHash,
                "row \(row.index) has another hash")
            if surveyed.problems.isEmpty {
                try hold(surveyed.mediaPath == row.mediaPath(setting.policy), "row \(row.index) names another file")
                try hold(
                    surveyed.needsTextUpload == (row.textToUpload(setting.policy) != nil),
                    "row \(row.index) is now a text to upload, now not")
            }
            try write(row, surveyed, &chunk)
        }
        try hold(count == rows.count, "\(count) of \(rows.count) rows were read")
        try inspect(&chunk)
    }

    private func write(_ row: borrowing SourceRow, _ surveyed: SurveyedRow, _ chunk: inout Chunk) throws {
        let addition = RowAddition(mediaURL: "https://u", mediaDigest: [UInt8](repeating: 1, count: 32))
        let before = chunk.buffer.bytes
        do throws(RowWritingError) {
            chunk.identities.append(try writer.append(row, addition, to: &chunk.buffer))
        } catch {
            try hold(chunk.buffer.bytes == before, "\(error) has left something in the chunk")
            switch error {
            case .chunkFull:
                try hold(!chunk.buffer.isEmpty, "a chunk with nothing in it is full")
                try inspect(&chunk)
                return try write(row, surveyed, &chunk)
            case .problem(let problem):
                // Whether metadata is right is judged only with the ontology, and who may update only with the form.
                try hold(
                    !surveyed.problems.isEmpty || problem.code.contains("metadata")
                        || problem.code == "operation_not_supported",
                    "\(problem) in a row that was found valid")
            case .ontologyRequired, .mediaRequired: throw Finding(description: "\(error), but it is there")
            }
            return
        }
        let written = chunk.buffer.bytes.count - before.count
        if surveyed.problems.isEmpty {
            try hold(written <= surveyed.payloadBytes, "\(written) bytes for a row of \(surveyed.payloadBytes) at most")
        }
    }

    /// Ends a chunk, looks at each row in it, and begins the next.
    private func inspect(_ chunk: inout Chunk) throws {
        chunk.buffer.close()
        let bytes = chunk.buffer.bytes
        try hold(bytes.count <= chunk.buffer.limit || chunk.buffer.isEmpty, "a chunk of \(bytes.count) bytes")
        guard let sent = StrictJSON.parse(bytes)?.elements else {
            throw Finding(description: "this was written, and is no list: \(bytes.quoted)")
        }
        try hold(sent.count == chunk.identities.count, "\(sent.count) rows for \(chunk.identities.count)")
        for (value, identity) in zip(sent, chunk.identities) where rows[identity.row].problems.isEmpty {
            try compare(value, bytes, identity, chunk.buffer)
        }
        chunk.buffer.removeAll()
        chunk.identities = []
    }

    // MARK: What one row has become

    private static let asWritten = [
        "external_id", "global_key", "media_type", "uid", "created_at", "updated_at", "media_attributes",
    ]
    private static let olderNames = [
        "row_data": "data", "external_id": "externalId", "global_key": "globalKey", "media_type": "mediaType",
        "created_at": "createdAt", "updated_at": "updatedAt", "media_attributes": "mediaAttributes",
    ]

    private func compare(
        _ sent: StrictJSON.Value, _ bytes: [UInt8], _ identity: RowIdentity, _ chunk: ChunkBuffer
    ) throws {
        let row = rows[identity.row]
        let range = Int(row.byteRange.lowerBound)..<Int(row.byteRange.upperBound)
        guard let source = StrictJSON.parse(text[range]) else {
            throw Finding(description: "row \(identity.row) is no JSON")
        }
        // What a key means that is written with escapes, and the older shapes, is not this test's business.
        if text[range].contains(0x5c) || source["tileLayerUrl"] != nil || source["conversationalData"] != nil { return }
        let isOlder = setting.form == .append
        func name(_ key: String) -> String { isOlder ? Self.olderNames[key] ?? key : key }
        guard let payload = isOlder ? sent : sent["payload"] else {
            throw Finding(description: "row \(identity.row) has no payload")
        }
        if !isOlder {
            let dataset = Array("set\"\\".utf16)
            try hold(payload["dataset_id"]?.string == dataset, "row \(identity.row) goes to another dataset")
            try hold(payload.members.filter { $0.key == Array("dataset_id".utf16) }.count == 1, "two datasets")
        }
        let content = source.string == nil ? source["row_data"] : source
        if let content, text[content.range.shifted(range)] != Array("null".utf8)[...] {
            let goesAsFile = row.mediaPath != nil || row.needsTextUpload
            let found = payload[name("row_data")].map { Array(bytes[$0.range]) }
            let wanted = goesAsFile ? Array("\"https://u\"".utf8) : Array(text[content.range.shifted(range)])
            try hold(found == wanted, "row \(identity.row) has \(found?.quoted ?? "nothing") for \(wanted.quoted)")
        }
        for key in Self.asWritten where source.string == nil {
            guard let value = source[key] else { continue }
            let wanted = Array(text[value.range.shifted(range)])
            if wanted == Array("null".utf8) { continue }
            let found = payload[name(key)].map { Array(bytes[$0.range]) }
            try hold(found == wanted, "\(key) of row \(identity.row) is \(found?.quoted ?? "gone"): \(wanted.quoted)")
        }
        if let place = identity.globalKey, source["key"] == nil {
            let key = Array(chunk.string(in: place).utf16)
            try hold(
                payload[name("global_key")]?.string == key, "the key of row \(identity.row) is not where it is said")
        }
        if let place = identity.externalID {
            try hold(
                payload[name("external_id")]?.range == place, "the external id of row \(identity.row) is elsewhere")
        }
    }
}

extension Range<Int> {
    fileprivate func shifted(_ base: Range<Int>) -> Range<Int> {
        lowerBound + base.lowerBound..<upperBound + base.lowerBound
    }
}
