import Foundation
import Testing

/// Servers that know no `upsertDataRows`: the same rows, handed over in an older way.
@Suite("Older ways of handing over", .serialized)
struct LegacyTests {
    private static func settings(
        _ mutation: String, simulator: [String] = [], watch: [String] = []
    ) -> SiteSettings {
        SiteSettings(simulator: simulator, watch: watch, labelbox: ["submit_with: \(mutation)"])
    }

    private static func lines(_ range: Range<Int>, _ name: String = "row", key: String? = nil) -> String {
        range.map { number in
            let key = key.map { #","global_key":"\#($0) \#(number)""# } ?? ""
            return
                #"{"row_data":"https://example.com/\#(name)/\#(number).jpg","external_id":"\#(name) \#(number)"\#(key)}"#
        }
        .joined(separator: "\n")
    }

    private static let picture = Data((0..<30_000).map { UInt8(truncatingIfNeeded: $0 &* 17) })

    // MARK: appendRowsToDataset

    @Test("appendRowsToDataset: rows with all that they can have arrive as written", .timeLimit(.minutes(2)))
    func append() async throws {
        try await Site.with(Self.settings("appendRowsToDataset")) { site in
            try await site.start()
            try site.drop("a.png", Self.picture)
            try site.drop(
                "rows.json",
                """
                ["a.png",
                 {"row_data": "https://example.com/1.jpg", "external_id": "one", "global_key": "own key",
                  "media_type": "IMAGE", "attachments": [{"type": "RAW_TEXT", "value": "said before"}],
                  "metadata_fields": [{"name": "split", "value": "train"}]},
                 {"row_data": "inline \\u00e9", "external_id": "text"},
                 {"row_data": {"tileLayerUrl": "https://example.com/{z}", "epsg": "EPSG4326", "minZoom": 1.50},
                  "external_id": "tiles"}]
                """)
            let status = try await site.ended("rows.json")
            #expect(status["state"].string == "complete", "\(status)")
            #expect(status["rows"]["submitted"].int == 4)
            #expect(status["rows"]["created"].int == 4)
            #expect(status["tasks"].list.count == 1)
            let results = try site.results(status)
            #expect(results.map { $0["outcome"].string } == Array(repeating: "created", count: 4))
            #expect(Set(results.compactMap { $0["data_row_id"].string }).count == 4)

            let rows = try await site.simulator.rows()
            let byName = Dictionary(grouping: rows) { $0["external_id"].string ?? "" }
            #expect(Set(byName.keys) == ["a.png", "one", "text", "tiles"])
            #expect(rows.allSatisfy { $0["global_key"].string != nil }, "keys are sent in this form, too")
            let one = try #require(byName["one"]?.first)["payload"]
            #expect(
                one.without("metadataFields")
                    == (try JSON(
                        """
                        {"data": "https://example.com/1.jpg", "externalId": "one", "globalKey": "own key",
                         "mediaType": "IMAGE", "attachments": [{"type": "RAW_TEXT", "value": "said before"}]}
                        """)))
            #expect(one["metadataFields"].list.allSatisfy { $0["schemaId"].string != nil })
            #expect(one["metadataFields"].list.count == 2, "an option is two entries")
            let address = try #require(byName["a.png"]?.first?["row_data"].string)
            #expect(try await site.simulator.file(address) == Self.picture)
            #expect(try await site.simulator.rawRows().contains("1.50"))

            let operations = try await site.simulator.calls().flatMap { $0["operations"].list.compactMap(\.string) }
            #expect(operations.filter { $0 == "appendRowsToDataset" }.count == 1)
            #expect(!operations.contains("upsertDataRows"))
            #expect(operations.filter { $0 == "uploadFile" }.count == 2, "the picture and one file of rows")
        }
    }

