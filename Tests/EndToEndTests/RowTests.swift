import Foundation
import Testing

/// What cannot be imported is said, exactly, and hurts nothing else.
@Suite("Rows that cannot be imported", .serialized)
struct RowTests {
    private static let mixed = """
        {"row_data": "https://example.com/0.jpg", "external_id": "0"}
        {"row_data": "https://example.com/1.jpg", "external_id": "1", "attachments": [{"type": "NONSENSE", "value": "x"}]}
        {"row_data": "https://example.com/2.jpg", "external_id": "2"}
        {"row_data": 17, "external_id": "3"}

        """

    @Test("invalid rows are reported by row, byte and pointer; mended, they are dropped again", .timeLimit(.minutes(2)))
    func skipping() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop("rows.ndjson", Self.mixed)
            let status = try await site.ended("rows.ndjson")
            #expect(status["state"].string == "complete_with_errors", "\(status)")
            #expect(status["rows"]["total"].int == 4)
            #expect(status["rows"]["rejected"].int == 2)
            #expect(status["rows"]["created"].int == 2)
            let errors = status["errors"].list
            #expect(errors.compactMap { $0["row"].int } == [1, 3])
            #expect(errors.compactMap { $0["pointer"].string } == ["/1/attachments/0/type", "/3/row_data"])
            // The offset is that of the value that is wrong.
            let bytes = Array(Self.mixed.utf8)
            for (error, wrong) in zip(errors, [#""NONSENSE""#, "17"]) {
                let offset = try #require(error["byte_offset"].int)
                #expect(bytes[offset...].starts(with: wrong.utf8))
                #expect(error["message"].string?.isEmpty == false)
            }
            let outcomes = try site.results(status).compactMap { $0["outcome"].string }
            #expect(outcomes == ["created", "rejected", "created", "rejected"])

            let failed = site.place(try #require(status["failed_rows_file"].string))
            let text = try String(contentsOf: failed, encoding: .utf8)
            let lines = Self.mixed.split(separator: "\n")
            #expect(text.split(separator: "\n") == [lines[1], lines[3]], "the rows as they were written")
            let mended = text.replacing("NONSENSE", with: "RAW_TEXT").replacing("17", with: "\"seventeen\"")
            try site.drop("mended.ndjson", mended)
            #expect(try await site.ended("mended.ndjson")["state"].string == "complete")
            let names = try await site.simulator.rows().compactMap { $0["external_id"].string }
            #expect(names.sorted() == ["0", "1", "2", "3"])
        }
    }

