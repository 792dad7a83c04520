import Foundation
import Testing

/// Rows that exist are changed as their manifest says, and it is told truthfully what came of it.
@Suite("Changes", .serialized)
struct ChangeTests {
    private func envelope(_ operation: String, _ rows: [String]) -> String {
        #"{"operation": "\#(operation)", "rows": [\#(rows.joined(separator: ",\n"))]}"#
    }

    /// Makes rows `k0`, `k1`, … and tells their ids.
    private func make(_ count: Int, _ site: Site) async throws -> [String] {
        try site.drop("made.ndjson", DeletionTests.rows("k", 0..<count))
        return try site.results(try await site.ended("made.ndjson")).compactMap { $0["data_row_id"].string }
    }

    private func rows(_ site: Site) async throws -> [String: JSON] {
        Dictionary(
            try await site.simulator.rows().map { ($0["id"].string ?? "", $0) }, uniquingKeysWith: { first, _ in first }
        )
    }

    @Test("rows are updated by id and by global key, and matched by them in the results", .timeLimit(.minutes(2)))
    func updates() async throws {
        try await Site.with { site in
            try await site.start()
            let ids = try await make(8, site)
            try site.drop(
                "change.json",
                envelope(
                    "update",
                    [
                        #"{"key": {"id": "\#(ids[0])"}, "row_data": "https://example.com/new0.jpg"}"#,
                        #"{"key": {"global_key": "k1"}, "row_data": "https://example.com/new1.jpg"}"#,
                        // Neither has a name of its own, and one of them is not there.
                        #"{"key": {"id": "nobody"}, "attachments": [{"type": "RAW_TEXT", "value": "v"}]}"#,
                        #"{"key": {"id": "\#(ids[2])"}, "attachments": [{"type": "RAW_TEXT", "value": "v"}]}"#,
                        #"{"key": {"global_key": "nobody"}, "row_data": "https://example.com/never.jpg"}"#,
                        // New names; the second is another row's.
                        #"{"key": {"id": "\#(ids[3])"}, "global_key": "renamed", "external_id": "new name"}"#,
                        #"{"key": {"global_key": "k4"}, "global_key": "k7"}"#,
                        #"{"key": {"global_key": "k5"}, "global_key": "also renamed"}"#,
                        #"{"key": {"id": "\#(ids[6])"}, "global_key": "k7"}"#,
                    ]))
            let status = try await site.ended("change.json")
            #expect(status["state"].string == "complete_with_errors", "\(status)")
            #expect(status["rows"]["updated"].int == 5)
            #expect(status["rows"]["failed"].int == 4)
            #expect(status["rows"]["created"].int == 0)
            let results = try site.results(status)
            #expect(
                results.map { $0["data_row_id"].string } == [
                    ids[0], ids[1], nil, ids[2], nil, ids[3], nil, ids[5], nil,
                ], "\(results)")
            let errors = results.map { $0["error"]["message"].string ?? "" }
            #expect(errors[2].contains("not found"))
            #expect(results[4]["error"]["code"].string == "not_found")
            #expect(errors[6].contains("Duplicate global key: 'k7'"))
            #expect(errors[8].contains("Duplicate global key: 'k7'"))

            let rows = try await rows(site)
            #expect(rows.count == 8, "an update creates nothing")
            #expect(rows[ids[0]]?["row_data"].string == "https://example.com/new0.jpg")
            #expect(rows[ids[0]]?["external_id"].string == "k0", "what is not given stays")
            #expect(rows[ids[1]]?["row_data"].string == "https://example.com/new1.jpg")
            #expect(rows[ids[2]]?["payload"]["attachments"].list.count == 1)
            #expect(rows[ids[3]]?["global_key"].string == "renamed")
            #expect(rows[ids[3]]?["external_id"].string == "new name")
            #expect(rows[ids[4]]?["global_key"].string == "k4")
            #expect(rows[ids[5]]?["global_key"].string == "also renamed")
            #expect(rows[ids[6]]?["global_key"].string == "k6")
        }
    }

    @Test("an upsert creates what is not there, updates what is, and tells them apart", .timeLimit(.minutes(2)))
    func upserts() async throws {
        try await Site.with { site in
            try await site.start()
            let ids = try await make(4, site)
            let mixed = [
                #"{"key": {"global_key": "k0"}, "row_data": "https://example.com/a.jpg"}"#,
                #"{"global_key": "k1", "row_data": "https://example.com/b.jpg"}"#,
                #"{"key": {"id": "\#(ids[2])"}, "external_id": "c"}"#,
                #"{"key": {"global_key": "n0"}, "row_data": "https://example.com/d.jpg"}"#,
                #"{"global_key": "n1", "row_data": "https://example.com/e.jpg"}"#,
                #"{"row_data": "https://example.com/derived.jpg"}"#,
            ]
            try site.drop("mixed.json", envelope("upsert", mixed))
            let status = try await site.ended("mixed.json")
            #expect(status["state"].string == "complete", "\(status)")
            #expect(status["rows"]["updated"].int == 3)
            #expect(status["rows"]["created"].int == 3)
            let results = try site.results(status)
            #expect(
                results.map { $0["outcome"].string }
                    == ["updated", "updated", "updated", "created", "created", "created"], "\(results)")
            #expect(results.prefix(3).map { $0["data_row_id"].string } == ids.prefix(3).map { $0 })
            #expect(Set(results.compactMap { $0["data_row_id"].string }).count == 6)
            let rows = try await rows(site)
            #expect(rows.count == 7)
            #expect(rows[ids[1]]?["row_data"].string == "https://example.com/b.jpg")
            #expect(rows[ids[1]]?["external_id"].string == "k1")
            #expect(rows[ids[2]]?["external_id"].string == "c")
        }
    }

    @Test("a watch's own operation is for manifests that name none", .timeLimit(.minutes(2)))
    func watchOperation() async throws {
        let settings = SiteSettings(watch: ["operation: update", "operations: [create, update]", "loose_media: ignore"])
        try await Site.with(settings) { site in
            try await site.start()
            try site.drop(
                "made.json",
                #"{"operation": "create", "rows": [{"row_data": "https://example.com/0.jpg", "global_key": "k0"}]}"#)
            #expect(try await site.ended("made.json")["rows"]["created"].int == 1)
            try site.drop(
                "change.ndjson",
                #"{"key": {"global_key": "k0"}, "external_id": "new"}"# + "\n" + #"{"row_data": "https://example.com"}"#
            )
            let status = try await site.ended("change.ndjson")
            #expect(status["operation"].string == "update", "\(status)")
            #expect(status["rows"]["updated"].int == 1)
            #expect(status["errors"].list.map { $0["code"].string } == ["missing_key"])
            #expect(try await site.simulator.rows().map { $0["external_id"].string } == ["new"])
        }
    }

    @Test(
        "a change without an answer is made once more, and told as what it was at first", .timeLimit(.minutes(3)),
        arguments: ["lost", "lost-502", "truncated", "reset"])
    func lostAnswer(kind: String) async throws {
        try await Site.with { site in
            try await site.start()
            let ids = try await make(4, site)
            try await site.simulator.addFaults(
                #"{"rates": {"\#(kind)": 1}, "operations": ["upsertDataRows"], "count": 2}"#)
            try site.drop(
                "upsert.json",
                envelope(
                    "upsert",
                    [
                        #"{"global_key": "k0", "row_data": "https://example.com/a.jpg"}"#,
                        #"{"global_key": "n0", "row_data": "https://example.com/b.jpg"}"#,
                        #"{"row_data": "https://example.com/derived.jpg"}"#,
                    ]))
            try site.drop(
                "update.json",
                envelope(
                    "update",
                    [
                        #"{"key": {"id": "\#(ids[1])"}, "external_id": "one"}"#,
                        #"{"key": {"global_key": "k2"}, "external_id": "two"}"#,
                        #"{"key": {"global_key": "nobody"}, "external_id": "three"}"#,
                    ]))
            let upsert = try site.results(try await site.ended("upsert.json", within: .seconds(100)))
            #expect(upsert.map { $0["outcome"].string } == ["updated", "created", "created"], "\(upsert)")
            let update = try site.results(try await site.ended("update.json", within: .seconds(100)))
            #expect(update.map { $0["outcome"].string } == ["updated", "updated", "failed"], "\(update)")
            let rows = try await rows(site)
            #expect(rows.count == 6)
            #expect(rows[ids[0]]?["row_data"].string == "https://example.com/a.jpg")
            #expect(rows[ids[1]]?["external_id"].string == "one")
            #expect(rows[ids[2]]?["external_id"].string == "two")
        }
    }
}
