import Foundation
import Testing

/// Rows without a global key get the results that are theirs, or none that say too much.
@Suite("Rows without keys", .serialized)
struct KeylessTests {
    @Test(
        "results are told apart by external id and content, whatever the order in which they come",
        .timeLimit(.minutes(2)))
    func matched() async throws {
        try await Site.with(SiteSettings(watch: [#"global_key: "off""#])) { site in
            try await site.start()
            // Every second one fails at the server, without and with an external id that others have as well.
            func address(_ number: Int) -> String {
                "https://example.com/\(number % 2 == 1 ? "poison-row-" : "")\(number).jpg"
            }
            let rows = (0..<20).map { number in
                let name = number >= 10 ? #", "external_id": "same""# : ""
                return #"{"row_data": "\#(address(number))"\#(name)}"#
            }
            try site.drop("rows.json", "[\(rows.joined(separator: ", "))]")
            let status = try await site.ended("rows.json")
            let results = try site.results(status)
            let there = try await site.simulator.rows()
            #expect(results.count == 20)
            for (number, result) in results.enumerated() {
                let row = there.filter { $0["row_data"].string == address(number) }
                if result["outcome"].string == "created" {
                    #expect(row.count == 1 && result["data_row_id"] == row[0]["id"], "row \(number): \(result)")
                } else {
                    #expect(row.isEmpty, "row \(number) is there: \(result)")
                }
            }
            #expect(there.count == 10)
        }
    }

    @Test("a file's row that fails is called as it would have been", .timeLimit(.minutes(1)))
    func failedNames() async throws {
        try await Site.with(SiteSettings(watch: ["media_wait: 1s"])) { site in
            try await site.start()
            try site.drop(
                "a/rows.json", #"["gone.png", {"row_data": "gone too.png"}, {"row_data": "https://example.com/1.jpg"}]"#
            )
            let results = try site.results(try await site.ended("a/rows.json"))
            #expect(results.map { $0["outcome"].string } == ["failed", "failed", "created"])
            #expect(results.prefix(2).map { $0["external_id"].string } == ["gone.png", "gone too.png"])
        }
    }
}
