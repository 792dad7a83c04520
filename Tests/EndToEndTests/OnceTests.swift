import Foundation
import Testing

/// Nothing is created twice, whatever is dropped again.
@Suite("Once", .serialized)
struct OnceTests {
    private static func lines(_ range: Range<Int>) -> String {
        range.map { #"{"row_data":"https://example.com/\#($0).jpg","external_id":"\#($0)"}"# }.joined(separator: "\n")
    }

    @Test("a manifest dropped again creates nothing, and with ten more rows creates ten", .timeLimit(.minutes(3)))
    func droppedAgain() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop("first.ndjson", Self.lines(0..<300))
            let first = try site.results(try await site.ended("first.ndjson"))

            try site.drop("again.ndjson", Self.lines(0..<300))
            let again = try await site.ended("again.ndjson")
            #expect(again["state"].string == "complete", "\(again)")
            #expect(again["rows"]["already_present"].int == 300)
            #expect(again["rows"]["created"].int == 0)
            let results = try site.results(again)
            #expect(results.map { $0["data_row_id"] } == first.map { $0["data_row_id"] })
            #expect(results.allSatisfy { $0["outcome"].string == "already_present" })

            try site.drop("more.ndjson", Self.lines(0..<310))
            let more = try await site.ended("more.ndjson")
            #expect(more["rows"]["created"].int == 10)
            #expect(more["rows"]["already_present"].int == 300)
            #expect(try await site.simulator.rows().count == 310)
        }
    }

    @Test("identical rows of one manifest are as many data rows", .timeLimit(.minutes(2)))
    func identicalRows() async throws {
        try await Site.with { site in
            try await site.start()
            let row = #"{"row_data": "https://example.com/same.jpg", "external_id": "same"}"#
            try site.drop("same.json", "[\(Array(repeating: row, count: 5).joined(separator: ", "))]")
            let status = try await site.ended("same.json")
            #expect(status["rows"]["created"].int == 5, "\(status)")
            let rows = try await site.simulator.rows()
            #expect(rows.count == 5)
            #expect(Set(rows.compactMap { $0["global_key"].string }).count == 5)
            #expect(Set(try site.results(status).compactMap { $0["data_row_id"].string }).count == 5)
        }
    }

    @Test("a key of the user's own that exists already leads to the row that has it", .timeLimit(.minutes(2)))
    func ownKey() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop("first.json", #"[{"row_data": "https://example.com/1.jpg", "global_key": "my key"}]"#)
            let first = try site.results(try await site.ended("first.json"))
            try site.drop(
                "second.json",
                """
                [{"row_data": "https://example.com/another.jpg", "global_key": "my key"},
                 {"row_data": "https://example.com/2.jpg", "global_key": "my other key"}]
                """)
            let status = try await site.ended("second.json")
            #expect(status["state"].string == "complete", "\(status)")
            let second = try site.results(status)
            #expect(second.map { $0["outcome"].string } == ["already_present", "created"])
            #expect(second.first?["data_row_id"] == first.first?["data_row_id"])
            let rows = try await site.simulator.rows()
            #expect(rows.map { $0["row_data"].string?.hasSuffix("another.jpg") } == [false, false])
        }
    }

    @Test("a call without an answer is never sent again blindly", .timeLimit(.minutes(4)))
    func doubt() async throws {
        try await Site.with { site in
            try await site.start()
            func fault(_ kind: String) -> String {
                #"{"rates": {"\#(kind)": 1}, "operations": ["upsertDataRows"], "count": 1}"#
            }
            // Carried out, and the answer lost; lost with a 502 in its place; cut off; and not carried out at all.
            let kinds = ["lost", "lost-502", "truncated", "reset"]
            for (number, kind) in kinds.enumerated() {
                let rows = (0..<25).map {
                    #"{"row_data":"https://example.com/\#(kind)/\#($0)","external_id":"\#(kind) \#($0)"}"#
                }
                try await site.simulator.addFaults(fault(kind))
                try site.drop("\(kind).ndjson", rows.joined(separator: "\n"))
                try await eventually(within: .seconds(30), "the call has come") {
                    try await site.simulator.state()["faults"][kind].int == 1 ? () : nil
                }
                #expect(try await site.simulator.state()["submits"]["received"].int ?? 0 <= number + 1)
            }
            for kind in kinds {
                let status = try await site.ended("\(kind).ndjson", within: .seconds(150))
                #expect(status["state"].string == "complete", "\(status)")
                #expect(status["rows"]["created"].int == 25)
            }
            let names = try await site.simulator.rows().compactMap { $0["external_id"].string }
            #expect(names.count == 100)
            #expect(Set(names).count == 100)
            // Four calls, and one more for what had not arrived.
            let state = try await site.simulator.state()
            #expect(state["tasks"]["total"].int == 4)
            #expect(state["tasks"]["rows_failed"].int == 0)
        }
    }
}

/// What is dropped again to be updated, is updated where it differs.
@Suite("Upserts that are dropped again", .serialized)
struct UpsertAgainTests {
    private static func manifest(_ rows: [String]) -> String {
        #"{"operation": "upsert", "rows": [\#(rows.joined(separator: ",\n"))]}"#
    }

    private static func row(_ number: Int, name: String? = nil) -> String {
        let name = name ?? "é \(number)"
        return
            #"{"global_key": "k\#(number)", "row_data": "https://example.com/\#(number).jpg", "external_id": "\#(name)", "attachments": [{"type": "RAW_TEXT", "value": "v\#(number)"}]}"#
    }

