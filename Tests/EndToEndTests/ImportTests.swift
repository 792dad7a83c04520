import Foundation
import Testing

/// What is dropped is in the dataset afterwards, and nothing else.
@Suite("Imports", .serialized)
struct ImportTests {
    @Test("a list, JSON Lines, an envelope and their gzip are imported as they were written", .timeLimit(.minutes(3)))
    func formats() async throws {
        try await Site.with { site in
            try await site.start()
            let list = """
                [{"row_data": "https://example.com/a.jpg", "external_id": "list 0"},
                 {"row_data": "inline text, \\u00e9\\n日本", "external_id": "list 1", "global_key": "own key"},
                 {"row_data": {"type": "application/vnd.labelbox.conversational", "version": 1,
                    "messages": [{"messageId": "m1", "content": "hello", "timestampUsec": 1704067200000000.50}]},
                  "external_id": "list 2", "media_type": "CONVERSATIONAL"}]
                """
            let lines = (0..<250).map {
                #"{"row_data":"https://example.com/l/\#($0).png","external_id":"lines \#($0)"}"#
            }
            .joined(separator: "\n")
            let envelope = """
                {"dataset_id": "\(Simulator.otherDataset)", "defaults": {"media_type": "TEXT"}, "rows": [
                    {"row_data": "first", "external_id": "envelope 0"},
                    {"row_data": "second", "external_id": "envelope 1",
                     "attachments": [{"type": "RAW_TEXT", "value": "said before"}]}]}
                """
            let packed = try await gzip(
                site,
                (0..<40).map {
                    #"{"row_data":"https://example.com/z/\#($0).png","external_id":"packed \#($0)"}"#
                }.joined(separator: "\n"))
            try site.drop("list.json", list)
            try site.drop("deep/er/lines.ndjson", lines)
            try site.drop("envelope.json", envelope)
            try site.drop("packed.jsonl.gz", packed)

            var wanted: [String: Int] = ["list.json": 3, "deep/er/lines.ndjson": 250, "envelope.json": 2]
            wanted["packed.jsonl.gz"] = 40
            for (name, count) in wanted {
                let status = try await site.ended(name)
                #expect(status["state"].string == "complete", "\(name): \(status)")
                #expect(status["rows"]["total"].int == count)
                #expect(status["rows"]["created"].int == count)
                #expect(status["progress"] == .number(1))
                let results = try site.results(status)
                #expect(results.compactMap { $0["row"].int } == Array(0..<count))
                #expect(results.allSatisfy { $0["outcome"].string == "created" && $0["data_row_id"].string != nil })
            }

            let first = try await site.simulator.rows()
            let second = try await site.simulator.rows(Simulator.otherDataset)
            #expect(first.count == 293)
            let expected = try JSON(list).list + jsonLines(Data(lines.utf8))
            let found = Dictionary(grouping: first, by: { $0["external_id"].string ?? "" })
            for row in expected {
                let there = found[row["external_id"].string ?? ""] ?? []
                #expect(there.count == 1)
                let payload = there.first?["payload"] ?? .null
                let added = row["global_key"] == .null ? ["dataset_id", "global_key"] : ["dataset_id"]
                #expect(added.reduce(payload) { $0.without($1) } == row)
            }
            // Numbers keep the digits that they were written with.
            let raw = try await site.simulator.rawRows()
            #expect(raw.contains("1704067200000000.50"))
            #expect(second.compactMap { $0["external_id"].string }.sorted() == ["envelope 0", "envelope 1"])
            #expect(second.allSatisfy { $0["payload"]["media_type"].string == "TEXT" })
            #expect(
                second.contains { $0["payload"]["attachments"].list.first?["value"].string == "said before" })

            #expect(try site.dropped() == [])
            #expect(Set(site.archived()) == Set(wanted.keys))
        }
    }

    @Test("of many small manifests, one that cannot be read takes no other with it", .timeLimit(.minutes(3)))
    func manySmall() async throws {
        try await Site.with { site in
            // Before the start, so that they are read together.
            for number in 0..<200 {
                let text =
                    switch number {
                    case 7: "[{]"
                    case 50: #"{"rows": 1}"#
                    case 90: #"[{"row_data": 1}]"#
                    default: #"[{"row_data": "https://example.com/\#(number).jpg", "external_id": "\#(number)"}]"#
                    }
                try site.drop("\(number).json", text)
            }
            try await site.start()
            for number in 0..<200 {
                let status = try await site.ended("\(number).json")
                let isWrong = [7, 50, 90].contains(number)
                #expect(status["state"].string == (isWrong ? "rejected" : "complete"), "\(number): \(status)")
                #expect(status["errors"].list.count == (isWrong ? 1 : 0))
            }
            let names = try await site.simulator.rows().compactMap { $0["external_id"].string }
            #expect(names.count == 197)
            #expect(Set(names).count == 197)
            #expect(try site.dropped() == [])
        }
    }

    @Test(
        "a file that is not what its envelope says is waited for, and never sent in its place", .timeLimit(.minutes(2)))
    func expectedFiles() async throws {
        try await Site.with(SiteSettings(watch: ["media_wait: 4m"])) { site in
            try await site.start()
            // Of other bytes than those that are dropped.
            let digest = "bb1c6dc32a77cbb6a4a1c0e9c4f0a3f1f4b4fcd5b3fbd2f8f5c8f4f8f0b7a7d0"
            try site.drop("a.txt", "half")
            try site.drop("b.txt", "wrong")
            try site.drop(
                "rows.json",
                """
                {"files": {"a.txt": {"bytes": 5}, "b.txt": {"bytes": 5, "sha256": "\(digest)"}},
                 "rows": [{"row_data": "./a.txt", "external_id": "a"}, {"row_data": "./b.txt", "external_id": "b"}]}
                """)
            try await site.status(of: "rows.json", "waits") { $0["state"].string == "waiting_for_media" }
            try site.drop("a.txt", "whole")

            let status = try await site.ended("rows.json")
            #expect(status["rows"]["created"].int == 1, "\(status)")
            #expect(status["rows"]["failed"].int == 1)
            let rows = try await site.simulator.rows()
            #expect(rows.map { $0["external_id"].string } == ["a"])
            let address = try #require(rows.first?["row_data"].string)
            #expect(try await site.simulator.file(address) == Data("whole".utf8))
        }
    }

    @Test("local files are uploaded once each, and their addresses stand in the rows", .timeLimit(.minutes(3)))
    func media() async throws {
        try await Site.with(SiteSettings(watch: ["media_wait: 3m"])) { site in
            try await site.start()
            let picture = Data((0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
            try site.drop("batch/a.jpg", picture)
            try site.drop("batch/same as a.jpg", picture)
            try site.drop("batch/b.txt", "some text")
            try site.drop(
                "batch/rows.json",
                """
                ["a.jpg", {"row_data": "same as a.jpg", "external_id": "twin"}, {"row_data": "./b.txt"},
                 {"row_data": "late.png", "external_id": "late"}, {"row_data": "never.png", "external_id": "never"}]
                """)
            try await site.status(of: "batch/rows.json", "waits") { $0["state"].string == "waiting_for_media" }
            try site.drop("batch/late.png", "late, but there")

            let status = try await site.ended("batch/rows.json")
            #expect(status["state"].string == "complete_with_errors", "\(status)")
            #expect(status["rows"]["created"].int == 4)
            #expect(status["rows"]["failed"].int == 1)
            let error = status["errors"].list.first ?? .null
            #expect(error["code"].string == "media_missing")
            #expect(error["row"].int == 4)
            let failed = try site.results(status).filter { $0["outcome"].string == "failed" }
            #expect(failed.map { $0["row"].int } == [4])
            #expect(failed.first?["external_id"].string == "never")

            let rows = try await site.simulator.rows()
            #expect(rows.count == 4)
            func address(_ name: String) -> String? {
                rows.first { $0["external_id"].string == name }?["row_data"].string
            }
            // Who gives no external id gets the name, and no path of this machine.
            #expect(rows.allSatisfy { $0["external_id"].string?.hasPrefix("/") == false })
            let twin = try #require(address("twin"))
            #expect(try await site.simulator.file(twin) == picture)
            #expect(rows.filter { $0["row_data"].string == twin }.count == 2, "one upload serves both rows")
            let late = try #require(address("late"))
            #expect(try await site.simulator.file(late) == Data("late, but there".utf8))
            // Three contents, the chunks, and the list of chunks; in how many requests, that is a matter of the moment.
            let state = try await site.simulator.state()
            #expect(state["uploads"]["files"].int == 3 + 2 * (state["submits"]["received"].int ?? 0))

            try await eventually(within: .seconds(20), "the media is put away") {
                try site.dropped().isEmpty ? () : nil
            }
            let names = ["batch/a.jpg", "batch/b.txt", "batch/late.png", "batch/rows.json", "batch/same as a.jpg"]
            #expect(site.archived().sorted() == names)
        }
    }

    @Test("loose media is imported after its grace, unless a manifest names it", .timeLimit(.minutes(3)))
    func looseMedia() async throws {
        try await Site.with(SiteSettings(watch: ["media_grace: 3m"])) { site in
            try await site.start()
            try site.drop("alone.png", "a picture of its own")
            try site.drop("sub/alone too.txt", "a text of its own")
            try site.drop("named.png", "a picture with a manifest")
            try site.drop("rows.json", #"[{"row_data": "named.png", "external_id": "named by a manifest"}]"#)
            try await site.ended("rows.json")
            try await eventually(within: .seconds(30), "three rows") {
                try await site.simulator.rows().count >= 3 ? () : nil
            }
            try await eventually(within: .seconds(30), "all is put away") { try site.dropped().isEmpty ? () : nil }
            let rows = try await site.simulator.rows()
            let names = rows.compactMap { $0["external_id"].string }.sorted()
            #expect(names == ["alone.png", "named by a manifest", "sub/alone too.txt"])
            for row in rows where row["external_id"].string == "sub/alone too.txt" {
                #expect(
                    try await site.simulator.file(row["row_data"].string ?? "") == Data("a text of its own".utf8))
            }
        }
    }

    @Test("media waits past its grace while a manifest that may name it is still written", .timeLimit(.minutes(2)))
    func slowManifest() async throws {
        try await Site.with(SiteSettings(watch: ["media_grace: 12s", "settle: 12s"])) { site in
            try await site.start()
            // In place and slowly, as a copy over a network does it.
            let path = site.drop.appending(path: "rows.json").path
            #expect(FileManager.default.createFile(atPath: path, contents: Data("[".utf8)))
            let writer = try #require(FileHandle(forWritingAtPath: path))
            try site.drop("a.txt", "media")
            // Three times as long as both waits.
            try await Task.sleep(for: FastClocks.real(.seconds(36)))
            try writer.write(contentsOf: Data(#"[{"row_data": "./a.txt", "external_id": "a"}]"#.utf8))
            try writer.close()

            let status = try await site.ended("rows.json")
            #expect(status["rows"]["created"].int == 1, "\(status)")
            #expect(try await site.simulator.rows().map { $0["external_id"].string } == ["a"])
        }
    }

    @Test("a dataset that nobody knows fails its manifest alone, in clear words", .timeLimit(.minutes(2)))
    func unknownDataset() async throws {
        try await Site.with { site in
            try await site.start()
            let row = #"{"row_data": "https://example.com/1.jpg", "external_id": "1"}"#
            try site.drop("lost.json", #"{"dataset_id": "cmnowhere0000000000000001", "rows": [\#(row)]}"#)
            try site.drop("good.json", "[\(row)]")
            #expect(try await site.ended("good.json")["state"].string == "complete")
            let status = try await site.ended("lost.json")
            #expect(status["state"].string == "failed")
            let message = status["errors"].list.first?["message"].string ?? ""
            #expect(message.contains("cmnowhere0000000000000001"), "\(status)")
            #expect(try await site.simulator.rows().count == 1)
        }
    }

    @Test(
        "an import whose results cannot be written holds up no other, and ends once they can", .timeLimit(.minutes(2)))
    func resultsInTheWay() async throws {
        try await Site.with { site in
            let results = site.state.appending(path: "results/drop")
            try FileManager.default.createDirectory(at: results, withIntermediateDirectories: true)
            let obstacle = results.appending(path: "blocked")
            try Data("a file where a folder must be".utf8).write(to: obstacle)
            try await site.start()
            // Together, so that they end together.
            for name in ["blocked/rows.json", "good.json", "other.json"] {
                try site.drop(name, #"[{"row_data": "https://example.com/\#(name).jpg", "external_id": "\#(name)"}]"#)
            }
            try await eventually(within: .seconds(30), "the others are put away") {
                site.archived().sorted() == ["good.json", "other.json"] ? () : nil
            }
            try await site.status(of: "blocked/rows.json", "says why it is still there") {
                $0["state_reason"].string?.contains("cannot be put away yet") == true
            }
            try FileManager.default.removeItem(at: obstacle)
            try await eventually(within: .seconds(40), "the last one is put away") {
                site.archived().sorted() == ["blocked/rows.json", "good.json", "other.json"] ? () : nil
            }
            let status = try await site.ended("blocked/rows.json")
            #expect(try site.results(status).map { $0["outcome"].string } == ["created"])
            #expect(try await site.simulator.rows().count == 3)
        }
    }

    private func gzip(_ site: Site, _ text: String) async throws -> Data {
        let file = site.root.appending(path: "to pack")
        try Data(text.utf8).write(to: file)
        #expect(try await output(of: "/bin/gzip", ["-f", file.path]).ending == .exited(0))
        return try Data(contentsOf: file.appendingPathExtension("gz"))
    }
}
