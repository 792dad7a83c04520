import Foundation
import Glibc
import Testing

/// Another configuration while the daemon runs, and what the time of the week says in it.
@Suite("Reload", .serialized)
struct ReloadTests {
    @Test("a wrong configuration is refused with its place, and the old one holds", .timeLimit(.minutes(3)))
    func refused() async throws {
        try await Site.with { site in
            try await site.start()
            let good = try String(contentsOf: site.configuration, encoding: .utf8)
            try site.configure(good.replacing("requests_per_minute: 100000", with: "requests_per_minut: 100000"))
            let said = try await site.control("reload", "--wait")
            #expect(said.ending == .exited(78), "\(said)")
            let line = good.split(separator: "\n").firstIndex { $0.contains("requests_per_minute") } ?? 0
            #expect(
                said.notes.contains { $0.contains("datarowd.yaml:\(line + 1):") && $0.contains("requests_per_minute") },
                "\(said)")
            let shown = try #require(
                try await eventually(within: .seconds(10), "the status shows it") {
                    try site.daemonStatus()?["configuration"]["refused"]["message"].string
                })
            #expect(shown.contains("requests_per_minut"))
            #expect(site.logged().contains("Configuration refused"))

            try site.configure(good.replacing("/state\n", with: "/elsewhere\n"))
            let fixed = try await site.control("reload", "--wait", "--state-directory", site.state.path)
            #expect(fixed.ending == .exited(78))
            #expect(fixed.notes.contains { $0.contains("state_directory") && $0.contains("restart") }, "\(fixed)")

