import Foundation
import Glibc
import Testing

/// How the daemon starts, stops, and refuses to.
@Suite("The service", .serialized)
struct ServiceTests {
    @Test("SIGTERM in the middle of an import ends it in good order, and a start goes on", .timeLimit(.minutes(3)))
    func stopping() async throws {
        try await Site.with(SiteSettings(simulator: ["--task-delay", "1s"])) { site in
            try await site.start()
            for manifest in 0..<10 {
                try site.drop("picture \(manifest).png", String(repeating: "\(manifest)", count: 100_000))
                let rows = (0..<200).map { #"{"row_data": "https://example.com/\#(manifest)/\#($0)"}"# }
                try site.drop(
                    "\(manifest).json", "[\(rows.joined(separator: ", ")), \"picture \(manifest).png\"]")
            }
            try await site.status(of: "0.json", "is under way") { $0["state"].string == "importing" }
            try await site.stop()
            #expect(try site.daemonStatus()?["state"].string == "draining")
            try await site.start()
            for manifest in 0..<10 {
                #expect(try await site.ended("\(manifest).json")["state"].string == "complete")
            }
            let rows = try await site.simulator.rows()
            #expect(rows.count == 2_010)
            #expect(Set(rows.compactMap { $0["row_data"].string }).count == 2_010)
        }
    }

    @Test("a second daemon on the same state refuses to start, and names the first", .timeLimit(.minutes(2)))
    func second() async throws {
        try await Site.with { site in
            try await site.start()
            let first = try #require(site.daemon)
            let log = site.root.appending(path: "second.log")
            let second = try Child(Programs.daemon, ["--config", site.configuration.path], output: log)
            defer { second.kill() }
            let end = try await second.ended(within: .seconds(30))
            #expect(end == .exited(74))
            let said = try String(contentsOf: log, encoding: .utf8)
            #expect(said.contains("\(first.pid)"), "\(said)")
            #expect(first.end == nil)
        }
    }

    @Test("a wrong configuration ends it with 78 and the line", .timeLimit(.minutes(2)))
    func wrongConfiguration() async throws {
        try await Site.with { site in
            let file = site.root.appending(path: "wrong.yaml")
            let text = try String(contentsOf: site.configuration, encoding: .utf8)
            try Data(text.replacing("state_directory:", with: "state_dirctory:").utf8).write(to: file)
            let result = try await output(of: Programs.daemon.path, ["--config", file.path])
            #expect(result.ending == .exited(78))
            #expect(result.text.contains("state_directory"), "the nearest key is named: \(result.text)")
            #expect(result.text.contains("wrong.yaml"))
        }
    }

    @Test("a ledger that is none ends it with 65", .timeLimit(.minutes(2)))
    func brokenLedger() async throws {
        try await Site.with { site in
            try FileManager.default.createDirectory(at: site.state, withIntermediateDirectories: true)
            let ledger = site.state.appending(path: "ledger.sqlite")
            let content = Data("This is no database, whatever its name says. ".utf8)
            try (content + content + content).write(to: ledger)
            let end = try await site.launch().ended(within: .seconds(30))
            #expect(end == .exited(65), "\(site.logged())")
            #expect(try Data(contentsOf: ledger) == content + content + content, "it is left as it is")
        }
    }

    @Test("a key that is refused blocks the daemon, and no row fails for it", .timeLimit(.minutes(3)))
    func refusedKey() async throws {
        try await Site.with(SiteSettings(key: "a wrong key")) { site in
            try await site.start()
            try site.drop("rows.json", #"["a.txt", {"row_data": "https://example.com/1.jpg"}]"#)
            try site.drop("a.txt", "text")
            try await eventually(within: .seconds(60), "the daemon is blocked") {
                try site.daemonStatus()?["state"].string == "blocked" ? () : nil
            }
            try await site.stop()
            #expect(try site.status("rows.json")?["rows"]["failed"].int == 0)
            try site.write(key: Simulator.key)
            try await site.start()
            let status = try await site.ended("rows.json")
            #expect(status["state"].string == "complete", "\(status)")
            #expect(try await site.simulator.rows().count == 2)
        }
    }
}
