import Foundation
import Testing

/// What datarowctl tells of a running daemon.
@Suite("The operator's tool", .serialized)
struct OperatorTests {
    private func control(_ site: Site, _ arguments: [String]) async throws -> (ending: Child.Ending, text: String) {
        let verb = Array(arguments.prefix(1))
        return try await output(
            of: Programs.control.path,
            verb + ["--config", site.configuration.path] + arguments.dropFirst())
    }

    @Test("drop --wait puts files in and ends as their manifests do; status tells of them", .timeLimit(.minutes(3)))
    func dropping() async throws {
        try await Site.with { site in
            try await site.start()
            let desk = site.root.appending(path: "desk")
            try FileManager.default.createDirectory(at: desk, withIntermediateDirectories: true)
            func write(_ name: String, _ text: String) throws -> String {
                let file = desk.appending(path: name)
                try Data(text.utf8).write(to: file)
                return file.path
            }
            let good = try write("good.json", #"["cat.png", {"row_data": "https://example.com/1.jpg"}]"#)
            let cat = try write("cat.png", "a cat")
            let dropped = try await control(site, ["drop", good, cat, "--watch", Site.watch, "--wait"])
            #expect(dropped.ending == .exited(0), "\(dropped.text)")

            let mixed = try write(
                "mixed.json",
                #"[{"row_data": "https://example.com/2.jpg"}, {"row_data": "https://example.com/poison-row"}]"#)
            let second = try await control(site, ["drop", mixed, "--watch", Site.watch, "--wait"])
            #expect(second.ending == .exited(3), "\(second.text)")
            let third = try await control(
                site, ["drop", try write("bad.json", "[nothing]"), "--watch", Site.watch, "--wait"])
            #expect(third.ending == .exited(4), "\(third.text)")

            #expect(try await control(site, ["wait", "good.json", "--quiet"]).ending == .exited(0))
            let told = try await control(site, ["status", "good.json", "--json"])
            #expect(told.ending == .exited(0))
            let written = try #require(try site.status("good.json"))
            #expect(try JSON(told.text) == written, "the tool and the status file say the same")
            #expect(try await site.simulator.rows().count == 3)

            let overview = try await control(site, ["status", "--json"])
            #expect(try JSON(overview.text)["state"].string == "running")
            let tasks = try await control(site, ["tasks"])
            #expect(tasks.ending == .exited(0))
            #expect(tasks.text.contains("cmtask"))
        }
    }

    @Test("check says what would become of a manifest, and sends nothing", .timeLimit(.minutes(2)))
    func checking() async throws {
        try await Site.with { site in
            let file = site.drop.appending(path: "rows.json")
            try Data(#"[{"row_data": "https://example.com/1.jpg"}, {"row_dat": "typed wrong"}]"#.utf8).write(to: file)
            let said = try await control(site, ["check", file.path])
            #expect(said.ending != .exited(0), "\(said.text)")
            #expect(said.text.contains("row_dat"), "\(said.text)")
            #expect(try await site.simulator.calls().isEmpty)
            #expect(try site.dropped() == ["rows.json"])
        }
    }
}
