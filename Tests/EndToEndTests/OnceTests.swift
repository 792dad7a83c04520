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
}