            // A signal asks for the same and has no answer.
            let before = site.logged().count { _ in true }
            try #require(site.daemon).signal(SIGHUP)
            try await eventually(within: .seconds(30), "the signal is heard") {
                site.logged().dropFirst(before).contains("Configuration refused") ? () : nil
            }
            try site.drop("rows.json", Operating.rows(3, "old"))
            #expect(try await site.ended("rows.json")["state"].string == "complete")
            try site.configure(good)
            let right = try await site.control("reload", "--wait")
            #expect(right.ending == .exited(0), "\(right)")
            try await eventually(within: .seconds(10), "the status shows no trouble") {
                try site.daemonStatus()?["configuration"]["refused"]["message"].string == nil ? () : nil
            }
            try await Operating.expectOnce(site, 3)
        }
    }

    @Test(
        "watches are added, changed and removed amid imports, and nothing is lost or sent twice",
        .timeLimit(.minutes(3)))
    func watches() async throws {
        try await Site.with(SiteSettings(simulator: ["--task-delay", "500ms"])) { site in
            try await site.start()
            let first = try String(contentsOf: site.configuration, encoding: .utf8)
            for number in 0..<5 { try site.drop("\(number).json", Operating.rows(50, "\(number)")) }
            let other = try site.addWatch("other")
            let added = try await site.control("reload", "--wait")
            #expect(added.ending == .exited(0), "\(added)")
            #expect(added.lines.first?.contains("other added") == true, "\(added)")
            try Data(Operating.rows(5, "other").utf8).write(to: other.appending(path: "rows.part"))
            rename(other.appending(path: "rows.part").path, other.appending(path: "rows.json").path)
            let status = site.state.appending(path: "status/other/rows.json.status.json")
            try await eventually(within: .seconds(30), "the new watch imports") {
                (try? JSON(Data(contentsOf: status)))?["state"].string == "complete" ? () : nil
            }

            // Both its folder and its rows are treated otherwise from now on.
            try site.configure(
                first.replacing(
                    "dataset: \(Simulator.dataset)",
                    with: "dataset: \(Simulator.otherDataset)\n    ignore: ['*.skip.json']"))
            let changed = try await site.control("reload", "--wait")
            #expect(changed.lines.first?.contains("drop changed") == true, "\(changed)")
            #expect(changed.lines.first?.contains("other removed") == true, "\(changed)")
            try site.drop("not.skip.json", Operating.rows(1, "skipped"))
            try site.drop("late.json", Operating.rows(7, "late"))
            #expect(try await site.ended("late.json")["dataset_id"].string == Simulator.otherDataset)
            for number in 0..<5 { #expect(try await site.ended("\(number).json")["state"].string == "complete") }
            try await Operating.expectOnce(site, 255)
            #expect(try await site.simulator.rows(Simulator.otherDataset).count == 7)
            #expect(try site.dropped() == ["not.skip.json"])
            #expect(try site.daemonStatus()?["watches"].list.count == 1)
        }
    }

    @Test("what was claimed of a watch that is removed waits until it is there again", .timeLimit(.minutes(3)))
    func removed() async throws {
        try await Site.with { site in
            let only = try String(contentsOf: site.configuration, encoding: .utf8)
            let other = try site.addWatch("other")
            let both = try String(contentsOf: site.configuration, encoding: .utf8)
            try await site.start()
            try Data(Operating.rows(5, "other").utf8).write(to: other.appending(path: "rows.part"))
            try await site.simulator.addFaults(#"{"rates": {"503": 1}}"#)
            rename(other.appending(path: "rows.part").path, other.appending(path: "rows.json").path)
            let status = site.state.appending(path: "status/other/rows.json.status.json")
            try await eventually(within: .seconds(30), "it is claimed") {
                (try? JSON(Data(contentsOf: status)))?["state"].string == "queued" ? () : nil
            }
            try site.configure(only)
            #expect(try await site.control("reload", "--wait").ending == .exited(0))
            try await site.simulator.resetFaults()
            try site.configure(both)
            #expect(try await site.control("reload", "--wait").ending == .exited(0))
            try await eventually(within: .seconds(30), "it goes on") {
                (try? JSON(Data(contentsOf: status)))?["state"].string == "complete" ? () : nil
            }
            try await Operating.expectOnce(site, 5)
        }
    }

    @Test("a key that was rotated is used at a reload, and no row fails", .timeLimit(.minutes(3)))
    func rotated() async throws {
        try await Site.with(SiteSettings(key: "a key that is no longer good")) { site in
            try await site.start()
            try site.drop("rows.json", Operating.rows(3, "rotated"))
            try await Operating.daemon(site, is: "blocked")
            let good = site.root.appending(path: "new-key")
            try Data(Simulator.key.utf8).write(to: good)
            chmod(good.path, 0o600)
            let text = try String(contentsOf: site.configuration, encoding: .utf8)
            try site.configure(text.replacing(site.keyFile.path, with: good.path + "-not-there"))
            #expect(try await site.control("reload", "--wait").ending == .exited(78))
            try site.configure(text.replacing(site.keyFile.path, with: good.path))
            #expect(try await site.control("reload", "--wait").ending == .exited(0))
            #expect(try await site.ended("rows.json")["state"].string == "complete")
            try await Operating.expectOnce(site, 3)
        }
    }

    // MARK: Times of the week

    @Test("in quiet hours nothing is sent, and it goes on when a reload ends them", .timeLimit(.minutes(3)))
    func quiet() async throws {
        // From two hours ago, for ten more: minutes of ours.
        let hour = Calendar.current.component(.hour, from: Date())
        let times = [hour + 22, hour + 10].map { $0 % 24 }.map { "\($0 < 10 ? "0" : "")\($0):00" }
        let line = "quiet_hours: ['\(times[0])-\(times[1])']"
        try await Site.with(SiteSettings(labelbox: [line])) { site in
            try await site.start()
            try site.drop("rows.json", Operating.rows(3, "quiet"))
            try await site.status(of: "rows.json", "says until when") {
                $0["state_reason"].string?.contains("quiet until") == true
            }
            try await Operating.daemon(site, is: "running", "quiet until")
            // So many looks at the daemon's clocks, which go sixty times as fast: the batch's linger is over.
            try await Task.sleep(for: .milliseconds(500))
            #expect(try await Operating.changes(site) == 0)
            let text = try String(contentsOf: site.configuration, encoding: .utf8)
            try site.configure(text.replacing(line, with: "bandwidth: 100M"))
            #expect(try await site.control("reload", "--wait").ending == .exited(0))
            #expect(try await site.ended("rows.json")["state"].string == "complete")
            try await Operating.expectOnce(site, 3)
        }
    }

    @Test("uploads under a limit arrive whole", .timeLimit(.minutes(3)))
    func bandwidth() async throws {
        try await Site.with(SiteSettings(labelbox: ["bandwidth: 2M"])) { site in
            try await site.start()
            for number in 0..<4 { try site.drop("\(number).png", String(repeating: "\(number)", count: 500_000)) }
            try site.drop("rows.json", #"["0.png", "1.png", "2.png", "3.png"]"#)
            #expect(try await site.ended("rows.json")["state"].string == "complete")
            for row in try await site.simulator.rows() {
                let file = try await site.simulator.file(try #require(row["row_data"].string))
                #expect(file.count == 500_000 && Set(file).count == 1)
            }
            try await Operating.expectOnce(site, 4)
        }
    }
}
