import Foundation
import Testing

/// What datarowctl doctor finds.
@Suite("The doctor", .serialized)
struct DoctorTests {
    private func findings(_ said: Said) throws -> [String: [JSON]] {
        let report = try #require(try said.json.first)
        return Dictionary(grouping: report["findings"].list, by: { $0["check"].string ?? "" })
    }

    private func verdicts(_ said: Said, _ check: String) throws -> [String?] {
        try findings(said)[check, default: []].map { $0["verdict"].string }
    }

    @Test("of a daemon that runs it finds nothing wrong, and never shows the key", .timeLimit(.minutes(2)))
    func healthy() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop("a.json", #"[{"row_data": "https://example.com/1.jpg"}]"#)
            try await site.ended("a.json")
            let said = try await site.control("doctor", "--json")
            try await Validator.expectValid(said.lines, "doctor-report")
            let wrong = try findings(said).values.joined().filter { $0["verdict"].string == "problem" }
            #expect(wrong.isEmpty, "\(wrong)")
            for check in [
                "configuration", "state_directory", "api_key", "endpoint", "proxy", "clock", "account", "instance",
                "requests",
                "watch",
                "file_system", "inotify", "disk_space", "ledger", "ledger_sums", "claims", "archive",
            ] {
                #expect(try !verdicts(said, check).isEmpty, "\(check)")
            }
            #expect(try verdicts(said, "instance") == ["ok"])
            #expect(try verdicts(said, "inotify").count == 3)
            #expect(said.exit == 0 || said.exit == 3, "warnings of the machine are no fault of the daemon's")

            let people = try await site.control("doctor")
            let text = (people.lines + people.notes + said.lines).joined()
            #expect(!text.contains(Simulator.key))
            #expect(text.contains("the key is accepted"))
        }
    }

    @Test(
        "it names a refused key, an open key file, a folder that is gone, and a ledger that is damaged",
        .timeLimit(.minutes(3)))
    func ill() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop("a.json", #"[{"row_data": "https://example.com/1.jpg"}]"#)
            try await site.ended("a.json")
            try await site.stop()
            #expect(try await site.control("doctor", "--offline", "--json").exit == 3, "nobody runs")

            try site.write(key: "wrong-key")
            chmod(site.keyFile.path, 0o644)
            let calls = try await site.simulator.calls().count
            let refused = try await site.control("doctor", "--json", "--patience", "1s")
            #expect(refused.exit == 4)
            #expect(try verdicts(refused, "account") == ["problem"])
            #expect(try verdicts(refused, "api_key") == ["warning"])
            #expect(try await site.simulator.calls().count > calls)
            try site.write(key: Simulator.key)

            let offline = try await site.simulator.calls().count
            let aside = site.root.appending(path: "aside")
            try FileManager.default.moveItem(at: site.drop, to: aside)
            let gone = try await site.control("doctor", "--offline", "--json")
            #expect(gone.exit == 4)
            #expect(try verdicts(gone, "watch") == ["problem"])
            #expect(try verdicts(gone, "endpoint").isEmpty)
            #expect(try await site.simulator.calls().count == offline)
            try FileManager.default.moveItem(at: aside, to: site.drop)

            let ledger = site.state.appending(path: "ledger.sqlite")
            let whole = try Data(contentsOf: ledger)
            var data = whole
            data[4096 * 3 + 777] ^= 1
            try data.write(to: ledger)
            let damaged = try await site.control("doctor", "--offline", "--json")
            #expect(damaged.exit == 65)
            try await Validator.expectValid(damaged.lines, "doctor-report")
            let ledgers = try findings(damaged)["ledger"] ?? []
            #expect(
                ledgers.contains { $0["what"].string?.contains("pages that are not as they were written: 4") == true })
            #expect(ledgers.contains { $0["hint"].string?.contains("datarowctl ledger rebuild") == true })
            #expect(try Data(contentsOf: ledger) == data, "it changes nothing")
            // It is the daemon that must not start with it.
            let child = try site.launch()
            #expect(try await child.ended(within: .seconds(20)) == .exited(65))
            try whole.write(to: ledger)
        }
    }
}
