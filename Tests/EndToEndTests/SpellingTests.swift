import Foundation
import Testing

/// Names are what their bytes are: text that only looks alike is another name, of another row or file.
@Suite("Spellings", .serialized)
struct SpellingTests {
    /// `é` as one scalar and as two, which Swift takes for the same text.
    private static let spellings = ["caf\u{e9}", "cafe\u{301}"]

    private static func isSame(_ one: String?, _ other: String) -> Bool {
        one.map { $0.utf8.elementsEqual(other.utf8) } ?? false
    }

    /// The row with a field of exactly this spelling.
    private static func row(_ rows: [JSON], _ field: String, _ text: String) throws -> JSON {
        let found = rows.filter { isSame($0[field].string, text) }
        #expect(found.count == 1, "\(found)")
        return try #require(found.first)
    }

    @Test(
        "two spellings of a key, or of an external id, are two rows, each with its own result", .timeLimit(.minutes(2)),
        arguments: ["global_key", "external_id"])
    func keys(_ field: String) async throws {
        let settings = SiteSettings(watch: field == "external_id" ? [#"global_key: "off""#] : [])
        try await Site.with(settings) { site in
            try await site.start()
            func drop(_ name: String, _ host: String, _ order: [String]) async throws -> [JSON] {
                let rows = order.map {
                    #"{"row_data": "https://\#(host)/\#($0.utf8.count).jpg", "\#(field)": "\#($0)"}"#
                }
                try site.drop(name, "[\(rows.joined(separator: ", "))]")
                return try site.results(try await site.ended(name))
            }
            let created = try await drop("first.json", "one.example", Self.spellings)
            let rows = try await site.simulator.rows()
            #expect(rows.count == 2)
            for (number, text) in Self.spellings.enumerated() {
                let result = try Self.row(created, field, text)
                #expect(result["row"].int == number && result["outcome"].string == "created", "\(result)")
                let row = try Self.row(rows, field, text)
                #expect(result["data_row_id"] == row["id"], "the result names another row: \(result)")
                #expect(row["row_data"].string == "https://one.example/\(text.utf8.count).jpg")
            }
            guard field == "global_key" else { return }
            // And once more: each is there already, as itself.
            let present = try await drop("again.json", "two.example", Self.spellings.reversed())
            for text in Self.spellings {
                let result = try Self.row(present, field, text)
                #expect(result["outcome"].string == "already_present", "\(result)")
                #expect(result["data_row_id"] == (try Self.row(rows, field, text)["id"]))
                let found = try await site.control("rows", "get", "--global-key", text, "--json")
                #expect(try found.json.first?["id"] == (try Self.row(rows, field, text)["id"]), "\(found)")
            }
        }
    }

    @Test("one spelling that exists does not make the other exist", .timeLimit(.minutes(2)), arguments: [0, 1])
    func halfPresent(_ first: Int) async throws {
        try await Site.with { site in
            try await site.start()
            func row(_ text: String) -> String {
                #"{"row_data": "https://example.com/x.jpg", "global_key": "\#(text)"}"#
            }
            try site.drop("one.json", "[\(row(Self.spellings[first]))]")
            try await site.ended("one.json")
            try site.drop("both.json", "[\(Self.spellings.map(row).joined(separator: ","))]")
            let results = try site.results(try await site.ended("both.json"))
            #expect(results.map { $0["outcome"].string } == [0, 1].map { $0 == first ? "already_present" : "created" })
            let rows = try await site.simulator.rows()
            #expect(rows.count == 2)
            for (result, text) in zip(results, Self.spellings) {
                #expect(result["data_row_id"] == (try Self.row(rows, "global_key", text)["id"]))
            }
            // Changes of one leave the other alone.
            for (number, text) in Self.spellings.enumerated() {
                try site.drop(
                    "change-\(number).json",
                    #"{"operation": "update", "rows": [{"key": {"global_key": "\#(text)"}, "row_data": "https://example.com/new-\#(number).jpg"}]}"#
                )
                let status = try await site.ended("change-\(number).json")
                #expect(status["rows"]["updated"].int == 1, "\(status)")
            }
            let changed = try await site.simulator.rows()
            for (number, text) in Self.spellings.enumerated() {
                let address = try Self.row(changed, "global_key", text)["row_data"].string
                #expect(address == "https://example.com/new-\(number).jpg")
            }
        }
    }

    @Test("two spellings of a file's name are two files, and each row gets its own", .timeLimit(.minutes(2)))
    func files() async throws {
        try await Site.with { site in
            try await site.start()
            for (number, text) in Self.spellings.enumerated() { try site.drop("\(text).png", "picture \(number)") }
            try site.drop("m.json", "[\(Self.spellings.map { #""\#($0).png""# }.joined(separator: ", "))]")
            #expect(try await site.ended("m.json")["rows"]["created"].int == 2)
            // Manifests, too, are told apart by the bytes of their names.
            for (number, text) in Self.spellings.enumerated() {
                try site.drop("\(text).json", #"[{"row_data": "text", "external_id": "manifest \#(number)"}]"#)
                try await site.ended("\(text).json")
            }
            let rows = try await site.simulator.rows()
            #expect(rows.count == 4)
            for (number, text) in Self.spellings.enumerated() {
                let row = try Self.row(rows, "external_id", "\(text).png")
                let content = try await site.simulator.file(row["row_data"].string ?? "")
                #expect(String(decoding: content, as: UTF8.self) == "picture \(number)")
                let results = try site.results(try await site.ended("\(text).json"))
                #expect(results.first?["external_id"].string == "manifest \(number)")
            }
        }
    }
}
