import Foundation
import Testing

/// A ledger that is lost in the middle of the work is made anew.
@Suite("A ledger made anew", .serialized)
struct RebuildTests {
    private static func rows(_ name: String, _ count: Int) -> String {
        (0..<count).map { #"{"row_data":"https://example.com/\#(name)/\#($0).jpg","external_id":"\#(name) \#($0)"}"# }
            .joined(separator: "\n")
    }

    private func destroy(_ site: Site, how: String) throws {
        let ledger = site.state.appending(path: "ledger.sqlite")
        switch how {
        case "deleted":
            for suffix in ["", "-wal", "-shm", "-mark"] {
                try? FileManager.default.removeItem(atPath: ledger.path + suffix)
            }
        default:
            try Data(repeating: 0x55, count: 200_000).write(to: ledger)
        }
    }

    @Test(
        "deleted or overwritten, with work in hand: all ends as it would have, each row once",
        .timeLimit(.minutes(5)), arguments: ["deleted", "overwritten"])
    func destroyed(how: String) async throws {
        try await Site.with(SiteSettings(watch: ["linger: 0s"])) { site in
            try await site.start()
            try site.drop("cat.png", "a cat")
            try site.drop("done.json", #"["cat.png", {"row_data": "https://example.com/poison-row"}]"#)
            let done = try await site.ended("done.json")
            // The task's end is not seen, so the import stays in hand.
            try await site.simulator.addFaults(#"{"rates": {"502": 1}, "operations": ["user"]}"#)
            try site.drop("flying.ndjson", Self.rows("flying", 50))
            try await eventually(within: .seconds(30), "its rows are there") {
                try await site.simulator.rows().count == 51 ? () : nil
            }
            site.kill()
            try site.drop("later.ndjson", Self.rows("later", 20))
            try destroy(site, how: how)

            let dry = try await site.control("ledger", "rebuild", "--dry-run", "--json")
            #expect(dry.exit == 0, "\(dry.notes)")
            try await Validator.expectValid(dry.lines, "rebuild-report")
            let report = try #require(try dry.json.first)
            #expect(report["taken_up"].int == 1)
            #expect(report["finished_from_status"].int == 1)
            let rebuilt = try await site.control("ledger", "rebuild")
            #expect(rebuilt.exit == 0, "\(rebuilt.notes)")

            try await site.simulator.resetFaults()
            let submits = try await site.simulator.state()["submits"]["received"].int ?? 0
            try await site.start()
            let flying = try await site.ended("flying.ndjson", within: .seconds(150))
            #expect(flying["state"].string == "complete", "\(flying)")
            #expect(try site.results(flying).count == 50)
            #expect(try await site.ended("later.ndjson")["state"].string == "complete")
            let again = try #require(try site.status("done.json"))
            for key in ["id", "state", "rows", "errors", "results_file", "failed_rows_file", "state_reason", "tasks"] {
                #expect(again[key] == done[key], "\(key)")
            }
            let names = try await site.simulator.rows().compactMap { $0["external_id"].string }
            #expect(names.count == 71 && Set(names).count == 71)
            #expect(
                try await site.simulator.state()["submits"]["received"].int == submits + 1, "only what was new is sent")
            #expect(try await site.control("ledger", "rebuild").exit == 75, "not while the daemon runs")
        }
    }

    @Test("of a ledger that is whole every status stays as it was, also when it is done twice", .timeLimit(.minutes(3)))
    func undamaged() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop("cat.png", "a cat")
            try site.drop("one.json", #"["cat.png", {"row_data": "https://example.com/poison-row"}]"#)
            try site.drop("two.ndjson", Self.rows("two", 5))
            try site.drop("three.json", "[nothing]")
            try site.drop("waiting.json", #"["not-there.png"]"#)
            let names = ["one.json", "two.ndjson", "three.json"]
            for name in names { try await site.ended(name) }
            try await site.status(of: "waiting.json", "waits") { $0["state"].string == "waiting_for_media" }
            try await site.stop()
            let before = try names.map { try site.status($0) }
            for _ in 0..<2 {
                let said = try await site.control("ledger", "rebuild", "--json")
                #expect(said.exit == 0, "\(said.notes)")
                let report = try #require(try said.json.first)
                #expect(report["old_ledger_whole"] == .bool(true))
                #expect(report["finished_from_ledger"].int == 3 && report["gone_on"].int == 1)
                for name in names { try FileManager.default.removeItem(at: site.statusFile(name)) }
                try await site.start()
                for (name, status) in zip(names, before) {
                    try await site.ended(name)
                    #expect(try site.status(name) == status, "\(name)")
                }
                try await site.stop()
            }
            #expect(try await site.control("doctor", "--offline").exit == 3, "only that nobody runs")
            try await site.start()
            try site.drop("not-there.png", "now it is")
            #expect(try await site.ended("waiting.json")["state"].string == "complete")
            #expect(try await site.simulator.rows().count == 7)
        }
    }

    @Test("what cannot be looked up is held back, unless it is asked for", .timeLimit(.minutes(4)))
    func heldBack() async throws {
        try await Site.with(SiteSettings(watch: [#"global_key: "off""#, "linger: 0s"])) { site in
            func loseInFlight(_ name: String) async throws {
                try await site.start()
                try await site.simulator.addFaults(#"{"rates": {"502": 1}, "operations": ["user"]}"#)
                let before = try await site.simulator.rows().count
                try site.drop(name, Self.rows(name, 3))
                try await eventually(within: .seconds(30), "its rows are there") {
                    try await site.simulator.rows().count == before + 3 ? () : nil
                }
                site.kill()
                try destroy(site, how: "deleted")
                try await site.simulator.resetFaults()
            }
            try await loseInFlight("held.ndjson")
            #expect(try await site.control("ledger", "rebuild").exit == 0)
            try await site.start()
            let held = try await site.ended("held.ndjson")
            #expect(held["state"].string == "failed")
            #expect(held["errors"].list.first?["code"].string == "held_back", "\(held)")
            #expect(try await site.simulator.rows().count == 3)
            #expect(
                FileManager.default.fileExists(
                    atPath: site.state.appending(path: "failed/\(Site.watch)/held.ndjson").path))
            try await site.stop()

            try await loseInFlight("sent.ndjson")
            #expect(try await site.control("ledger", "rebuild", "--send-again").exit == 0)
            try await site.start()
            #expect(try await site.ended("sent.ndjson", within: .seconds(150))["state"].string == "complete")
            #expect(try await site.simulator.rows().count == 9)
        }
    }

    @Test("with nothing left but results and failed manifests, those are found again", .timeLimit(.minutes(2)))
    func onlyFiles() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop("sub/mixed.ndjson", #"{"row_data": "https://example.com/1.jpg"}"# + "\n" + #"{"row_dat": 1}"#)
            try site.drop("bad.json", "[nothing]")
            try await site.ended("sub/mixed.ndjson")
            try await site.ended("bad.json")
            try await site.stop()
            try destroy(site, how: "deleted")
            try FileManager.default.removeItem(at: site.state.appending(path: "status"))
            let said = try await site.control("ledger", "rebuild", "--json")
            #expect(try said.json.first?["finished_from_results"].int == 2, "\(said)")
            let listed = try await site.control("ls", "--json")
            let states = Dictionary(
                uniqueKeysWithValues: try listed.json.map { ($0["manifest"].string ?? "", $0["state"].string) })
            #expect(states == ["sub/mixed.ndjson": "complete_with_errors", "bad.json": "rejected"])
            try await site.start()
            let mixed = try await site.ended("sub/mixed.ndjson")
            #expect(mixed["rows"]["created"].int == 1 && mixed["rows"]["rejected"].int == 1)
            #expect(mixed["failed_rows_file"].string?.hasSuffix("sub/mixed.ndjson.failed.ndjson") == true)
        }
    }
}
