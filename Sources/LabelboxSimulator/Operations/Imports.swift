extension World {
    // MARK: Uploads

    mutating func uploadFile(_ field: Selected, _ context: RequestContext) throws(GraphQLError) -> Node {
        guard let mark = field["file"]?.string, let file = context.uploads[mark] else {
            throw GraphQLError(.malformed, "Upload value invalid: the file part is missing.")
        }
        let announced = field["contentLength"]?.int ?? -1
        guard announced == file.bytes else {
            throw GraphQLError(
                .malformed, "contentLength is \(announced), but \(file.bytes) bytes were received for \(file.name)")
        }
        files[file.id] = file
        return .fields(
            type: "UploadedFile", ["url": .text(url(of: file)), "filename": .text("\(file.id)-\(file.name)")])
    }

    // MARK: Submitting

    mutating func upsertDataRows(_ field: Selected, _ context: RequestContext) throws(GraphQLError) -> Node {
        let address = field["data"]?["manifestUri"]?.string ?? ""
        guard let file = file(at: address), let path = file.path else {
            throw GraphQLError(.malformed, "The manifest cannot be read: \(address)")
        }
        guard let slab = try? Slab(file: path), let manifest = try? JSONValue(parsing: slab.bytes),
            let count = manifest["item_count"]?.int, let addresses = manifest["chunk_uris"]?.list
        else { throw GraphQLError(.malformed, "The manifest is not {source, item_count, chunk_uris}") }
        guard count <= settings.maximumRowsPerTask else {
            throw GraphQLError(
                .malformed, "A call may have at most \(settings.maximumRowsPerTask) data rows, not \(count)")
        }
        let sources = addresses.map { $0.string.flatMap { self.file(at: $0) }?.id ?? "" }
        return .task(accept(.upsert, sources: sources, expected: count, context.now))
    }

    mutating func appendRowsToDataset(_ field: Selected, _ context: RequestContext) throws(GraphQLError) -> Node {
        let data = field["data"] ?? .null
        let task: Int
        do throws(GraphQLError) { task = try legacyTask(data, delay: settings.taskDelay, context.now) } catch {
            return .fields(
                type: "AppendRowsToDatasetResult",
                ["taskId": .null, "accepted": .bool(false), "errorMessage": .text(error.message)])
        }
        return .fields(
            type: "AppendRowsToDatasetResult",
            ["taskId": .text(tasks[task].id), "accepted": .bool(true), "errorMessage": .null])
    }

    mutating func appendRowsToDatasetSync(_ field: Selected, _ context: RequestContext) throws(GraphQLError) -> Node {
        let task = try legacyTask(field["data"] ?? .null, delay: .zero, context.now)
        let outcome = Importer.run(task, in: &self, now: context.now)
        guard outcome == nil, tasks[task].failures.isEmpty else {
            let message = outcome ?? tasks[task].failures.first.map { self.message($0) } ?? ""
            throw GraphQLError(.malformed, message)
        }
        guard case .legacy(let dataset) = tasks[task].form else { return .null }
        return .fields(type: "AppendRowsToDatasetSyncResult", ["dataset": .dataset(dataset)])
    }

    private mutating func legacyTask(
        _ data: JSONValue, delay: Duration, _ now: Moment
    ) throws(GraphQLError) -> Int {
        guard let dataset = datasetNumber(data["datasetId"]?.string ?? "") else {
            throw GraphQLError(.notFound, "Dataset not found")
        }
        let address = data["jsonFileUrl"]?.string ?? ""
        guard let file = file(at: address), file.path != nil else {
            throw GraphQLError(.malformed, "The import file cannot be read: \(address)")
        }
        return accept(.legacy(dataset: dataset), sources: [file.id], expected: 0, now, delay: delay)
    }

    private mutating func accept(
        _ form: ImportTask.Form, sources: [String], expected: Int, _ now: Moment, delay: Duration? = nil
    ) -> Int {
        let id = Identifier.make("cmtask", tasks.count + 1)
        tasks.append(
            ImportTask(
                id: id, form: form, created: now, due: now + (delay ?? settings.taskDelay), updated: now,
                sources: sources,
                expected: expected))
        return tasks.count - 1
    }

    // MARK: Results

    private func task(_ data: JSONValue?) throws(GraphQLError) -> ImportTask {
        guard let number = taskNumber(data?["taskId"]?.string ?? "") else {
            throw GraphQLError(.notFound, "Task not found")
        }
        return tasks[number]
    }

    /// The place where a page starts and ends, and the cursor to go on with.
    private func page(of count: Int, _ data: JSONValue?) -> (range: Range<Int>, after: Node) {
        let size = max(1, min(data?["first"]?.int ?? 100, settings.maximumPage))
        let start = min(count, max(0, data?["from"]?.string.flatMap(Int.init) ?? 0))
        let end = min(count, start + size)
        return (start..<end, end < count ? .text(String(end)) : .null)
    }

    func successfulImports(_ field: Selected) throws(GraphQLError) -> Node {
        let task = try task(field["data"])
        let isReady = task.status == .complete
        let count = isReady ? task.rows.count : 0
        let (range, after) = page(of: count, field["data"])
        // Not in the order of the input: what goes by position must fail here as it would there.
        let order = Shuffle(count: count)
        let rows = range.map { task.rows[order[$0]] }
        return .fields(
            type: "SuccessfulDataRowImports", ["nodes": .importedRows(rows), "after": after, "total": .int(count)])
    }

    func failedImports(_ field: Selected) throws(GraphQLError) -> Node {
        let task = try task(field["data"])
        let failures = task.status == .complete ? task.failures : []
        let (range, after) = page(of: failures.count, field["data"])
        return .fields(
            type: "FailedDataRowImports",
            ["results": .failures(failures[range]), "after": after, "total": .int(failures.count)])
    }

    func message(_ failure: ImportTask.Failure) -> String {
        switch failure.problem {
        case .other(let text): return text
        case .duplicateGlobalKey:
            let key = spec(of: failure.payload).globalKey
            return "Duplicate global key: '\(key.exists ? String(decoding: decodedLiteral(key), as: UTF8.self) : "")'"
        }
    }

    /// Where the identifying members of a payload are.
    func spec(of payload: Piece) -> (externalID: Piece, globalKey: Piece, rowData: Piece) {
        var found: (externalID: Piece, globalKey: Piece, rowData: Piece) = (.none, .none, .none)
        var scanner = JSONScanner(slabs[payload])
        func place(_ span: Span) -> Piece {
            Piece(slab: payload.slab, start: payload.start + Int32(span.start), count: Int32(span.count))
        }
        // The payload was walked over when it came in.
        try? scanner.members { (key, scanner) throws(JSONError) in
            let value = try scanner.value()
            if scanner.isNull(value) { return }
            if scanner.matches(key, "row_data") || scanner.matches(key, "data") { found.rowData = place(value) }
            if scanner.matches(key, "external_id") || scanner.matches(key, "externalId") {
                found.externalID = place(value)
            }
            if scanner.matches(key, "global_key") || scanner.matches(key, "globalKey") {
                found.globalKey = place(value)
            }
        }
        return found
    }

    /// An older task's result: one file with the created rows and the errors.
    func resultFile(of number: Int) -> [UInt8] {
        let task = tasks[number]
        if let error = task.error { return Array(JSONValue.object([.init("error", error)]).text.utf8) }
        func selected(_ names: String...) -> [Selected] {
            names.map { Selected(key: $0, name: $0, arguments: .object([]), children: []) }
        }
        var writer = AnswerWriter(world: self, now: task.updated)
        writer.output.raw("{\"createdDataRows\":")
        writer.write(.importedRows(task.rows), selected("id", "externalId", "globalKey", "rowData"))
        writer.output.raw(",\"errors\":[")
        for (index, failure) in task.failures.enumerated() {
            if index > 0 { writer.output.raw(",") }
            writer.output.raw("{\"message\":")
            writer.output.string(message(failure))
            writer.output.raw(",\"failedDataRows\":[")
            let spec = spec(of: failure.payload)
            func text(_ piece: Piece) -> Node {
                piece.exists ? .text(String(decoding: decodedLiteral(piece), as: UTF8.self)) : .null
            }
            writer.write(
                .fields(
                    type: "",
                    [
                        "externalId": text(spec.externalID), "globalKey": text(spec.globalKey),
                        "rowData": text(spec.rowData), "metadataFields": .list([]), "attachmentInputs": .list([]),
                    ]), selected("externalId", "globalKey", "rowData", "metadataFields", "attachmentInputs"))
            writer.output.raw("]}")
        }
        writer.output.raw("]}")
        return writer.output.bytes
    }
}

/// A fixed rearrangement of 0..<count that needs no memory.
struct Shuffle {
    private let count: Int
    private let step: Int

    init(count: Int) {
        self.count = count
        step = [7, 11, 13, 17, 19, 23, 29, 31].first { count % $0 != 0 } ?? 1
    }

    subscript(position: Int) -> Int { (position * step + count / 2) % count }
}
