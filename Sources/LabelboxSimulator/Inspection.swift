internal import Locking

/// The simulator's own pages, beneath `/_sim/`, and the files that it hands out.
extension Service {
    func page(method: String, uri: String, body: [UInt8], now: Moment) -> Response {
        let path = String(uri.prefix { $0 != "?" })
        let query = uri.split(separator: "?", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
        switch (method, path) {
        case ("GET", "/_sim/state"): return .json(200, state(now))
        case ("GET", "/_sim/rows"): return rows(of: parameter("dataset", in: query) ?? "")
        case ("GET", "/_sim/requests"):
            let count = parameter("last", in: query).flatMap(Int.init) ?? 1000
            let entries = control.withLock { $0.journal.entries(count) }
            return .json(200, ["requests": .list(entries.map(\.json))])
        case ("POST", "/_sim/faults"): return addFaults(body)
        case ("POST", "/_sim/reset-faults"):
            control.withLock { $0.faults.removeAll() }
            return .json(200, ["ok": true])
        case ("POST", "/_sim/datasets"): return createDataset(body, now)
        case ("POST", "/_sim/projects"): return createProject(body, now)
        case ("POST", "/_sim/rows"): return seedRows(body)
        case ("GET", _) where path.hasPrefix("/files/"): return file(path)
        case ("GET", _) where path.hasPrefix("/results/"): return result(path)
        default: return .json(404, ["message": .string("There is no \(method) \(path)")])
        }
    }

    private func parameter(_ name: String, in query: String) -> String? {
        query.split(separator: "&").first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    private func addFaults(_ body: [UInt8]) -> Response {
        do {
            let rule = try Faults.Rule(JSONValue(parsing: body))
            control.withLock { $0.faults.add(rule) }
            return .json(200, ["ok": true])
        } catch {
            return .json(400, ["message": .string("\(error)")])
        }
    }

    private func createDataset(_ body: [UInt8], _ now: Moment) -> Response {
        guard let json = try? JSONValue(parsing: body) else { return .json(400, ["message": "The body is no JSON"]) }
        let id = json["id"]?.string
        let made = world.withLock { $0.createDataset(id: id, name: json["name"]?.string ?? id ?? "dataset", now: now) }
        return .json(200, ["id": .string(made)])
    }

    private func createProject(_ body: [UInt8], _ now: Moment) -> Response {
        guard let json = try? JSONValue(parsing: body) else { return .json(400, ["message": "The body is no JSON"]) }
        let id = json["id"]?.string
        let datasets = (json["datasets"]?.list ?? []).compactMap(\.string)
        let made = world.withLock {
            $0.createProject(id: id, name: json["name"]?.string ?? id ?? "project", datasets: datasets, now: now)
        }
        return .json(200, ["id": .string(made)])
    }

    private func seedRows(_ body: [UInt8]) -> Response {
        guard let json = try? JSONValue(parsing: body), let count = json["count"]?.int, count >= 0 else {
            return .json(400, ["message": "The body is no JSON with a \"count\""])
        }
        let id = json["dataset"]?.string ?? ""
        guard let dataset = world.withLock({ $0.datasetNumber(id) }) else {
            return .json(404, ["message": .string("There is no dataset '\(id)'")])
        }
        let prefix = String((json["prefix"]?.string ?? "seed-").filter { $0.isASCII && !"\"\\".contains($0) })
        Seeding.run(dataset, count: count, prefix: prefix) { body in world.withLock { body(&$0) } }
        return .json(200, ["rows": JSONValue(count)])
    }

    func state(_ now: Moment) -> JSONValue {
        func counts(_ counts: [String: Int]) -> JSONValue {
            .object(counts.sorted { $0.key < $1.key }.map { .init($0.key, JSONValue($0.value)) })
        }
        let (journal, faults) = control.withLock { ($0.journal, $0.faults) }
        let injected = Dictionary(uniqueKeysWithValues: faults.injected.map { ($0.key.rawValue, $0.value) })
        let (tasks, datasets, rows) = world.withLock { world in (world.tasks, world.datasets, world.rows.count) }
        let statuses = Dictionary(tasks.map { ($0.status.rawValue, 1) }, uniquingKeysWith: +)
        let perDataset: [JSONValue] = datasets.map { dataset in
            [
                "id": .string(dataset.id), "name": .string(dataset.name), "rows": JSONValue(dataset.liveRows),
                "deleted": .bool(dataset.isDeleted),
            ]
        }
        return [
            "requests": [
                "total": JSONValue(journal.total), "by_operation": counts(journal.byOperation),
                "by_outcome": counts(journal.byOutcome), "refused_by_rate_limit": JSONValue(journal.refusedRequests),
                "bytes": JSONValue(journal.bytesReceived), "busiest_minute": JSONValue(journal.minute.maximum),
                "max_concurrent": JSONValue(journal.maximumConcurrent),
            ],
            "connections": ["opened": JSONValue(journal.connections), "open": JSONValue(journal.openConnections)],
            "uploads": ["files": JSONValue(journal.uploads), "bytes": JSONValue(journal.uploadedBytes)],
            "submits": [
                "received": JSONValue(journal.submitsReceived), "accepted": JSONValue(tasks.count),
                "distinct": JSONValue(journal.arrivals.count),
                "max_arrivals_of_one": JSONValue(journal.arrivals.values.max() ?? 0),
            ],
            "tasks": [
                "total": JSONValue(tasks.count), "by_status": counts(statuses),
                "rows_created": JSONValue(tasks.reduce(0) { $0 + $1.createdCount }),
                "rows_updated": JSONValue(tasks.reduce(0) { $0 + $1.updatedCount }),
                "rows_failed": JSONValue(tasks.reduce(0) { $0 + $1.failures.count }),
                "rows_failed_by_key": JSONValue(
                    tasks.reduce(0) { $0 + $1.failures.count { $0.problem == .duplicateGlobalKey } }),
                "last_error": tasks.last { $0.error != nil }?.error ?? .null,
            ],
            "rows_ever": JSONValue(rows), "datasets": .list(perDataset), "faults": counts(injected),
        ]
    }

    // MARK: Files

    private func file(_ path: String) -> Response {
        let id = String(path.dropFirst("/files/".count).prefix { $0 != "/" })
        guard let file = world.withLock({ $0.files[id] }) else {
            return .text(404, "The specified resource does not exist.")
        }
        guard let path = file.path, let slab = try? Slab(file: path) else {
            return .json(
                410,
                [
                    "message": "The content was not kept", "bytes": JSONValue(file.bytes),
                    "sha256": .string(file.sha256),
                ])
        }
        var position = 0
        let body = Response.Body.stream(length: slab.count) {
            guard position < slab.count else { return nil }
            let end = min(slab.count, position + Self.pieceLength)
            defer { position = end }
            return Array(slab.bytes[position..<end])
        }
        return Response(
            status: 200, contentType: file.contentType.isToken ? file.contentType : "application/octet-stream",
            body: body)
    }

    private static let pieceLength = 256 * 1024

    private func result(_ path: String) -> Response {
        let id = String(path.dropFirst("/results/".count).prefix { $0 != "." })
        let bytes: [UInt8]? = world.withLock { world in
            guard let number = world.taskNumber(id), world.tasks[number].status != .inProgress else { return nil }
            return world.resultFile(of: number)
        }
        guard let bytes else { return .text(404, "The specified resource does not exist.") }
        return .json(200, bytes)
    }

    /// All rows of a dataset as lines of JSON, in the order of creation, a piece at a time.
    private func rows(of id: String) -> Response {
        guard let dataset = world.withLock({ $0.datasetNumber(id) }) else {
            return .json(404, ["message": .string("There is no dataset '\(id)'")])
        }
        var position = 0
        let body = Response.Body.stream(length: nil) { [world] in
            let (bytes, next) = world.withLock { $0.lines(of: dataset, from: position, atLeast: Self.pieceLength) }
            position = next
            return bytes.isEmpty ? nil : bytes
        }
        return Response(status: 200, contentType: "application/x-ndjson", body: body)
    }
}

extension World {
    /// Some rows as lines, and where to go on.
    fileprivate func lines(of dataset: Int32, from start: Int, atLeast length: Int) -> (bytes: [UInt8], next: Int) {
        var output = JSONOutput(reserving: length + 4096)
        let numbers = datasets[Int(dataset)].rows
        var position = start
        func json(_ piece: Piece) {
            if !piece.exists { return output.raw("null") }
            let text = slabs[piece]
            // A line must stay one; outside of strings a line end is only white space.
            if text.contains(0x0A) || text.contains(0x0D) {
                output.raw(text.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 })
            } else {
                output.raw(text)
            }
        }
        while position < numbers.count, output.bytes.count < length {
            let number = numbers[position]
            position += 1
            let row = rows[Int(number)]
            if row.isDeleted { continue }
            output.raw("{\"id\":")
            output.string(Self.rowID(number))
            output.raw(",\"external_id\":")
            json(row.externalID)
            output.raw(",\"global_key\":")
            if row.globalKey.exists { output.string(slabs[row.globalKey]) } else { output.raw("null") }
            output.raw(",\"row_data\":")
            json(row.rowData)
            output.raw(",\"created_at\":")
            output.string(row.created.text)
            output.raw(",\"updated_at\":")
            output.string(row.updated.text)
            output.raw(",\"payload\":")
            json(row.payload)
            output.raw("}\n")
        }
        return (output.bytes, position)
    }
}

extension String {
    /// Whether it can stand in a header line.
    fileprivate var isToken: Bool { utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && contains("/") }
}
