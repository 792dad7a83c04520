import LabelboxSimulator
import Testing

@Suite("The world")
struct WorldTests {
    private let start = Moment(milliseconds: 1_700_000_000_000)

    private func world(_ change: (inout Simulator.Settings) -> Void = { _ in }) -> World {
        var settings = Simulator.Settings()
        change(&settings)
        var world = World(settings: settings, now: start)
        _ = world.createDataset(id: "D", name: "default", now: start)
        return world
    }

    @discardableResult
    private func add(
        _ key: String?, to world: inout World, dataset: String = "D", at now: Moment? = nil
    ) throws -> JSONValue {
        try world.respond(
            to: "mutation($d: ID!, $k: String) { createDataRow(data: {externalId: $k, globalKey: $k, rowData: \"x\", "
                + "dataset: {connect: {id: $d}}}) { id globalKey } }",
            variables: ["d": .string(dataset), "k": key.map { .string($0) } ?? .null], now: now ?? start)
    }

    private func look(up keys: [String], in world: inout World, at now: Moment) throws -> [String] {
        let job = try world.respond(
            to: "query($k: [ID!]!) { dataRowsForGlobalKeys(where: {ids: $k}) { jobId } }",
            variables: ["k": .list(keys.map { .string($0) })], now: now)
        let id = job["data"]?["dataRowsForGlobalKeys"]?["jobId"] ?? .null
        let answer = try world.respond(
            to:
                "query($j: ID!) { dataRowsForGlobalKeysResult(jobId: {id: $j}) { jobStatus data { notFoundGlobalKeys } } }",
            variables: ["j": id], now: now)
        let result = answer["data"]?["dataRowsForGlobalKeysResult"]
        #expect(result?["jobStatus"] == "COMPLETE")
        return (result?["data"]?["notFoundGlobalKeys"]?.list ?? []).compactMap(\.string)
    }

    @Test("global keys are unique in the organization, not just in a dataset")
    func duplicates() throws {
        var world = world()
        _ = world.createDataset(id: "E", name: "other", now: start)
        try add("k", to: &world)
        let refused = try add("k", to: &world, dataset: "E")
        #expect(refused["errors"]?.list?.first?["message"] == "Duplicate global key: 'k'")
        #expect(refused["data"]?["createDataRow"] == .null)
        #expect(try add(nil, to: &world)["errors"] == nil)
        #expect(try add(nil, to: &world)["errors"] == nil)
    }

    @Test("pages follow the cursor, newest first, and leave deleted rows out")
    func paging() throws {
        var world = world()
        var ids: [String] = []
        for number in 0..<23 {
            let row = try add("k\(number)", to: &world)["data"]?["createDataRow"]
            ids.append(row?["id"]?.string ?? "")
        }
        _ = try world.respond(
            to: "mutation($i: ID!) { deleteDataRows(where: {dataRowIds: [$i]}) { id } }",
            variables: ["i": .string(ids[10])],
            now: start)
        var seen: [String] = []
        var cursor: JSONValue = .null
        repeat {
            let answer = try world.respond(
                to: "query($f: ID) { datasetDataRows(id: \"D\", from: $f, first: 5) "
                    + "{ nodes { id } pageInfo { startCursor hasNextPage } } }", variables: ["f": cursor], now: start)
            let page = answer["data"]?["datasetDataRows"]
            let rows = (page?["nodes"]?.list ?? []).compactMap { $0["id"]?.string }
            #expect(rows.count <= 5)
            seen += rows
            cursor = page?["pageInfo"]?["startCursor"] ?? .null
        } while !cursor.isNull && seen.count < 100
        ids.remove(at: 10)
        #expect(seen == ids.reversed())
    }

    @Test("a key is found only after the index's lag, and is taken at once")
    func lag() throws {
        var world = world { $0.indexLag = .seconds(3) }
        try add("k", to: &world)
        #expect(try look(up: ["k"], in: &world, at: start + .milliseconds(2999)) == ["k"])
        #expect(try look(up: ["k", "n"], in: &world, at: start + .seconds(3)) == ["n"])
        #expect(try add("k", to: &world, at: start)["errors"] != nil)
    }

    @Test("a look-up takes its time")
    func jobs() throws {
        var world = world { $0.jobDelay = .seconds(2) }
        _ = try world.respond(to: "{ dataRowsForGlobalKeys(where: {ids: [\"a\"]}) { jobId } }", now: start)
        let ask = "{ dataRowsForGlobalKeysResult(jobId: {id: \"\(Identifier.make("cmjob", 1))\"}) { jobStatus } }"
        func status(_ seconds: Int) throws -> JSONValue? {
            try world.respond(to: ask, now: start + .seconds(seconds))["data"]?["dataRowsForGlobalKeysResult"]?[
                "jobStatus"]
        }
        #expect(try status(1) == "IN_PROGRESS")
        #expect(try status(2) == "COMPLETE")
    }