    @Test("appendRowsToDataset: a row that the server refuses fails with its words", .timeLimit(.minutes(2)))
    func rowErrors() async throws {
        try await Site.with(Self.settings("appendRowsToDataset")) { site in
            try await site.start()
            let rows = ["fine", "poison-row", "also fine"].map { #"{"row_data": "https://example.com/\#($0)"}"# }
            try site.drop("rows.ndjson", rows.joined(separator: "\n"))
            let status = try await site.ended("rows.ndjson")
            #expect(status["rows"]["created"].int == 2, "\(status)")
            #expect(status["errors"].list.compactMap { $0["row"].int } == [1])
            #expect(status["errors"].list.first?["message"].string?.contains("Failed to process the row") == true)

            try site.drop(
                "update.json", #"{"operation": "update", "rows": [{"key": {"global_key": "k"}, "external_id": "x"}]}"#)
            let update = try await site.ended("update.json")
            #expect(update["state"].string == "failed", "\(update)")
            #expect(update["errors"].list.first?["code"].string == "operation_not_supported")
            #expect(update["errors"].list.first?["message"].string?.contains("upsertDataRows") == true)
        }
    }

    @Test(
        "appendRowsToDataset: keys that are in use are found, whatever else was refused for them",
        .timeLimit(.minutes(3)), arguments: ["row", "block", "task"])
    func duplicates(refused: String) async throws {
        let settings = Self.settings("appendRowsToDataset", simulator: ["--legacy-duplicates", refused])
        try await Site.with(settings) { site in
            try await site.start()
            try site.drop("first.ndjson", Self.lines(0..<3, key: "k"))
            let first = try site.results(try await site.ended("first.ndjson"))
            // 1,310 rows of which some exist: 310 would be created and 1,000 refused.
            try site.drop("second.ndjson", Self.lines(0..<1_310, key: "k"))
            let status = try await site.ended("second.ndjson")
            #expect(status["state"].string == "complete", "\(status)")
            #expect(status["rows"]["already_present"].int == 3)
            #expect(status["rows"]["created"].int == 1_307)
            let second = try site.results(status)
            #expect(second.prefix(3).map { $0["data_row_id"] } == first.map { $0["data_row_id"] })
            #expect(
                second.prefix(4).map { $0["outcome"].string } == Array(repeating: "already_present", count: 3) + [
                    "created"
                ])
            #expect(try await site.simulator.rows().count == 1_310)
            let submits = try await site.simulator.state()["submits"]["received"].int ?? 0
            #expect(submits <= 3, "what was refused for others is sent once more, not one by one")
        }
    }

    @Test("appendRowsToDataset: two new rows with one key do not keep others out", .timeLimit(.minutes(3)))
    func repeated() async throws {
        let settings = Self.settings(
            "appendRowsToDataset", simulator: ["--legacy-duplicates", "task"], watch: ["linger: 1m"])
        try await Site.with(settings) { site in
            try await site.start()
            try site.drop("first.ndjson", Self.lines(0..<8, "first", key: "k"))
            try site.drop("second.ndjson", Self.lines(7..<12, "second", key: "k"))
            let first = try await site.ended("first.ndjson")
            let second = try await site.ended("second.ndjson")
            #expect(first["state"].string == "complete", "\(first)")
            #expect(second["state"].string == "complete", "\(second)")
            let rows = try await site.simulator.rows()
            #expect(Set(rows.compactMap { $0["global_key"].string }) == Set((0..<12).map { "k \($0)" }))
            #expect(rows.count == 12)
        }
    }

    @Test("appendRowsToDataset: what is not accepted is sent apart, in the server's words", .timeLimit(.minutes(3)))
    func notAccepted() async throws {
        try await Site.with(Self.settings("appendRowsToDataset")) { site in
            try await site.start()
            try await site.simulator.addFaults(
                #"{"rates": {"not-accepted": 1}, "operations": ["appendRowsToDataset"], "count": 2}"#)
            try site.drop("rows.ndjson", Self.lines(0..<10))
            let status = try await site.ended("rows.ndjson")
            #expect(status["state"].string == "complete", "\(status)")
            #expect(status["rows"]["created"].int == 10)
            #expect(try await site.simulator.rows().count == 10)

            try await site.simulator.addFaults(
                #"{"rates": {"not-accepted": 1}, "operations": ["appendRowsToDataset"], "count": 1}"#)
            try site.drop("one.ndjson", Self.lines(10..<11))
            let one = try await site.ended("one.ndjson")
            #expect(one["state"].string == "failed", "\(one)")
            #expect(one["errors"].list.first?["message"].string?.contains("The import file is not accepted") == true)
        }
    }

    @Test(
        "appendRowsToDataset: the row that makes its task fail is found, and the error is told",
        .timeLimit(.minutes(4)),
        arguments: [
            ("poison-task", "Failed to process the import"), ("poison-task-object", #""code":"IMPORT_FAILED""#),
        ])
    func poison(name: String, words: String) async throws {
        try await Site.with(Self.settings("appendRowsToDataset")) { site in
            try await site.start()
            let rows = Self.lines(0..<12).replacing("row/7.jpg", with: name)
            try site.drop("rows.ndjson", rows)
            let status = try await site.ended("rows.ndjson", within: .seconds(150))
            #expect(status["state"].string == "complete_with_errors", "\(status)")
            #expect(status["rows"]["created"].int == 11)
            #expect(status["errors"].list.compactMap { $0["row"].int } == [7])
            #expect(status["errors"].list.first?["message"].string?.contains(words) == true, "\(status["errors"])")
            #expect(try await site.simulator.rows().count == 11)
        }
    }

    @Test("appendRowsToDataset: rows of a server without global keys are told by their names", .timeLimit(.minutes(2)))
    func withoutKeys() async throws {
        try await Site.with(Self.settings("appendRowsToDataset", simulator: ["--legacy-ignores-keys"])) { site in
            try await site.start()
            try site.drop(
                "rows.ndjson", Self.lines(0..<50).replacing("row/33.jpg", with: "poison-row"))
            let status = try await site.ended("rows.ndjson")
            #expect(status["rows"]["created"].int == 49, "\(status)")
            #expect(status["errors"].list.compactMap { $0["row"].int } == [33])
            let ids = Dictionary(
                uniqueKeysWithValues: try await site.simulator.rows().map { ($0["external_id"], $0["id"]) })
            for line in try site.results(status) where line["outcome"].string == "created" {
                #expect(line["data_row_id"] == ids[line["external_id"]])
            }
        }
    }

    @Test("appendRowsToDataset: a long manifest takes no more memory than a short one", .timeLimit(.minutes(5)))
    func memory() async throws {
        let settings = Self.settings("appendRowsToDataset", watch: ["max_rows_per_task: 10000"])
        try await Site.with(settings) { site in
            try await site.start()
            let filler = String(repeating: "x", count: 800)
            func rows(_ range: Range<Int>) -> String {
                range.map { #"{"row_data":"https://example.com/\#(filler)/\#($0).jpg","external_id":"\#($0)"}"# }
                    .joined(separator: "\n")
            }
            try site.drop("short.ndjson", rows(0..<10_000))
            #expect(try await site.ended("short.ndjson", within: .seconds(100))["rows"]["created"].int == 10_000)
            let short = try #require(try site.daemon?.highWaterMark())
            try site.drop("long.ndjson", rows(10_000..<100_000))
            let status = try await site.ended("long.ndjson", within: .seconds(200))
            #expect(status["rows"]["created"].int == 90_000, "\(status)")
            #expect(try await site.simulator.state()["tasks"]["rows_failed"].int == 0)
            let long = try #require(try site.daemon?.highWaterMark())
            print("appendRowsToDataset: \(short >> 20) MiB with 10,000 rows, \(long >> 20) MiB with 90,000 more")
            // Two submissions at a time where there was one.
            #expect(long < short + 48 << 20)
        }
    }

    // MARK: createDataRow

    @Test("createDataRow: one call a row, and files are uploaded first", .timeLimit(.minutes(2)))
    func single() async throws {
        try await Site.with(Self.settings("createDataRow")) { site in
            try await site.start()
            try site.drop("a.png", Self.picture)
            let long = String(repeating: "long text ", count: 8_000)
            try site.drop(
                "rows.json",
                """
                ["a.png", {"row_data": "https://example.com/1.jpg", "external_id": "one", "global_key": "own key"},
                 {"row_data": "inline \\u00e9\\n\\"", "external_id": "text", "attachments": []},
                 {"row_data": "\(long)", "external_id": "long"},
                 {"row_data": "https://example.com/2.jpg", "external_id": "two",
                  "attachments": [{"type": "RAW_TEXT", "value": "x"}]},
                 {"row_data": {"type": "application/vnd.labelbox.conversational", "messages": []}, "external_id": "talk"},
                 {"row_data": "https://example.com/3.jpg", "media_type": "IMAGE"}]
                """)
            let status = try await site.ended("rows.json")
            #expect(status["state"].string == "complete_with_errors", "\(status)")
            #expect(status["rows"]["created"].int == 4)
            #expect(status["rows"]["failed"].int == 3)
            let errors = status["errors"].list
            #expect(errors.compactMap { $0["row"].int } == [4, 5, 6])
            #expect(errors.compactMap { $0["pointer"].string } == ["/4/attachments", "/5/row_data", "/6/media_type"])
            #expect(errors.allSatisfy { $0["message"].string?.contains("appendRowsToDataset") == true })

            let rows = try await site.simulator.rows()
            #expect(Set(rows.compactMap { $0["external_id"].string }) == ["a.png", "one", "text", "long"])
            #expect(rows.contains { $0["row_data"].string == "inline é\n\"" })
            #expect(rows.contains { $0["global_key"].string == "own key" })
            let uploaded = try #require(rows.first { $0["external_id"].string == "long" }?["row_data"].string)
            #expect(try await site.simulator.file(uploaded) == Data(long.utf8))
            let results = Dictionary(grouping: try site.results(status)) { $0["external_id"] }
            for row in rows { #expect(results[row["external_id"]]?.first?["data_row_id"] == row["id"]) }
            let operations = try await site.simulator.calls().flatMap { $0["operations"].list.compactMap(\.string) }
            #expect(operations.filter { $0 == "createDataRow" }.count == 4)
            #expect(!operations.contains("upsertDataRows") && !operations.contains("appendRowsToDataset"))
        }
    }

    @Test("createDataRow: rows that exist are found by their keys; many rows are many batches", .timeLimit(.minutes(3)))
    func singleAgain() async throws {
        try await Site.with(Self.settings("createDataRow")) { site in
            try await site.start()
            try site.drop("first.ndjson", Self.lines(0..<450))
            let first = try await site.ended("first.ndjson")
            #expect(first["rows"]["created"].int == 450, "\(first)")
            #expect(first["rows"]["submitted"].int == 450)
            #expect(first["tasks"].list.isEmpty, "there are no tasks in this way")
            try site.drop("more.ndjson", Self.lines(0..<460))
            let more = try await site.ended("more.ndjson")
            #expect(more["rows"]["already_present"].int == 450, "\(more)")
            #expect(more["rows"]["created"].int == 10)
            #expect(try await site.simulator.rows().count == 460)
            let ids = try site.results(first).map { $0["data_row_id"] }
            #expect(try site.results(more).prefix(450).map { $0["data_row_id"] } == ids)
        }
    }

    // MARK: Both

    @Test(
        "a call without an answer is never made again blindly", .timeLimit(.minutes(4)),
        arguments: ["appendRowsToDataset", "createDataRow"])
    func doubt(mutation: String) async throws {
        try await Site.with(Self.settings(mutation)) { site in
            try await site.start()
            let kinds = ["lost", "lost-502", "truncated", "reset"]
            for kind in kinds {
                try await site.simulator.addFaults(
                    #"{"rates": {"\#(kind)": 1}, "operations": ["\#(mutation)"], "count": 1}"#)
                try site.drop("\(kind).ndjson", Self.lines(0..<12, kind))
                try await eventually(within: .seconds(30), "the call has come") {
                    try await site.simulator.state()["faults"][kind].int == 1 ? () : nil
                }
            }
            for kind in kinds {
                let status = try await site.ended("\(kind).ndjson", within: .seconds(150))
                #expect(status["state"].string == "complete", "\(status)")
                #expect(status["rows"]["created"].int == 12)
            }
            let names = try await site.simulator.rows().compactMap { $0["external_id"].string }
            #expect(names.count == 48)
            #expect(Set(names).count == 48)
            let state = try await site.simulator.state()
            #expect(state["tasks"]["rows_failed"].int == 0)
            let calls = state["requests"]["by_operation"][mutation].int
            #expect(calls == (mutation == "createDataRow" ? 49 : 5), "what had not arrived, once more")
        }
    }

    @Test(
        "kill -9 amid faults leaves every row exactly once", .timeLimit(.minutes(6)),
        arguments: ["appendRowsToDataset", "createDataRow"])
    func killed(mutation: String) async throws {
        var chance = Chance(seed: Chance.seed())
        print("\(mutation), kill -9: seed \(chance.seed)")
        let rates = ["429=0.03", "502=0.03", "reset=0.03", "lost=0.03"].flatMap { ["--fault", $0] }
        let simulator = rates + ["--fault-seed", "\(chance.seed)", "--task-delay", "200ms"]
        try await Site.with(Self.settings(mutation, simulator: simulator, watch: ["linger: 100ms"])) { site in
            let manifests = (0..<12).map { "m\($0)/rows.ndjson" }
            for round in 0..<4 {
                try site.launch()
                for manifest in manifests[round * 3..<round * 3 + 3] {
                    let folder = String(manifest.prefix { $0 != "/" })
                    try site.drop("\(folder)/0.png", "\(folder) " + String(repeating: "*", count: 10_000))
                    try site.drop(
                        manifest,
                        Self.lines(0..<59, folder) + "\n" + #"{"row_data":"0.png","external_id":"\#(folder) file"}"#)
                }
                try await Task.sleep(for: .milliseconds(chance.number(in: 300...2_500)))
                try site.expectDaemonRuns()
                site.kill()
            }
            try await site.start()
            for manifest in manifests {
                let status = try await site.ended(manifest, within: .seconds(280))
                #expect(status["state"].string == "complete", "\(status)")
                #expect(try site.results(status).count == 60)
            }
            let names = try await site.simulator.rows().compactMap { $0["external_id"].string }
            #expect(names.count == 720)
            #expect(Set(names).count == 720)
            let state = try await site.simulator.state()
            #expect(state["tasks"]["rows_failed"].int == 0, "no row was handed over twice")
            print("\(mutation), kill -9: \(state["requests"]["by_operation"][mutation].int ?? 0) calls")
        }
    }
}
