import Foundation
import Glibc
import Testing

/// One drop folder has one daemon, and so has one state folder.
@Suite("Two daemons", .serialized)
struct TwoDaemonsTests {
    /// A configuration with the same drop folder and another state folder.
    private static func other(_ site: Site, _ name: String) throws -> URL {
        let file = site.root.appending(path: "\(name).yaml")
        let text = try String(contentsOf: site.configuration, encoding: .utf8)
            .replacing("state_directory: \(site.state.path)", with: "state_directory: \(site.root.path)/\(name)")
        try Data(text.utf8).write(to: file)
        return file
    }

    @Test(
        "a second daemon on the same drop folder refuses to start, and names the first; afterwards it may",
        .timeLimit(.minutes(2)))
    func sameFolder() async throws {
        try await Site.with { site in
            try await site.start()
            let first = try #require(site.daemon)
            let log = site.root.appending(path: "second.log")
            let configuration = try Self.other(site, "second")
            let second = try Child(Programs.daemon, ["--config", configuration.path], output: log)
            defer { second.kill() }
            #expect(try await second.ended(within: .seconds(30)) == .exited(74))
            let said = try String(contentsOf: log, encoding: .utf8)
            #expect(said.contains("\(first.pid)") && said.contains(site.drop.path), "\(said)")
            // The first was not disturbed.
            try site.drop("rows.json", #"[{"row_data": "https://example.com/1.jpg"}]"#)
            #expect(try await site.ended("rows.json")["state"].string == "complete")

            // A lock is its holder's for as long as that lives, also when it is killed.
            site.kill()
            let third = try Child(Programs.daemon, ["--config", configuration.path], output: log)
            defer { third.kill() }
            try await eventually(within: .seconds(30), "it is ready") {
                try String(contentsOf: log, encoding: .utf8).contains("Ready") ? () : nil
            }
            third.signal(SIGTERM)
            #expect(try await third.ended(within: .seconds(25)) == .exited(0))
        }
    }

    @Test("of daemons that are started at the same moment one works and the others refuse", .timeLimit(.minutes(2)))
    func race() async throws {
        try await Site.with { site in
            for number in 0..<20 {
                try site.drop("\(number).json", #"[{"row_data": "https://example.com/\#(number).jpg"}]"#)
            }
            // Two on each state folder, and all on one drop folder.
            let configurations = [site.configuration, try Self.other(site, "second")].flatMap { [$0, $0] }
            let rivals = try configurations.enumerated().map { index, file in
                try Child(
                    Programs.daemon, ["--config", file.path], output: site.root.appending(path: "rival-\(index).log"))
            }
            defer { for rival in rivals { rival.kill() } }
            try await eventually(within: .seconds(60), "all but one have ended") {
                rivals.count { $0.end != nil } == rivals.count - 1 ? () : nil
            }
            #expect(rivals.compactMap(\.end).allSatisfy { $0 == .exited(74) })
            try await eventually(within: .seconds(60), "the one imports all") {
                try await site.simulator.rows().count >= 20 ? () : nil
            }
            #expect(rivals.count { $0.end == nil } == 1)
            #expect(try await site.simulator.rows().count == 20)
            for rival in rivals where rival.end == nil {
                rival.signal(SIGTERM)
                #expect(try await rival.ended(within: .seconds(25)) == .exited(0))
            }
        }
    }
}
