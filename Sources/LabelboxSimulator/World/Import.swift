extension World {
    /// Takes rows in, in the order of the chunk.
    mutating func apply(_ candidates: ArraySlice<Candidate>, of slab: Int32, to task: Int, now: Moment) {
        var lastDataset: Int32 = -1
        if case .legacy(let dataset) = tasks[task].form { lastDataset = dataset }
        for candidate in candidates { apply(candidate, slab, task, &lastDataset, now) }
        tasks[task].done += candidates.count
        tasks[task].updated = now
    }

    /// What an older import says of keys that are in use or repeated among its rows; nil when there are none.
    mutating func duplicates(among candidates: ArraySlice<Candidate>, of slab: Int32) -> String? {
        var seen: Set<[UInt8]> = []
        var names: [String] = []
        for candidate in candidates {
            guard let span = candidate.globalKey, !settings.legacyIgnoresKeys else { continue }
            let key = slabs[text(span.unquoted, slab)]
            if row(globalKey: key) != nil || !seen.insert(Array(key)).inserted {
                names.append(String(decoding: key, as: UTF8.self))
            }
        }
        return names.isEmpty ? nil : "Duplicate global keys found: \(names.joined(separator: ", "))"
    }

    /// Refuses rows together, for the sake of some of them.
    mutating func refuse(_ candidates: ArraySlice<Candidate>, of slab: Int32, in task: Int, _ message: String) {
        for candidate in candidates {
            tasks[task].failures.append(
                .init(payload: piece(candidate.payload, slab), problem: .other(message)))
        }
        tasks[task].refusal = message
        tasks[task].done += candidates.count
    }

    private mutating func apply(
        _ candidate: Candidate, _ slab: Int32, _ task: Int, _ lastDataset: inout Int32, _ now: Moment
    ) {
        let payload = piece(candidate.payload, slab)
        func refuse(_ world: inout World, _ problem: Problem) {
            world.tasks[task].failures.append(.init(payload: payload, problem: problem))
        }
        if let problem = candidate.problem { return refuse(&self, problem) }

        var dataset = lastDataset
        if case .upsert = tasks[task].form {
            guard let id = candidate.dataset, let number = datasetNumber(slabs[piece(id, slab)], last: &lastDataset)
            else {
                return refuse(&self, .other("Dataset not found"))
            }
            dataset = number
        }
        if let data = candidate.rowData, isGoneFile(slabs[piece(data, slab)]) {
            return refuse(&self, .other("Failed to access URL: 404:The specified resource does not exist."))
        }

        var isKeyed = true
        if case .legacy = tasks[task].form { isKeyed = !settings.legacyIgnoresKeys }
        let key = isKeyed ? candidate.globalKey.map { text($0.unquoted, slab) } : nil
        var existing: Int32?
        switch candidate.match {
        case .auto: break
        case .unknown: return refuse(&self, .other("Unknown id type"))
        case .globalKey: existing = row(globalKey: slabs[text(candidate.matchValue, slab)])
        case .id:
            existing = row(id: String(decoding: slabs[piece(candidate.matchValue, slab)], as: UTF8.self))
            if existing == nil { return refuse(&self, .other("Data row not found")) }
        }
        if let key, let holder = row(globalKey: slabs[key]), holder != existing {
            return refuse(&self, .duplicateGlobalKey)
        }
        if let existing {
            update(existing, with: payload, now: now)
            tasks[task].rows.append(existing)
            tasks[task].updatedCount += 1
            return
        }
        guard let data = candidate.rowData ?? tiles(candidate, slab) else {
            return refuse(&self, .other("Row data is required"))
        }
        let fallback = candidate.match == .globalKey ? text(candidate.matchValue, slab) : Piece.none
        let number = insert(
            Row(
                dataset: dataset, payload: payload, externalID: candidate.externalID.map { piece($0, slab) } ?? .none,
                rowData: piece(data, slab), globalKey: key ?? fallback, created: now, updated: now))
        tasks[task].rows.append(number)
        tasks[task].createdCount += 1
    }

    private func piece(_ span: Span, _ slab: Int32) -> Piece {
        Piece(slab: slab, start: Int32(span.start), count: Int32(span.count))
    }

    /// A string's decoded text: in place when it has no escapes.
    private mutating func text(_ span: Span, _ slab: Int32) -> Piece {
        let raw = piece(span, slab)
        guard slabs[raw].contains(UInt8(ascii: "\\")) else { return raw }
        return slabs.keep(decodedString(slabs[raw]))
    }

    /// An older tiled imagery item is its own row data.
    private func tiles(_ candidate: Candidate, _ slab: Int32) -> Span? {
        let text = slabs[piece(candidate.payload, slab)]
        return ByteSearch("\"tileLayerUrl\"".utf8).first(in: text) == nil ? nil : candidate.payload
    }

    /// Whether row data names a file of ours that is not there.
    private func isGoneFile(_ literal: UnsafeBufferPointer<UInt8>) -> Bool {
        guard !fileLiteral.isEmpty, literal.count >= fileLiteral.count,
            fileLiteral.withUnsafeBufferPointer({
                KeyIndex.same($0, UnsafeBufferPointer(rebasing: literal.prefix($0.count)))
            })
        else { return false }
        return file(at: String(decoding: literal.dropFirst().dropLast(), as: UTF8.self)) == nil
    }

    /// Changes the given keys of a row and keeps the others.
    mutating func update(_ number: Int32, with changes: Piece, now: Moment) {
        let old = rows[Int(number)]
        guard
            let merged = try? Self.merged(slabs[old.payload], slabs[changes]),
            let spans = try? merged.withUnsafeBufferPointer({ (bytes) throws(JSONError) in try Self.fields(of: bytes) })
        else { return }
        let payload = slabs.keep(merged)
        func place(_ span: Span?) -> Piece {
            span.map { Piece(slab: payload.slab, start: payload.start + Int32($0.start), count: Int32($0.count)) }
                ?? .none
        }
        var row = old
        row.payload = payload
        row.externalID = place(spans.externalID)
        row.rowData = place(spans.rowData ?? Span(start: 0, count: merged.count))
        let key = place(spans.globalKey)
        row.globalKey = key.exists ? slabs.keep(decodedLiteral(key)) : old.globalKey
        row.updated = now
        replace(number, with: row)
    }

    /// One object with the members of both; the second wins.
    package static func merged(
        _ old: UnsafeBufferPointer<UInt8>, _ new: UnsafeBufferPointer<UInt8>
    ) throws(JSONError) -> [UInt8] {
        var members: [(key: [UInt8], value: UnsafeBufferPointer<UInt8>)] = []
        for text in [old, new] {
            var scanner = JSONScanner(text)
            try scanner.members { (key, scanner) throws(JSONError) in
                let name = Array(scanner.slice(key))
                let value = scanner.slice(try scanner.value())
                if let index = members.firstIndex(where: { $0.key == name }) {
                    members[index].value = value
                } else {
                    members.append((name, value))
                }
            }
        }
        var output = JSONOutput(reserving: old.count + new.count)
        for (index, member) in members.enumerated() {
            output.raw(index == 0 ? "{" : ",")
            output.raw(member.key)
            output.raw(":")
            output.raw(member.value)
        }
        output.raw(members.isEmpty ? "{}" : "}")
        return output.bytes
    }

    private static func fields(of payload: UnsafeBufferPointer<UInt8>) throws(JSONError) -> Candidate {
        var candidate = Candidate()
        var scanner = JSONScanner(payload)
        try scanner.members { (key, scanner) throws(JSONError) in
            let value = try scanner.value()
            if scanner.isNull(value) { return }
            if scanner.matches(key, "row_data") || scanner.matches(key, "data") { candidate.rowData = value }
            if scanner.matches(key, "external_id") || scanner.matches(key, "externalId") {
                candidate.externalID = value
            }
            if scanner.matches(key, "global_key") || scanner.matches(key, "globalKey") { candidate.globalKey = value }
        }
        return candidate
    }
}