    /// When each row was changed last, by its key.
    private func times(_ site: Site) async throws -> [String: String] {
        Dictionary(
            try await site.simulator.rows().map { ($0["global_key"].string ?? "", $0["updated_at"].string ?? "") },
            uniquingKeysWith: { first, _ in first })
    }

    @Test("only rows that differ from what is on the server are updated, and new ones created", .timeLimit(.minutes(3)))
    func differences() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop("first.json", Self.manifest((0..<300).map { Self.row($0) }))
            let first = try await site.ended("first.json")
            #expect(first["rows"]["created"].int == 300, "\(first)")
            let before = try await times(site)
            let ids = try site.results(first).map { $0["data_row_id"] }

            // Nothing changed: nothing is sent.
            let calls = try await site.simulator.state()["submits"]["received"].int
            try site.drop("same.json", Self.manifest((0..<300).map { Self.row($0) }))
            let same = try await site.ended("same.json")
            #expect(same["state"].string == "complete")
            #expect(same["rows"]["already_present"].int == 300, "\(same)")
            #expect(try site.results(same).map { $0["data_row_id"] } == ids)
            #expect(try await site.simulator.state()["submits"]["received"].int == calls)
            #expect(try await times(site) == before)

            // Five changed in the manifest, one by somebody else, and ten are new.
            let other = try #require(ids[7].string)
            _ = try await site.simulator.createRow(
                #"{"query": "mutation { updateDataRow(where: {id: \"\#(other)\"}, data: {externalId: \"theirs\"}) { id } }"}"#
            )
            let changed = (0..<310).map { Self.row($0, name: (100..<105).contains($0) ? "changed" : nil) }
            try site.drop("changed.json", Self.manifest(changed))
            let status = try await site.ended("changed.json")
            #expect(status["rows"]["updated"].int == 6, "\(status)")
            #expect(status["rows"]["created"].int == 10)
            #expect(status["rows"]["already_present"].int == 294)
            let updated = try site.results(status).filter { $0["outcome"].string == "updated" }
            #expect(updated.compactMap { $0["row"].int } == [7, 100, 101, 102, 103, 104])
            let after = try await times(site)
            for number in 0..<300 where number != 7 && !(100..<105).contains(number) {
                #expect(after["k\(number)"] == before["k\(number)"], "row \(number) was left alone")
            }
            let rows = try await site.simulator.rows()
            #expect(rows.count == 310)
            #expect(rows.count { $0["external_id"].string == "changed" } == 5)
            #expect(!rows.contains { $0["external_id"].string == "theirs" })
        }
    }

    @Test("with unchanged_rows: send, every row is sent", .timeLimit(.minutes(2)))
    func sent() async throws {
        try await Site.with(SiteSettings(watch: ["unchanged_rows: send"])) { site in
            try await site.start()
            try site.drop("first.json", Self.manifest((0..<20).map { Self.row($0) }))
            try await site.ended("first.json")
            try site.drop("again.json", Self.manifest((0..<20).map { Self.row($0) }))
            let again = try await site.ended("again.json")
            #expect(again["rows"]["updated"].int == 20, "\(again)")
        }
    }

    @Test("what cannot be read back is sent, and so is a row that is named twice", .timeLimit(.minutes(2)))
    func incomparable() async throws {
        try await Site.with { site in
            try await site.start()
            let rows = [
                #"{"global_key": "a", "row_data": "https://example.com/a.jpg", "media_type": "IMAGE"}"#,
                #"{"global_key": "b", "row_data": "https://example.com/b.jpg", "metadata_fields": [{"name": "tag", "value": "t"}]}"#,
                #"{"global_key": "c", "row_data": {"type": "application/vnd.labelbox.conversational", "version": 1}}"#,
                #"{"global_key": "d", "row_data": "https://example.com/d.jpg"}"#,
            ]
            try site.drop("first.json", Self.manifest(rows))
            try await site.ended("first.json")
            try site.drop("again.json", Self.manifest(rows))
            let again = try site.results(try await site.ended("again.json"))
            #expect(
                again.map { $0["outcome"].string } == ["updated", "updated", "already_present", "already_present"])
            // Two drops of one batch: whichever is last, none may be left out because the other is not there yet.
            let back = rows[3].replacing("d.jpg", with: "other.jpg")
            try site.drop("x.json", Self.manifest([back]))
            try site.drop("y.json", Self.manifest([rows[3]]))
            let outcomes = try [await site.ended("x.json"), await site.ended("y.json")].flatMap {
                try site.results($0).map { $0["outcome"].string }
            }
            #expect(outcomes == ["updated", "updated"])
        }
    }

    @Test("a row that is on its way to be changed is not taken for unchanged", .timeLimit(.minutes(2)))
    func inFlight() async throws {
        let settings = SiteSettings(simulator: ["--task-delay", "3s"], watch: ["linger: 0s"])
        try await Site.with(settings) { site in
            try await site.start()
            let row = #"{"global_key": "d", "row_data": "https://example.com/d.jpg"}"#
            try site.drop("first.json", Self.manifest([row]))
            try await site.ended("first.json")
            try site.drop("change.json", Self.manifest([row.replacing("d.jpg", with: "other.jpg")]))
            try await site.status(of: "change.json", "is on its way") { $0["rows"]["submitted"].int == 1 }
            try site.drop("back.json", Self.manifest([row]))
            #expect(try await site.ended("back.json")["rows"]["updated"].int == 1)
            #expect(try await site.simulator.rows().map { $0["row_data"].string } == ["https://example.com/d.jpg"])
        }
    }
}
