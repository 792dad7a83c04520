import Foundation
import Testing

/// What a manifest names for deletion goes, and nothing else.
@Suite("Deletions", .serialized)
struct DeletionTests {
    private static let allowed = "operations: [create, upsert, update, delete]"

    /// Rows `PREFIX0`, `PREFIX1`, … with that as global key and as external id.
    static func rows(_ prefix: String, _ range: Range<Int>) -> String {
        range.map {
            #"{"row_data":"https://example.com/\#(prefix)\#($0).jpg","global_key":"\#(prefix)\#($0)","external_id":"\#(prefix)\#($0)"}"#
        }.joined(separator: "\n")
    }

    private func keys(_ site: Site, _ dataset: String = Simulator.dataset) async throws -> [String] {
        try await site.simulator.rows(dataset).compactMap { $0["global_key"].string }.sorted()
    }

    private func envelope(_ rows: [String], dataset: String? = nil) -> String {
        let place = dataset.map { #""dataset_id": "\#($0)", "# } ?? ""
        return "{\(place)\"operation\": \"delete\", \"rows\": [\n\(rows.joined(separator: ",\n"))\n]}"
    }

    @Test(
        "rows are deleted by global key, external id and id, each with its fate in the results", .timeLimit(.minutes(2))
    )
    func names() async throws {
        try await Site.with(SiteSettings(watch: [Self.allowed])) { site in
            try await site.start()
            try site.drop("rows.ndjson", Self.rows("k", 0..<8))
            let made = try site.results(try await site.ended("rows.ndjson"))
            let ids = made.compactMap { $0["data_row_id"].string }
            try #require(ids.count == 8)

            try site.drop(
                "gone.json",
                envelope([
                    #"{"global_key": "k0"}"#, #"{"external_id": "k1"}"#, #"{"id": "\#(ids[2])"}"#,
                    #"{"key": {"id": "\#(ids[3])"}}"#, #"{"key": {"global_key": "k4"}}"#,
                    #"{"global_key": "nobody"}"#, #"{"external_id": "nobody"}"#, #"{"id": "nobody"}"#, #""k5""#,
                    #"{"global_key": "k6", "row_data": "https://example.com/k6.jpg"}"#,
                ]))
            let status = try await site.ended("gone.json")
            #expect(status["state"].string == "complete_with_errors", "\(status)")
            #expect(status["operation"].string == "delete")
            #expect(status["rows"]["deleted"].int == 5)
            #expect(status["rows"]["failed"].int == 3)
            #expect(status["rows"]["rejected"].int == 2)
            let results = try site.results(status)
            #expect(
                results.map { $0["outcome"].string } == Array(repeating: "deleted", count: 5)
                    + Array(repeating: "failed", count: 3) + ["rejected", "rejected"])
            #expect(results.prefix(5).map { $0["data_row_id"].string } == ids.prefix(5).map { $0 })
            #expect(results.prefix(5).map { $0["global_key"].string } == ["k0", nil, nil, nil, "k4"])
            #expect(results[5...7].map { $0["error"]["code"].string } == ["not_found", "not_found", "not_found"])
            #expect(try await keys(site) == ["k5", "k6", "k7"])

            // What is gone is said to be gone; nobody else is looked for.
            try site.drop("again.json", envelope([#"{"global_key": "k0"}"#, #"{"id": "\#(ids[2])"}"#]))
            let again = try await site.ended("again.json")
            #expect(again["state"].string == "failed", "\(again)")
            #expect(try site.results(again).map { $0["error"]["code"].string } == ["not_found", "not_found"])
            #expect(try await keys(site) == ["k5", "k6", "k7"])
        }
    }

    @Test("without permission in the watch a manifest deletes nothing", .timeLimit(.minutes(2)))
    func permission() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop("rows.ndjson", Self.rows("k", 0..<2))
            try await site.ended("rows.ndjson")
            try site.drop("gone.json", envelope([#"{"global_key": "k0"}"#]))
            let status = try await site.ended("gone.json")
            #expect(status["state"].string == "rejected", "\(status)")
            #expect(status["errors"].list.first?["code"].string == "operation_not_allowed")
            #expect(try await keys(site) == ["k0", "k1"])
            #expect(try await deletions(site) == 0)
        }
    }

    private func deletions(_ site: Site) async throws -> Int {
        try await site.simulator.state()["requests"]["by_operation"]["deleteDataRows"].int ?? 0
    }

    @Test("a name of several rows, or of a row elsewhere, deletes none of them", .timeLimit(.minutes(2)))
    func ambiguity() async throws {
        try await Site.with(SiteSettings(watch: [Self.allowed])) { site in
            try await site.start()
            func row(_ key: String, _ externalID: String) -> String {
                #"{"row_data":"https://example.com/\#(key)","global_key":"\#(key)","external_id":"\#(externalID)"}"#
            }
            let here = ["a1 twin", "a2 twin", "b1 both", "c1 mine"].map { $0.split(separator: " ").map(String.init) }
            let there = ["b2 both", "d1 theirs", "d2 theirs"].map { $0.split(separator: " ").map(String.init) }
            try site.drop("here.json", "[\(here.map { row($0[0], $0[1]) }.joined(separator: ","))]")
            try site.drop(
                "there.json",
                #"{"dataset_id": "\#(Simulator.otherDataset)", "rows": [\#(there.map { row($0[0], $0[1]) }.joined(separator: ","))]}"#
            )
            let twins = try site.results(try await site.ended("here.json")).prefix(2).compactMap {
                $0["data_row_id"].string
            }
            let elsewhere = try site.results(try await site.ended("there.json"))
            let other = try #require(elsewhere.last?["data_row_id"].string)

            try site.drop(
                "gone.json",
                envelope([
                    #"{"external_id": "twin"}"#, #"{"external_id": "both"}"#, #"{"external_id": "theirs"}"#,
                    #"{"global_key": "d1"}"#, #"{"id": "\#(other)"}"#, #"{"external_id": "mine"}"#,
                ]))
            let status = try await site.ended("gone.json")
            let results = try site.results(status)
            #expect(
                results.map { $0["error"]["code"].string }
                    == ["several_matches", nil, "not_found", "other_dataset", "other_dataset", nil], "\(results)")
            let message = try #require(results.first?["error"]["message"].string)
            for id in twins { #expect(message.contains(id), "the rows in question are listed") }
            #expect(try await keys(site) == ["a1", "a2"])
            #expect(try await keys(site, Simulator.otherDataset) == ["b2", "d1", "d2"])
        }
    }

    @Test("many rows go over several calls, of as many rows as are allowed", .timeLimit(.minutes(3)))
    func manyCalls() async throws {
        try await Site.with(SiteSettings(watch: [Self.allowed, "deletes_per_request: 30"])) { site in
            try await site.start()
            try site.drop("rows.ndjson", Self.rows("k", 0..<200))
            try await site.ended("rows.ndjson")
            let named = (0..<100).map { #"{"global_key": "k\#($0)"}"# }
            // Twice in one manifest is once on the server.
            try site.drop("gone.json", envelope(named + [#"{"external_id": "k99"}"#]))
            let status = try await site.ended("gone.json")
            #expect(status["state"].string == "complete", "\(status)")
            #expect(status["rows"]["deleted"].int == 101)
            #expect(try await deletions(site) == 4)
            #expect(try await keys(site) == (100..<200).map { "k\($0)" }.sorted())
        }
    }

    @Test("a server that takes fewer rows at a time gets fewer", .timeLimit(.minutes(2)))
    func smallServer() async throws {
        let settings = SiteSettings(simulator: ["--max-deletes", "16"], watch: [Self.allowed])
        try await Site.with(settings) { site in
            try await site.start()
            try site.drop("rows.ndjson", Self.rows("k", 0..<70))
            try await site.ended("rows.ndjson")
            try site.drop("gone.json", envelope((0..<60).map { #"{"global_key": "k\#($0)"}"# }))
            let status = try await site.ended("gone.json")
            #expect(status["rows"]["deleted"].int == 60, "\(status)")
            #expect(try await keys(site) == (60..<70).map { "k\($0)" })
        }
    }

    @Test(
        "a deletion without an answer is found out, and every line of the results is true",
        .timeLimit(.minutes(3)), arguments: ["lost", "lost-502", "truncated", "reset"])
    func lostAnswer(kind: String) async throws {
        try await Site.with(SiteSettings(watch: [Self.allowed])) { site in
            try await site.start()
            try site.drop("rows.ndjson", Self.rows("k", 0..<20))
            try await site.ended("rows.ndjson")
            try await site.simulator.addFaults(
                #"{"rates": {"\#(kind)": 1}, "operations": ["deleteDataRows"], "count": 1}"#)
            try site.drop(
                "gone.json", envelope((0..<10).map { #"{"global_key": "k\#($0)"}"# } + [#"{"id": "nobody"}"#]))
            try await site.status(of: "gone.json", "is in doubt") {
                $0["tasks"].list.first?["status"].string == "ambiguous"
            }
            let isDone = kind != "reset"
            #expect(try await keys(site).count == (isDone ? 10 : 20))
            if isDone {
                // The key is free again, and somebody else takes it: that row was never named.
                _ = try await site.simulator.createRow(
                    #"{"query": "mutation { createDataRow(data: {globalKey: \"k0\", externalId: \"new\", rowData: \"x\", dataset: {connect: {id: \"\#(Simulator.dataset)\"}}}) { id } }"}"#
                )
            }
            let status = try await site.ended("gone.json")
            #expect(status["rows"]["deleted"].int == 10, "\(status)")
            #expect(status["rows"]["failed"].int == 1)
            #expect(try site.results(status).last?["error"]["code"].string == "not_found")
            let left = try await site.simulator.rows()
            #expect(left.count == (isDone ? 11 : 10))
            #expect(left.contains { $0["external_id"].string == "new" } == isDone)
            // What was carried out is not asked for again.
            #expect(try await deletions(site) == (isDone ? 1 : 2))
        }
    }

    @Test("kill -9 at any moment, with answers lost: what is named is gone, all else is there", .timeLimit(.minutes(6)))
    func killed() async throws {
        var chance = Chance(seed: Chance.seed())
        print("kill -9 while deleting: seed \(chance.seed)")
        let settings = SiteSettings(watch: [Self.allowed, "deletes_per_request: 25", "linger: 50ms"])
        try await Site.with(settings) { site in
            try await site.start()
            try site.drop("rows.ndjson", Self.rows("k", 0..<1_000))
            let ids = try site.results(try await site.ended("rows.ndjson")).compactMap { $0["data_row_id"].string }
            try await site.simulator.addFaults(
                #"{"rates": {"lost": 0.15, "reset": 0.1, "lost-502": 0.1}, "operations": ["deleteDataRows"]}"#)
            // The even rows are named, by all sorts of names, and beside them some that nobody has.
            for manifest in 0..<5 {
                let rows = stride(from: manifest * 200, to: manifest * 200 + 200, by: 2).map { number in
                    switch number / 2 % 3 {
                    case 0: #"{"global_key": "k\#(number)"}"#
                    case 1: #"{"external_id": "k\#(number)"}"#
                    default: #"{"id": "\#(ids[number])"}"#
                    }
                }
                try site.drop("\(manifest).json", envelope(rows + [#"{"global_key": "nobody \#(manifest)"}"#]))
            }
            for _ in 0..<8 {
                try await Task.sleep(for: .milliseconds(chance.number(in: 50...1_500)))
                try site.expectDaemonRuns()
                site.kill()
                try site.launch()
            }
            for manifest in 0..<5 {
                let status = try await site.ended("\(manifest).json", within: .seconds(240))
                #expect(status["rows"]["deleted"].int == 100, "\(status)")
                #expect(status["rows"]["failed"].int == 1)
                let results = try site.results(status)
                #expect(results.map { $0["row"].int } == Array(0...100))
                for line in results.dropLast() {
                    let number = try #require(line["row"].int) * 2 + manifest * 200
                    #expect(line["outcome"].string == "deleted")
                    #expect(line["data_row_id"].string == ids[number])
                }
                #expect(results.last?["error"]["code"].string == "not_found")
            }
            #expect(try await keys(site) == stride(from: 1, to: 1_000, by: 2).map { "k\($0)" }.sorted())
        }
    }
}
