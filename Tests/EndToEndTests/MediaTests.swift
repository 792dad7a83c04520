import Foundation
import Testing

/// Local files, as they come: wrong, empty, too large, oddly named, and the same twice.
@Suite("Media files", .serialized)
struct MediaTests {
    @Test("a file is judged before it is uploaded, and its row fails with the reason", .timeLimit(.minutes(2)))
    func judged() async throws {
        let settings = SiteSettings(watch: ["media_limits: {image: 1kB}", #"content_types: {".xyz": application/foo}"#])
        try await Site.with(settings) { site in
            try await site.start()
            let files: [(name: String, content: Data, code: String?, warning: String?, type: String)] = [
                ("page.jpg", Data("<!DOCTYPE html><html></html>".utf8), "media_type_mismatch", nil, ""),
                ("empty.png", Data(), "media_empty", nil, ""),
                ("large.png", Pictures.png(String(repeating: "x", count: 1_000)), "media_too_large", nil, ""),
                ("photo.png", Pictures.jpeg("photo"), nil, "media_type_differs", "image/jpeg"),
                ("text.jpg", Data("a text".utf8), nil, "media_type_doubtful", "image/jpeg"),
                ("own.xyz", Data([0, 1, 2]), nil, nil, "application/foo"),
                ("good.jpg", Pictures.jpeg("good"), nil, nil, "image/jpeg"),
            ]
            for file in files { try site.drop(file.name, file.content) }
            let rows = files.map { #"{"row_data": "./\#($0.name)", "external_id": "\#($0.name)"}"# }
            try site.drop("rows.ndjson", rows.joined(separator: "\n") + "\n")
            let status = try await site.ended("rows.ndjson")
            #expect(status["state"].string == "complete_with_errors", "\(status)")
            let results = try site.results(status)
            #expect(results.map { $0["error"]["code"].string } == files.map(\.code))
            let page = results.first?["error"]["message"].string ?? ""
            #expect(page.contains("a JPEG image (image/jpeg)") && page.contains("an HTML page (text/html)"), "\(page)")
            #expect(
                Set(status["warnings"].list.compactMap { $0["code"].string }) == Set(files.compactMap(\.warning)))
            #expect(status["warnings_total"].int == 2)
            let sent = try await site.simulator.rows()
            for file in files where file.code == nil {
                let row = try #require(sent.first { $0["external_id"].string == file.name })
                let url = try #require(row["row_data"].string)
                #expect(try await site.simulator.kind(of: url) == (file.type, file.name))
                #expect(try await site.simulator.file(url) == file.content)
            }
            #expect(sent.count == 4)
        }
    }

    @Test(
        "names with spaces, quotes, percent signs and letters of all scripts arrive as they are",
        .timeLimit(.minutes(2)))
    func names() async throws {
        try await Site.with(SiteSettings(watch: ["media_grace: 30s"])) { site in
            try await site.start()
            let names = [
                "two words.png", "100%25.png", #"say "cheese".png"#, "naïve 图片 😀.png", "a;b,c&d=e+f#g.png",
                #"back\slash.png"#,
            ]
            for name in names { try site.drop("in a folder/\(name)", Pictures.png(name)) }
            let sent = try await eventually(within: .seconds(60), "all are imported") {
                try site.expectDaemonRuns()
                let rows = try await site.simulator.rows()
                return rows.count == names.count ? rows : nil
            }
            for name in names {
                let row = try #require(sent.first { $0["external_id"].string == "in a folder/\(name)" }, "\(name)")
                #expect(try await site.simulator.file(try #require(row["row_data"].string)) == Pictures.png(name))
            }
            try await eventually(within: .seconds(30), "all are archived") {
                Set(site.archived()).isSuperset(of: names.map { "in a folder/\($0)" }) ? () : nil
            }
        }
    }

    @Test("a name that is not UTF-8 stays, and it is said why; the others are imported", .timeLimit(.minutes(2)))
    func unnameable() async throws {
        try await Site.with(SiteSettings(watch: ["media_grace: 30s"])) { site in
            try await site.start()
            try site.drop("good.png", Pictures.png("good"))
            let odd =
                Array(site.drop.path.utf8CString.dropLast()) + [
                    0x2f, CChar(bitPattern: 0xff), 0x2e, 0x70, 0x6e, 0x67, 0,
                ]
            let file = odd.withUnsafeBufferPointer { fopen($0.baseAddress, "w") }
            fputs("no name", file)
            fclose(file)
            try await eventually(within: .seconds(60), "the good one is imported") {
                try await site.simulator.rows().count == 1 ? () : nil
            }
            try await eventually(within: .seconds(60), "the odd one is told of with the reason") {
                site.logged().contains("JSON can hold") ? () : nil
            }
            #expect(try await site.simulator.rows().count == 1)
        }
    }

    @Test("one content is uploaded once, under however many names, links and manifests", .timeLimit(.minutes(2)))
    func once() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop("a.png", Pictures.png("the same"))
            try site.drop("b.png", Pictures.png("the same"))
            #expect(link(site.drop.appending(path: "a.png").path, site.drop.appending(path: "c.png").path) == 0)
            try site.drop("first.json", #"["a.png", "b.png", {"row_data": "c.png", "external_id": "linked"}]"#)
            try site.drop("second.json", #"[{"row_data": "b.png", "external_id": "again"}]"#)
            for name in ["first.json", "second.json"] {
                #expect(try await site.ended(name)["state"].string == "complete")
            }
            let rows = try await site.simulator.rows()
            #expect(rows.count == 4)
            #expect(Set(rows.compactMap { $0["row_data"].string }).count == 1, "one address for all")
        }
    }

    @Test(
        "small files share requests, as many as the server takes, and each row gets its own file's address",
        .timeLimit(.minutes(2)),
        arguments: [
            ("auto", nil, 10, nil), ("4", nil, 4, nil), ("1", nil, 1, nil), ("auto", 2, 2, ["files=1", "files=2"]),
            ("auto", 1, 1, ["files=1"]),
        ] as [(String, Int?, Int, [String]?)])
    func together(setting: String, limit: Int?, most: Int, told: [String]?) async throws {
        let settings = SiteSettings(
            simulator: limit.map { ["--max-files", "\($0)"] } ?? [],
            labelbox: ["max_connections: 1", "files_per_request: \(setting)"])
        try await Site.with(settings) { site in
            let names = (0..<60).map { "small \($0).png" }
            for name in names { try site.drop(name, Pictures.png(name)) }
            try site.drop("album.json", "[" + names.map { "\"\($0)\"" }.joined(separator: ", ") + "]")
            try await site.start()
            #expect(try await site.ended("album.json")["state"].string == "complete")
            let rows = try await site.simulator.rows()
            #expect(rows.count == names.count)
            for row in rows {
                let name = try #require(row["external_id"].string)
                #expect(try await site.simulator.file(try #require(row["row_data"].string)) == Pictures.png(name))
            }
            let taken = try await site.simulator.calls().filter { $0["outcome"].string == "200" }
                .map { $0["operations"].list.filter { $0.string == "uploadFile" }.count }
            // How many come together is a matter of moments, and more than the server takes are never asked of it twice.
            let largest = taken.max() ?? 0
            #expect((most > 2 ? 2...most : 1...most).contains(largest))
            if let told {
                let line = "Fewer files share a request from now on"
                // Three that came together and were too many are halved to one, though two would do.
                let logged = site.logged()
                #expect(logged.contains(line) && told.contains { logged.contains($0) })
                // What was learned is not asked again after a restart.
                try await site.stop()
                let before = site.logged().components(separatedBy: line).count
                for name in names { try site.drop("again/\(name)", Pictures.png("again \(name)")) }
                try site.drop("again/album.json", "[" + names.map { "\"\($0)\"" }.joined(separator: ", ") + "]")
                try await site.start()
                #expect(try await site.ended("again/album.json")["state"].string == "complete")
                #expect(site.logged().components(separatedBy: line).count == before)
            }
        }
    }

    @Test("a large file is hashed while it is sent, and never sent again", .timeLimit(.minutes(2)))
    func large() async throws {
        try await Site.with { site in
            try await site.start()
            var content = Pictures.png("large")
            content.append(Data((0..<(9 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 7) }))
            var other = content
            other.append(1)
            try site.drop("large.png", content)
            try site.drop("larger.png", other)
            try site.drop("first.json", #"["large.png", "larger.png"]"#)
            #expect(try await site.ended("first.json")["state"].string == "complete")
            try site.drop("again/copy.png", content)
            // As long as one that is known, and with another content.
            other[other.count - 1] = 2
            try site.drop("again/other.png", other)
            try site.drop("again/second.json", #"["copy.png", "other.png"]"#)
            #expect(try await site.ended("again/second.json")["state"].string == "complete")
            let rows = try await site.simulator.rows()
            let addresses = rows.reduce(into: [:]) { $0[$1["external_id"].string ?? ""] = $1["row_data"].string }
            #expect(addresses.count == 4)
            #expect(addresses["large.png"] == addresses["copy.png"] && addresses["large.png"] != nil)
            #expect(try await site.simulator.file(try #require(addresses["large.png"])) == content)
            #expect(try await site.simulator.file(try #require(addresses["other.png"])) == other)
            let sent = try await site.simulator.calls().flatMap { $0["operations"].list }.filter {
                $0.string == "uploadFile"
            }
            // Three files; for each of the two manifests a chunk and a list of chunks.
            #expect(sent.count == 3 + 4)
        }
    }
}