    @Test("twenty thousand keys are all found again, also after deletes")
    func manyKeys() throws {
        var world = world()
        var ids: [JSONValue] = []
        for number in 0..<20_000 {
            ids.append(try add("key-\(number)", to: &world)["data"]?["createDataRow"]?["id"] ?? .null)
        }
        let odd = ids.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        let deleted = try world.respond(
            to: "mutation($i: [ID!]!) { deleteDataRows(where: {dataRowIds: $i}) { deleted } }",
            variables: ["i": .list(odd)],
            now: start)
        #expect(deleted["data"]?["deleteDataRows"]?.list?.count == 10_000)
        let missing = try look(up: (0..<20_000).map { "key-\($0)" }, in: &world, at: start)
        #expect(missing == stride(from: 1, to: 20_000, by: 2).map { "key-\($0)" })
        for number in stride(from: 1, to: 20_000, by: 2) { try add("key-\(number)", to: &world) }
        #expect(try look(up: (0..<20_000).map { "key-\($0)" }, in: &world, at: start) == [])
    }

    @Test("rows are found by external ids through deletes and changes, all that share one")
    func externalIDs() throws {
        var world = world()
        func find(_ names: [String]) throws -> [String: [String]] {
            let answer = try world.respond(
                to: "query($i: [String!]!) { externalIdsToDataRowIds(externalId_in: $i) { dataRowId externalId } }",
                variables: ["i": .list(names.map { .string($0) })], now: start)
            var found: [String: [String]] = [:]
            for entry in answer["data"]?["externalIdsToDataRowIds"]?.list ?? [] {
                found[entry["externalId"]?.string ?? "", default: []].append(entry["dataRowId"]?.string ?? "")
            }
            return found
        }
        var ids: [String] = []
        // Enough to make the index grow while it is in use.
        for number in 0..<5_000 {
            let answer = try world.respond(
                to: "mutation($k: String, $e: String) { createDataRow(data: {externalId: $e, globalKey: $k, "
                    + "rowData: \"x\", dataset: {connect: {id: \"D\"}}}) { id } }",
                variables: ["k": .string("k\(number)"), "e": .string("e \\\" \(number / 2)")], now: start)
            ids.append(answer["data"]?["createDataRow"]?["id"]?.string ?? "")
            if number == 2_500 { #expect(try find(["e \\\" 7"]) == ["e \\\" 7": [ids[14], ids[15]]]) }
        }
        #expect(try find(["e \\\" 2499", "nobody"]) == ["e \\\" 2499": [ids[4_998], ids[4_999]]])
        _ = try world.respond(
            to: "mutation($i: ID!) { deleteDataRows(where: {dataRowIds: [$i]}) { id } }",
            variables: ["i": .string(ids[14])], now: start)
        #expect(try find(["e \\\" 7"]) == ["e \\\" 7": [ids[15]]])
        let rename = "mutation($i: ID!) { updateDataRow(where: {id: $i}, data: {externalId: \"new\"}) { id } }"
        for id in [ids[15], ids[16]] {
            _ = try world.respond(to: rename, variables: ["i": .string(id)], now: start)
        }
        #expect(
            try find(["e \\\" 7", "e \\\" 8", "new"]) == ["e \\\" 8": [ids[17]], "new": [ids[15], ids[16]]])
    }

    @Test("more than 10,000 deletes in a call are refused")
    func deleteLimit() throws {
        var world = world()
        let answer = try world.respond(
            to: "mutation($i: [ID!]!) { deleteDataRows(where: {dataRowIds: $i}) { id } }",
            variables: ["i": .list(Array(repeating: "x", count: 10_001))], now: start)
        #expect(answer["errors"]?.list?.first?["extensions"]?["code"] == "MALFORMED_REQUEST")
    }

    @Test("a field that fails leaves the others standing")
    func partial() throws {
        var world = world()
        let answer = try world.respond(
            to: "{ a: dataset(where: {id: \"D\"}) { name } b: dataset(where: {id: \"nope\"}) { name } }", now: start)
        #expect(answer["data"] == ["a": ["name": "default"], "b": JSONValue.null])
        let error = answer["errors"]?.list?.first
        #expect(error?["extensions"]?["code"] == "RESOURCE_NOT_FOUND")
        #expect(error?["path"] == ["b"])
    }

    @Test("times are written as the service writes them")
    func times() {
        #expect(Moment(milliseconds: 1_700_000_000_007).text == "2023-11-14T22:13:20.007Z")
    }
}