    @Test("what is merely odd is warned of and sent; a key that comes twice is not", .timeLimit(.minutes(2)))
    func warnings() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop(
                "rows.ndjson",
                """
                {"row_data": "https://example.com/a b.jpg", "global_key": "k0"}
                {"row_data": "https://example.com/b.jpg?Expires=1&Signature=abcdef&Key-Pair-Id=K", "global_key": "k1"}
                {"row_data": "https://example.com/c.jpg", "global_key": "k2"}
                {"row_data": "https://example.com/d.jpg", "global_key": "k\\u0031"}

                """)
            let status = try await site.ended("rows.ndjson")
            #expect(status["state"].string == "complete_with_errors", "\(status)")
            #expect(status["rows"]["created"].int == 3)
            #expect(status["warnings_total"].int == 2)
            #expect(
                status["warnings"].list.compactMap { $0["code"].string } == [
                    "odd_address_character", "expired_address",
                ])
            #expect(status["warnings"].list.compactMap { $0["row"].int } == [0, 1])
            #expect(status["warnings"].list.last?["message"].string?.contains("1970-01-01T00:00:01Z") == true)
            #expect(status["errors"].list.compactMap { $0["code"].string } == ["duplicate_global_key"])
            #expect(status["errors"].list.first?["message"].string?.contains("row 1 ") == true)
            #expect(try site.results(status).compactMap { $0["outcome"].string }.last == "rejected")
            let keys = try await site.simulator.rows().compactMap { $0["global_key"].string }
            #expect(keys.sorted() == ["k0", "k1", "k2"])
            let daemon = try await eventually(within: .seconds(20), "the daemon counts the warnings") {
                try site.daemonStatus()?["watches"].list.first.flatMap { $0["warnings_total"].int == 2 ? $0 : nil }
            }
            #expect(daemon["rows"]["total"].int == 4)
        }
    }

    @Test("with on_invalid_row: reject, one bad row keeps all out", .timeLimit(.minutes(2)))
    func rejecting() async throws {
        try await Site.with(SiteSettings(watch: ["on_invalid_row: reject"])) { site in
            try await site.start()
            try site.drop("rows.ndjson", Self.mixed)
            let status = try await site.ended("rows.ndjson")
            #expect(status["state"].string == "rejected", "\(status)")
            #expect(status["errors"].list.compactMap { $0["row"].int } == [1, 3])
            #expect(try await site.simulator.rows().isEmpty)
            #expect(try site.dropped() == [])
            let kept = try Data(contentsOf: site.state.appending(path: "failed/drop/rows.ndjson"))
            #expect(kept == Data(Self.mixed.utf8), "the manifest is kept as it was dropped")
        }
    }

    @Test("a malformed manifest is rejected with the byte, and a cut off one after a wait", .timeLimit(.minutes(4)))
    func broken() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop("cut.json", #"[{"row_data": "https://example.com/1.jpg"}, {"row_data": "https://exa"#)
            let malformed = #"[{"row_data": "https://example.com/1.jpg"}, {"row_data": nothing}]"#
            try site.drop("malformed.json", malformed)
            try site.drop("good.json", #"[{"row_data": "https://example.com/good.jpg"}]"#)
            let status = try await site.ended("malformed.json")
            #expect(status["state"].string == "rejected", "\(status)")
            let offset = try #require(status["errors"].list.first?["byte_offset"].int)
            // What begins like null is wrong from its second letter on.
            #expect(Array(malformed.utf8)[offset...].starts(with: "othing".utf8), "\(offset): \(status["errors"])")

            try await site.status(of: "cut.json", "waits for its end") {
                $0["state_reason"].string?.contains("ends too early") == true
            }
            let cut = try await site.ended("cut.json", within: .seconds(120))
            #expect(cut["state"].string == "rejected")
            #expect(cut["errors"].list.first?["byte_offset"].int != nil)
            #expect(try await site.ended("good.json")["state"].string == "complete")
            #expect(try await site.simulator.rows().count == 1)
        }
    }

    @Test("a row that makes its whole task fail is found, and fails alone", .timeLimit(.minutes(4)))
    func poison() async throws {
        try await Site.with { site in
            try await site.start()
            let rows = (0..<60).map { number in
                let name = number == 41 ? "poison-task" : "good"
                return #"{"row_data": "https://example.com/\#(name)/\#(number).jpg", "external_id": "\#(number)"}"#
            }
            try site.drop("poisoned.ndjson", rows.joined(separator: "\n"))
            try site.drop("innocent.json", "[\(rows[0].replacing("\"0\"", with: "\"innocent\""))]")
            let status = try await site.ended("poisoned.ndjson", within: .seconds(200))
            #expect(status["state"].string == "complete_with_errors", "\(status)")
            #expect(status["rows"]["created"].int == 59)
            #expect(status["rows"]["failed"].int == 1)
            let error = status["errors"].list.first ?? .null
            #expect(error["row"].int == 41)
            #expect(error["message"].string?.contains("ends every task with this row as FAILED") == true, "\(error)")
            #expect(try await site.ended("innocent.json")["state"].string == "complete")
            #expect(try await site.simulator.rows().count == 60)
        }
    }

    @Test("a row that the server refuses fails with the server's words", .timeLimit(.minutes(2)))
    func refused() async throws {
        try await Site.with { site in
            try await site.start()
            let rows = ["fine", "poison-row", "also fine"].map { #"{"row_data": "https://example.com/\#($0)"}"# }
            try site.drop("rows.ndjson", rows.joined(separator: "\n"))
            let status = try await site.ended("rows.ndjson")
            #expect(status["rows"]["created"].int == 2, "\(status)")
            #expect(status["errors"].list.compactMap { $0["row"].int } == [1])
            #expect(status["errors"].list.first?["message"].string?.contains("Failed to process the row") == true)
            let file = site.place(try #require(status["failed_rows_file"].string))
            #expect(try String(contentsOf: file, encoding: .utf8) == rows[1] + "\n")
        }
    }
}
