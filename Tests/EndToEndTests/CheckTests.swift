import Foundation
import Testing

@Suite("The dry run", .serialized)
struct CheckTests {
    private func site(_ body: (Site) async throws -> Void) async throws {
        try await Site.with { site in
            let files = [
                "good.json": #"["cat.png", {"row_data": "https://example.com/1.jpg"}]"#, "cat.png": "cat",
                "loose.jpg": "loose", "x.part": "", "sub/bad.jsonl": "{\"row_dat\": 1}\n{\"row_data\": \"./gone.png\"}",
                "sub/cut.json": "[{\"row_data\": ",
                "meta.jsonl":
                    #"{"row_data": "https://example.com/2.jpg", "metadata_fields": [{"name": "no such field", "value": "x"}]}"#,
            ]
            for (name, content) in files {
                let file = site.drop.appending(path: name)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(content.utf8).write(to: file)
            }
            try await body(site)
        }
    }

    @Test("a folder is checked offline: every manifest, loose media, totals, and an exit code", .timeLimit(.minutes(2)))
    func folder() async throws {
        try await site { site in
            let said = try await site.control("check", site.drop.path, "--json")
            #expect(said.exit == 4, "one is cut off")
            try await Validator.expectValid(said.lines, "check-report")
            let reports = try said.json
            #expect(reports.count == 5)
            let totals = try #require(reports.last)
            #expect(totals["manifests"].int == 4)
            #expect(totals["rows"]["total"].int == 5)
            #expect(totals["rows"]["rejected"].int == 1)
            #expect(totals["media"]["missing_total"].int == 1)
            #expect(totals["loose_media"]["files"].int == 1)
            #expect(totals["ignored_files"].int == 1)
            #expect(try await site.simulator.calls().isEmpty)
            #expect(try site.dropped().count == 7)

            let text = try await site.control("check", site.drop.path)
            #expect(text.exit == 4)
            #expect(text.lines.contains("  loose     1 file without a manifest, 5 B: a row each"), "\(text.lines)")
            func exit(_ name: String) async throws -> Int32? {
                try await site.control("check", site.drop.appending(path: name).path).exit
            }
            #expect(try await exit("good.json") == 0)
            #expect(try await exit("sub/bad.jsonl") == 3)
            #expect(try await exit("sub/cut.json") == 4)
            #expect(try await exit("meta.jsonl") == 0)
            #expect(try await exit("nothing.json") == 66)
            try FileManager.default.removeItem(at: site.drop.appending(path: "cat.png"))
            #expect(try await exit("good.json") == 6)
        }
    }

    @Test("--online adds the key, the datasets and the metadata", .timeLimit(.minutes(2)))
    func online() async throws {
        try await site { site in
            let good = site.drop.appending(path: "good.json").path
            let said = try await site.control("check", good, "--online", "--json")
            #expect(said.exit == 0, "\(said.lines)")
            try await Validator.expectValid(said.lines, "check-report")
            let report = try #require(try said.json.last)
            #expect(report["user"].string == "importer@example.com")
            #expect(report["datasets"].list.map { $0["name"].string } == ["First"])

            let meta = try await site.control("check", site.drop.appending(path: "meta.jsonl").path, "--online")
            #expect(meta.exit == 4, "its only row names a field that is not there")
            #expect(meta.lines.contains { $0.contains("unknown_metadata_field") }, "\(meta.lines)")

            let elsewhere = site.root.appending(path: "elsewhere.json")
            try Data(#"{"dataset_id": "nope", "rows": [{"row_data": "https://example.com/1.jpg"}]}"#.utf8)
                .write(to: elsewhere)
            let unknown = try await site.control("check", elsewhere.path, "--online")
            #expect(unknown.exit == 7)
            #expect(unknown.lines.contains { $0.hasPrefix("  problem   dataset 'nope': Labelbox knows none") })

            try site.write(key: "lbk-wrong-1b2c")
            let key = try await site.control("check", good, "--online", "--json")
            #expect(key.exit == 7)
            #expect(try key.json.last?["key_valid"] == .bool(false))
            try await Validator.expectValid(key.lines, "check-report")
            try site.write(key: Simulator.key)
            try await site.simulator.addFaults(#"{"rates": {"426": 1}, "operations": ["user"], "count": 1}"#)
            let quota = try await site.control("check", good, "--online")
            #expect(quota.exit == 7)
            #expect(quota.lines.contains { $0.contains("problem") && $0.contains("quota") }, "\(quota.lines)")
        }
    }
}
