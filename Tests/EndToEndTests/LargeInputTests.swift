import Foundation
import Glibc
import Testing

/// What is large, deep or many is taken or refused in bounded memory.
@Suite("Large input", .serialized)
struct LargeInputTests {
    /// A debug build is some ten times slower.
    #if DEBUG
        private static let manyRows = 100_000
    #else
        private static let manyRows = 1_000_000
    #endif

    /// What an idle daemon has is some 30 MB, in a debug build more.
    private static let allowed = 160 << 20

    private static func expectLittleMemory(_ site: Site) throws {
        let daemon = try #require(site.daemon)
        let peak = try #require(try daemon.highWaterMark())
        #expect(peak < allowed, "\(peak >> 20) MiB")
    }

    @Test(
        "a row of nearly the most bytes goes through, and one of more is refused with its size", .timeLimit(.minutes(2))
    )
    func longRows() async throws {
        try await Site.with { site in
            try await site.start()
            // Passed through byte for byte, so that it is not made a file.
            func row(_ bytes: Int, _ name: String) -> String {
                let frame =
                    #"{"row_data":{"type":"application/vnd.labelbox.conversational","version":1,"messages":[],"x":""},"external_id":"\#(name)"}"#
                let filler = String(repeating: "x", count: bytes - frame.utf8.count)
                return frame.replacing(#""x":"""#, with: #""x":"\#(filler)""#)
            }
            try site.drop(
                "long.ndjson",
                [row(9_900_000, "long"), row(10_000_001, "too long"), row(500, "short"), row(9_900_000, "long too")]
                    .joined(separator: "\n"))
            let status = try await site.ended("long.ndjson")
            #expect(status["rows"]["created"].int == 3, "\(status)")
            #expect(status["rows"]["rejected"].int == 1)
            let message = status["errors"].list.first?["message"].string ?? ""
            #expect(message.contains("10,000,001") || message.contains("10000001"), "\(message)")
            #expect(try await site.names() == ["long", "long too", "short"])
            try Self.expectLittleMemory(site)
        }
    }

    @Test(
        "a million rows, each with an external id of its own and no key, have each their own result",
        .timeLimit(.minutes(5)))
    func manyNames() async throws {
        try await Site.with(SiteSettings(watch: [#"global_key: "off""#])) { site in
            try await site.start()
            let count = Self.manyRows
            let file = site.root.appending(path: "outside/many.ndjson")
            let made = try await output(
                of: "/usr/bin/awk",
                [
                    "BEGIN { for (i = 0; i < \(count); i++) printf \"{\\\"row_data\\\":\\\"https://e.example/%d.jpg\\\",\\\"external_id\\\":\\\"name-%d\\\"}\\n\", i, i > \"\(file.path)\" }"
                ], within: .seconds(100))
            #expect(made.ending == .exited(0), "\(made.text)")
            #expect(rename(file.path, site.drop.appending(path: "many.ndjson").path) == 0)
            let status = try await site.ended("many.ndjson", within: .seconds(240))
            #expect(status["rows"]["created"].int == count, "\(status)")
            // Read by a program: a million values of ours would take longer than the import.
            let check = try await output(
                of: "/usr/bin/python3",
                [
                    "-c",
                    """
                    import json, sys
                    rows = {r["id"]: r["external_id"] for r in map(json.loads, open(sys.argv[2]))}
                    for number, line in enumerate(open(sys.argv[1])):
                        result = json.loads(line)
                        assert result["row"] == number and result["external_id"] == "name-%d" % number, line
                        assert rows.pop(result["data_row_id"]) == result["external_id"], line
                    assert not rows
                    """, site.place(status["results_file"].string ?? "").path,
                    try await Self.save(try await site.simulator.rawRows(), in: site),
                ], within: .seconds(100))
            #expect(check.ending == .exited(0), "\(check.text.suffix(500))")
            try Self.expectLittleMemory(site)
        }
    }

    private static func save(_ text: String, in site: Site) async throws -> String {
        let file = site.root.appending(path: "rows.ndjson")
        try Data(text.utf8).write(to: file)
        return file.path
    }

    @Test(
        "compressed and nested bombs of every shape are refused, in little memory and on little disk",
        .timeLimit(.minutes(3)))
    func bombs() async throws {
        try await Site.with { site in
            try await site.start()
            let shapes: [(name: String, script: String)] = [
                // In a list, in lines, in an envelope; after good rows, and as one endless row.
                (
                    "list.json.gz",
                    #"(printf '['; yes '{"row_data":"https://example.com/a.jpg"},' | head -c 150000000) | gzip -9"#
                ),
                ("lines.ndjson.gz", #"(printf '{"row_data":"'; head -c 150000000 /dev/zero | tr '\0' x) | gzip -9"#),
                (
                    "envelope.json.gz",
                    #"(printf '{"defaults":{"x":"'; head -c 150000000 /dev/zero | tr '\0' ' ') | gzip -9"#
                ),
                ("blank.ndjson.gz", #"head -c 150000000 /dev/zero | tr '\0' '\n' | gzip -9"#),
                ("deep.json.gz", #"head -c 150000000 /dev/zero | tr '\0' '[' | gzip -9"#),
                // Many members, each small; a bomb within a bomb; and what is cut off in the middle.
                (
                    "members.ndjson.gz",
                    #"printf '\n' | gzip >m; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do cat m m >n; mv n m; done; cat m"#
                ),
                ("twice.json.gz", #"head -c 300000000 /dev/zero | gzip -9 | gzip -9"#),
                ("cut.json.gz", #"head -c 150000000 /dev/zero | gzip -9 | head -c 100000"#),
            ]
            for shape in shapes {
                let file = site.root.appending(path: "outside/\(shape.name)")
                let made = try await output(
                    of: "/bin/sh",
                    ["-c", "cd '\(site.root.path)/outside'; { \(shape.script); } > '\(file.path)' 2>&1"],
                    within: .seconds(100))
                #expect(made.ending == .exited(0), "\(shape.name): \(made.text)")
                #expect(rename(file.path, site.drop.appending(path: shape.name).path) == 0)
            }
            try site.drop("good.json", #"[{"row_data": "https://example.com/1.jpg", "external_id": "good"}]"#)
            // Work folders hold what is unfolded: looked at all the while.
            var most = 0
            for shape in shapes where shape.name != "cut.json.gz" {
                try await eventually(within: .seconds(90), "\(shape.name) has ended") {
                    try site.expectDaemonRuns()
                    most = max(most, try Self.size(of: site.state.appending(path: "work")))
                    return Site.finalStates.contains(try site.status(shape.name)?["state"].string ?? "") ? () : nil
                }
                let status = try #require(try site.status(shape.name))
                // A file of empty lines is one without rows, however often it was packed.
                let wanted = ["members.ndjson.gz"].contains(shape.name) ? "complete" : "rejected"
                #expect(status["state"].string == wanted, "\(shape.name): \(status)")
                #expect(status["rows"]["created"].int == 0, "\(shape.name)")
                #expect(status["errors"].list.isEmpty == (wanted == "complete"), "\(shape.name)")
            }
            #expect(try await site.ended("good.json")["state"].string == "complete")
            #expect(try await site.names() == ["good"])
            #expect(most < 400 << 20, "\(most >> 20) MiB of disk")
            try Self.expectLittleMemory(site)
        }
    }

    private static func size(of folder: URL) throws -> Int {
        try Site.files(in: folder).reduce(0) { sum, name in
            let size = try? FileManager.default.attributesOfItem(atPath: folder.appending(path: name).path)[.size]
            return sum + (size as? Int ?? 0)
        }
    }
}
