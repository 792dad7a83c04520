extension World {
    func datasetField(_ field: Selected, of number: Int32, now: Moment) -> Node {
        let dataset = datasets[Int(number)]
        switch field.name {
        case "id": return .text(dataset.id)
        case "name": return .text(dataset.name)
        case "description": return .text(dataset.description)
        case "rowCount": return .int(dataset.liveRows)
        case "createdAt": return .time(dataset.created)
        case "updatedAt": return .time(dataset.updated)
        case "deleted": return .bool(dataset.isDeleted)
        case "dataRows":
            let skip = max(0, field["skip"]?.int ?? 0)
            let first = max(0, min(field["first"]?.int ?? 100, settings.maximumPage))
            let rows = page(of: number, after: nil, first: skip + first, where: filter(field["where"], now)).rows
            return .rows(Array(rows.dropFirst(skip)))
        default: return .null
        }
    }

    func requiredDataset(_ id: String?) throws(GraphQLError) -> Int32 {
        guard let id, let number = datasetNumber(id) else { throw GraphQLError(.notFound, "Dataset not found") }
        return number
    }

    func dataset(_ field: Selected) throws(GraphQLError) -> Node {
        .dataset(try requiredDataset(field["where"]?["id"]?.string))
    }

    func datasets(_ field: Selected) -> Node { datasets(field, among: datasets.indices.map(Int32.init)) }

    /// A page of those of some datasets that meet the condition.
    func datasets(_ field: Selected, among numbers: [Int32]) -> Node {
        let conditions = field["where"].map { $0["AND"]?.list ?? [$0] } ?? []
        let found = numbers.filter { number in
            let dataset = datasets[Int(number)]
            let wantsDeleted = conditions.compactMap { $0["deleted"]?.bool }.last ?? false
            guard dataset.isDeleted == wantsDeleted else { return false }
            return conditions.allSatisfy { condition in
                if let id = condition["id"]?.string, id != dataset.id { return false }
                if let name = condition["name"]?.string, name != dataset.name { return false }
                if let part = condition["name_contains"]?.string, !dataset.name.contains(part) { return false }
                return true
            }
        }
        let skip = max(0, field["skip"]?.int ?? 0)
        let first = max(0, min(field["first"]?.int ?? 100, 100))
        return .list(found.dropFirst(skip).prefix(first).map { .dataset($0) })
    }

    mutating func createDataset(_ field: Selected, _ context: RequestContext) -> Node {
        let id = createDataset(
            name: field["data"]?["name"]?.string ?? "", description: field["data"]?["description"]?.string ?? "",
            now: context.now)
        return datasetNumber(id).map { .dataset($0) } ?? .null
    }

    mutating func updateDataset(_ field: Selected, _ context: RequestContext) throws(GraphQLError) -> Node {
        let number = try requiredDataset(field["where"]?["id"]?.string)
        if let name = field["data"]?["name"]?.string { datasets[Int(number)].name = name }
        if let text = field["data"]?["description"]?.string { datasets[Int(number)].description = text }
        if field["data"]?["deleted"]?.bool == true { deleteDataset(number, now: context.now) }
        datasets[Int(number)].updated = context.now
        return .dataset(number)
    }

    mutating func deleteDataset(_ field: Selected, _ context: RequestContext) throws(GraphQLError) -> Node {
        let number = try requiredDataset(field["where"]?["id"]?.string)
        deleteDataset(number, now: context.now)
        return .dataset(number)
    }

    /// Pages by cursor.
    ///
    /// The cursor is the last row's id and, as with the service, it is called `startCursor`.
    mutating func datasetDataRows(_ field: Selected, _ context: RequestContext) throws(GraphQLError) -> Node {
        let number = try requiredDataset(field["id"]?.string)
        let first = max(0, min(field["first"]?.int ?? 100, settings.maximumPage))
        let cursor = field["from"]?.string.flatMap { Identifier.number("cmr", in: $0) }.map { Int32($0) }
        let page: (rows: [Int32], hasMore: Bool)
        if let externalID = externalID(in: field["where"]) {
            let named = rows(externalID: externalID, now: context.now)
            // Made after the index has grown: it holds on to the world as it is.
            let matches = filter(field["where"], context.now)
            let found = named.filter { row in
                rows[Int(row)].dataset == number && (cursor.map { row < $0 } ?? true) && matches(row)
            }
            page = (Array(found.prefix(first)), found.count > first)
        } else {
            page = self.page(of: number, after: cursor, first: first, where: filter(field["where"], context.now))
        }
        let last: Node = page.hasMore ? .text(page.rows.last.map(World.rowID)) : .null
        return .fields(
            type: "DataRowConnection",
            [
                "nodes": .rows(page.rows), "totalCount": .int(datasets[Int(number)].liveRows),
                "pageInfo": .fields(
                    type: "PageInfo", ["hasNextPage": .bool(page.hasMore), "startCursor": last, "endCursor": last]),
            ])
    }

    /// The external id that a condition asks for.
    private func externalID(in condition: JSONValue?) -> String? {
        let conditions = condition.map { $0["AND"]?.list ?? [$0] } ?? []
        return conditions.compactMap { $0["externalId"]?.string }.first
    }

    private func filter(_ condition: JSONValue?, _ now: Moment) -> (Int32) -> Bool {
        let conditions = condition.map { $0["AND"]?.list ?? [$0] } ?? []
        guard !conditions.isEmpty else { return { _ in true } }
        return { row in
            conditions.allSatisfy { condition in
                if let id = condition["id"]?.string, World.rowID(row) != id { return false }
                if let text = condition["externalId"]?.string {
                    guard self.row(row, hasExternalID: text) else { return false }
                    guard self.rows[Int(row)].created + self.settings.indexLag <= now else { return false }
                }
                if let key = condition["globalKey"]?.string, self.indexedRow(globalKey: key, now: now) != row {
                    return false
                }
                return true
            }
        }
    }
}
