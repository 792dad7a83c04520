import Foundation
import Glibc
import Testing

/// The API key is in nothing that is written or said, whatever happens.
@Suite("The key", .serialized)
struct KeySecrecyTests {
    /// The key, its parts, and other spellings of it.
    private static var spellings: [String] {
        let key = Simulator.key
        let secret = String(key.split(separator: "-").last ?? "")
        var spellings = [key, secret, String(secret.prefix(8)), String(secret.suffix(8)), key.uppercased()]
        spellings.append(String(key.reversed()))
        spellings.append(key.utf8.map { String($0, radix: 16) }.joined())
        // Base64 at each of its three alignments, without the ends, which depend on what stands beside.
        for filler in 0..<3 {
            let text = Data((String(repeating: " ", count: filler) + key).utf8).base64EncodedString()
            spellings.append(String(text.dropFirst(4).dropLast(4)))
        }
        return spellings
    }

    private static func expectUntold(_ data: Data, _ place: String) {
        for spelling in spellings {
            #expect(data.range(of: Data(spelling.utf8)) == nil, "\(place) has the key, as \(spelling.count) characters")
        }
    }

    @Test("a run that meets every failure writes the key nowhere, and no command says it", .timeLimit(.minutes(4)))
    func everything() async throws {
        let settings = SiteSettings(
            simulator: ["--task-delay", "200ms"], watch: ["media_wait: 1s", "media_grace: 1s"],
            labelbox: ["stall_timeout: 2s"])
        try await Site.with(settings) { site in
            // Kept, as what they were before, under other names.
            let said = site.root.appending(path: "said")
            try FileManager.default.createDirectory(at: said, withIntermediateDirectories: true)
            try await site.start()
            var number = 0
            func rows(_ extra: String = "") throws -> String {
                number += 1
                let name = "m\(number).json"
                try site.drop("m\(number).png", "picture \(number)")
                try site.drop(
                    name,
                    #"["m\#(number).png", {"row_data": "https://example.com/\#(number).jpg"}, {"row_data": 7}, "missing-\#(number).png"\#(extra)]"#
                )
                return name
            }
            // What the server has against requests, each kind once or twice.
            for kind in [
                "429", "500", "502", "503", "520", "413", "reset", "truncated", "html", "graphql-502", "426", "401",
            ] {
                let isFinal = ["426", "401"].contains(kind)
                try await site.simulator.addFaults(#"{"rates": {"\#(kind)": 1}, "count": \#(isFinal ? 1 : 2)}"#)
                let name = try rows()
                if isFinal {
                    // Blocked for five minutes, unless it is started anew.
                    try await eventually(within: .seconds(60), "it is blocked") {
                        try site.daemonStatus()?["state"].string == "blocked" ? () : nil
                    }
                    try await site.stop()
                    try await site.start()
                }
                let status = try await site.ended(name, within: .seconds(90))
                // A file that the server calls too large is one that fails, and nothing else is.
                #expect((status["rows"]["created"].int ?? 0) >= (kind == "413" ? 1 : 2), "\(kind): \(status)")
            }
            // Manifests that cannot be read, and names that are tricks.
            try site.drop("bad \u{1b}[2J.json", "[nothing")
            try site.drop("worse.json", #"{"rows": 7}"#)
            try site.drop("zipped.json.gz", "no gzip")
            try await site.ended("worse.json")
            // The key is revoked, another one is given that is wrong as well, and then it is back.
            try await site.stop()
            try site.write(key: "another key, which is wrong")
            try await site.start()
            let waiting = try rows()
            try await eventually(within: .seconds(60), "it is blocked") {
                try site.daemonStatus()?["state"].string == "blocked" ? () : nil
            }
            site.kill()
            try site.write(key: Simulator.key)
            try await site.start()
            try await site.ended(waiting)
            // The server is gone, and nobody can be asked.
            try await Self.sayEverything(site, said, "with a server") { _ in true }
            for line in ["cmdline", "comm", "limits"] {
                let file = "/proc/\(try #require(site.daemon).pid)/\(line)"
                Self.expectUntold(try Data(contentsOf: URL(filePath: file)), file)
            }
            site.simulator.kill()
            _ = try rows()
            try await eventually(within: .seconds(60), "requests fail") {
                site.logged().contains("Couldn't connect to server") ? () : nil
            }
            // Each of those that ask the server would wait for it, and one is enough.
            try await Self.sayEverything(site, said, "without") { line in
                line == "datasets show --patience 2s"
                    || !["rows ", "datasets ", "project "].contains { line.hasPrefix($0) }
                        && !line.hasSuffix("--online")
            }
            try await site.stop()

            // All that there is, but for the key file and what the server keeps of its clients.
            var seen = 0
            let walk = try #require(FileManager.default.enumerator(atPath: site.root.path))
            for case let name as String in walk {
                Self.expectUntold(Data(name.utf8), "the name \(name)")
                guard walk.fileAttributes?[.type] as? FileAttributeType == .typeRegular,
                    !["api-key", "labelbox-sim.log"].contains(name), !name.hasPrefix("labelbox/")
                else { continue }
                let file = site.root.appending(path: name)
                Self.expectUntold(try Data(contentsOf: file), name)
                seen += 1
            }
            #expect(seen > 100, "only \(seen) files were looked at")
            // It was used all the same: else nothing is shown.
            let log = try String(contentsOf: site.root.appending(path: "datarowd.log"), encoding: .utf8)
            #expect(log.contains("DEBUG") && log.contains("Request failed"))
        }
    }

    /// Runs every command, and keeps what it says.
    private static func sayEverything(
        _ site: Site, _ folder: URL, _ circumstances: String, where isWanted: (String) -> Bool
    ) async throws {
        let set = Simulator.dataset
        let manifest = site.root.appending(path: "checked.json")
        try Data(#"[{"row_data": "https://example.com/1.jpg"}, {"row_data": 7}]"#.utf8).write(to: manifest)
        let lines = [
            "status", "status --json", "status m1.json", "status m1.json --json", "ls", "ls --json",
            "ls --state complete",
            "tasks", "tasks --open", "tasks --json", "explain m1.json", "explain", "wait m1.json --timeout 1s",
            "check \(manifest.path)", "check \(manifest.path) --json", "check \(manifest.path) --online",
            "drop \(manifest.path) --watch drop", "rows list --dataset \(set)",
            "rows list --dataset \(set) --full --limit 2",
            "rows get --global-key nothing", "rows get --external-id m1.png",
            "rows update --global-key nothing --external-id x",
            "rows delete --global-key nothing", "rows delete --global-key nothing --yes", "datasets show --patience 2s",
            "datasets show \(set)",
            "project rows nothing", "config check", "config show", "--help", "--version", "nonsense",
            "status --nonsense",
        ]
        var silent: [String] = []
        for (number, line) in lines.enumerated() where isWanted(line) {
            let words = line.split(separator: " ").map(String.init)
            let arguments = words[0].hasPrefix("--") ? words : words + ["--config", site.configuration.path]
            let ran = try await output(of: Programs.control.path, arguments, within: .seconds(60))
            if ran.text.isEmpty { silent.append(line) }
            try Data("\(line)\n\(ran.text)".utf8)
                .write(to: folder.appending(path: "\(number) \(circumstances).txt"))
        }
        #expect(silent.count < 5, "these say nothing, and so show nothing: \(silent)")
    }

    @Test(
        "status, state, bell and lock are for the daemon's user and group, and for nobody else", .timeLimit(.minutes(1))
    )
    func modes() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop("a/rows.json", #"[{"row_data": "https://example.com/1.jpg"}, {"row_data": 7}]"#)
            try await site.ended("a/rows.json")
            func mode(_ url: URL) throws -> mode_t {
                var status = stat()
                guard lstat(url.path, &status) == 0 else { throw Trouble("\(url.path): error \(errno)") }
                return status.st_mode & 0o7777
            }
            let closed = [
                "", "status", "status/drop", "status/drop/a", "results", "failed", "archive", "work", "claimed",
                "locks",
            ]
            for name in closed {
                #expect(try mode(site.state.appending(path: name)) & 0o027 == 0, "the folder \(name)")
            }
            for name in [
                "ledger.sqlite", "ledger.sqlite-wal", "lock", "status/datarowd.json",
                "status/drop/a/rows.json.status.json",
            ] {
                #expect(try mode(site.state.appending(path: name)) & 0o137 == 0, "\(name)")
            }
            #expect(try mode(site.drop.appending(path: ".datarowd")) & 0o077 == 0)
            #expect(try mode(site.drop.appending(path: ".datarowd/claimed")) & 0o077 == 0)
            #expect(try mode(site.drop.appending(path: ".datarowd/lock")) & 0o137 == 0)
        }
    }
}
