extension World {
    func requiredRow(_ id: String?) throws(GraphQLError) -> Int32 {
        guard let id, let number = row(id: id) else { throw GraphQLError(.notFound, "DataRow not found") }
        return number
    }

    func dataRow(_ field: Selected) throws(GraphQLError) -> Node {
        .row(try requiredRow(field["where"]?["id"]?.string))
    }

    mutating func createDataRow(_ field: Selected, _ context: RequestContext) throws(GraphQLError) -> Node {
        let data = field["data"] ?? .null
        let dataset = try requiredDataset(data["dataset"]?["connect"]?["id"]?.string)
        guard let rowData = data["rowData"]?.string, !rowData.isEmpty else {
            throw GraphQLError(.malformed, "rowData is required")
        }
        if let key = data["globalKey"]?.string, holder(of: key) != nil {
            throw GraphQLError(.malformed, "Duplicate global key: '\(key)'")
        }
        let payload = self.payload(from: data)
        let piece = slabs.keep(Array(payload.text.utf8))
        let spec = spec(of: piece)
        let key = spec.globalKey.exists ? slabs.keep(decodedLiteral(spec.globalKey)) : .none
        return .row(
            insert(
                Row(
                    dataset: dataset, payload: piece, externalID: spec.externalID, rowData: spec.rowData,
                    globalKey: key,
                    created: context.now, updated: context.now)))
    }

    mutating func updateDataRow(_ field: Selected, _ context: RequestContext) throws(GraphQLError) -> Node {
        let number = try requiredRow(field["where"]?["id"]?.string)
        let data = field["data"] ?? .null
        if let key = data["globalKey"]?.string, let holder = holder(of: key), holder != number {
            throw GraphQLError(.malformed, "Duplicate global key: '\(key)'")
        }
        update(number, with: slabs.keep(Array(payload(from: data).text.utf8)), now: context.now)
        return .row(number)
    }

    mutating func deleteDataRows(_ field: Selected, _ context: RequestContext) throws(GraphQLError) -> Node {
        let ids = field["where"]?["dataRowIds"]?.list ?? []
        guard ids.count <= settings.maximumDeletes else {
            throw GraphQLError(.malformed, "At most \(settings.maximumDeletes) data rows can be deleted in a call")
        }
        var results: [Node] = []
        results.reserveCapacity(ids.count)
        for id in ids {
            guard let text = id.string, let number = row(id: text), delete(number, now: context.now) else { continue }
            results.append(.fields(type: "DeletedDataRow", ["id": .value(id), "deleted": .bool(true)]))
        }
        return .list(results)
    }

    /// The one who has a key now, whatever lookups know.
    private func holder(of key: String) -> Int32? {
        var text = key
        return text.withUTF8 { row(globalKey: $0) }
    }

    private func payload(from data: JSONValue) -> JSONValue {
        var members: [JSONValue.Member] = []
        for (name, key) in [("rowData", "row_data"), ("externalId", "external_id"), ("globalKey", "global_key")] {
            if let value = data[name], !value.isNull { members.append(.init(key, value)) }
        }
        return .object(members)
    }

    // MARK: Looking up

    mutating func externalIDsToDataRowIDs(_ field: Selected, _ context: RequestContext) -> Node {
        var found: [Node] = []
        for id in Set((field["externalId_in"]?.list ?? []).compactMap { $0.string }).sorted() {
            for row in rows(externalID: id, now: context.now).reversed() {
                found.append(
                    .fields(
                        type: "ExternalIdToDataRowId", ["dataRowId": .text(Self.rowID(row)), "externalId": .text(id)]))
            }
        }
        return .list(found)
    }

    mutating func dataRowsForGlobalKeys(_ field: Selected, _ context: RequestContext) -> Node {
        let keys = (field["where"]?["ids"]?.list ?? []).compactMap { $0.string }
        jobs.append(Job(keys: keys, due: context.now + settings.jobDelay))
        return .fields(type: "DataRowsJob", ["jobId": .text(Identifier.make("cmjob", jobs.count))])
    }

    func dataRowsForGlobalKeysResult(_ field: Selected, _ context: RequestContext) throws(GraphQLError) -> Node {
        guard let number = Identifier.number("cmjob", in: field["jobId"]?["id"]?.string ?? ""), number >= 1,
            number <= jobs.count
        else { throw GraphQLError(.notFound, "Job not found") }
        let job = jobs[number - 1]
        guard job.due <= context.now else {
            return .fields(type: "DataRowsForGlobalKeysResult", ["jobStatus": .text("IN_PROGRESS"), "data": .null])
        }
        var fetched: [Node] = []
        var missing: [JSONValue] = []
        for key in job.keys {
            let row = indexedRow(globalKey: key, now: context.now)
            if row == nil { missing.append(.string(key)) }
            fetched.append(.fields(type: "DataRowId", ["id": .text(row.map(Self.rowID) ?? "")]))
        }
        let data: [String: Node] = [
            "fetchedDataRows": .list(fetched), "notFoundGlobalKeys": .value(.list(missing)),
            "accessDeniedGlobalKeys": .value([]), "deletedDataRowGlobalKeys": .value([]),
        ]
        return .fields(
            type: "DataRowsForGlobalKeysResult",
            ["jobStatus": .text("COMPLETE"), "data": .fields(type: "DataRowsForGlobalKeysData", data)])
    }
}
