import Foundation
import Glibc
import Testing

/// What operators ask of the daemon: while it runs, while it is down, and when it dies right after.
@Suite("Control", .serialized)
struct ControlTests {
    private func rows(_ count: Int, _ prefix: String) -> String {
        "[" + (0..<count).map { #"{"row_data": "https://example.com/\#(prefix)/\#($0).jpg"}"# }.joined(separator: ", ")
            + "]"
    }

    private func daemon(_ site: Site, is state: String, _ reason: String = "") async throws {
        try await eventually(within: .seconds(60), "the daemon is \(state) (\(reason))") { () -> Void? in
            guard let status = try site.daemonStatus(), status["state"].string == state else { return nil }
            return reason.isEmpty || status["state_reason"].string?.contains(reason) == true ? () : nil
        }
    }

    /// Each row is there, once.
    private func expectOnce(_ site: Site, _ count: Int) async throws {
        let rows = try await site.simulator.rows()
        #expect(rows.count == count)
        #expect(Set(rows.compactMap { $0["row_data"].string }).count == count)
    }

    /// Calls that change something at Labelbox.
    private func changes(_ site: Site) async throws -> Int {
        try await site.simulator.calls().count { call in
            call["operations"].list.contains { ["uploadFile", "upsertDataRows"].contains($0.string ?? "") }
        }
    }

    // MARK: Pause

    @Test(
        "a pause sends nothing and follows what is sent, holds over restarts, and resume goes on",
        .timeLimit(.minutes(3)))
    func pausing() async throws {
        try await Site.with { site in
            try await site.start()
            let paused = try await site.control("pause", "--wait")
            #expect(paused.ending == .exited(0), "\(paused)")
            try await daemon(site, is: "paused", "datarowctl resume")
            let user = try #require(try site.daemonStatus()?["pauses"].list.first)
            #expect(user["uid"].int == Int(getuid()))
            #expect(user["watch"].string == nil)

            try site.drop("rows.json", rows(3, "paused"))
            try site.drop("picture.png", "a picture")
            try site.drop("media.json", #"["picture.png"]"#)
            try await site.status(of: "rows.json", "says why it waits") {
                $0["state"].string == "queued" && $0["state_reason"].string?.contains("paused it at") == true
            }
            #expect(try await changes(site) == 0)

            // As by a power cut: a pause is no matter of memory.
            site.kill()
            try await site.start()
            try await daemon(site, is: "paused", "datarowctl resume")
            #expect(try await site.control("pause", "--wait").lines.first?.contains("already") == true)
            #expect(try await changes(site) == 0)

            #expect(try await site.control("resume", "--wait").ending == .exited(0))
            for name in ["rows.json", "media.json"] {
                #expect(try await site.ended(name)["state"].string == "complete")
            }
            try await daemon(site, is: "running")
            try await expectOnce(site, 4)
            #expect(try await changes(site) > 2, "they are counted")
            #expect(try await site.control("resume", "--wait").lines == ["datarowd was not paused"])
        }
    }

    @Test("what is asked while the daemon is down holds before its first request", .timeLimit(.minutes(3)))
    func pausingWhileDown() async throws {
        try await Site.with { site in
            try await site.start()
            try await site.stop()
            try site.drop("rows.json", rows(3, "down"))
            let asked = try await site.control("pause")
            #expect(asked.ending == .exited(0))
            #expect(asked.lines.first?.contains("takes it up when it runs") == true, "\(asked)")
            let waited = try await site.control("pause", "--wait", "--timeout", "1s")
            #expect(waited.ending == .exited(5), "\(waited)")
            try await site.start()
            try await daemon(site, is: "paused")
            try await site.status(of: "rows.json", "waits") { $0["state"].string == "queued" }
            #expect(try await changes(site) == 0)
            _ = try await site.control("resume")
            #expect(try await site.ended("rows.json")["state"].string == "complete")
            try await expectOnce(site, 3)
        }
    }

    @Test("a request outlives a daemon that is killed right after it", .timeLimit(.minutes(3)), arguments: [0, 1, 2])
    func killed(round: Int) async throws {
        try await Site.with { site in
            try await site.start()
            let asked = try Child(
                Programs.control, ["pause", "--config", site.configuration.path],
                output: site.root.appending(path: "asked.log"))
            // Each round at a later moment: before the request is there, while it is taken, after it.
            try await Task.sleep(for: .milliseconds(20 * round))
            site.kill()
            #expect(try await asked.ended(within: .seconds(30)) == .exited(0))
            try site.drop("rows.json", rows(2, "killed"))
            try await site.start()
            try await daemon(site, is: "paused")
            #expect(try await changes(site) == 0)
            _ = try await site.control("resume", "--wait")
            #expect(try await site.ended("rows.json")["state"].string == "complete")
            try await expectOnce(site, 2)
        }
    }

    @Test("one watch is paused, and another goes on", .timeLimit(.minutes(3)))
    func pausingOne() async throws {
        try await Site.with { site in
            let other = try site.addWatch("other")
            try await site.start()
            #expect(try await site.control("pause", "--watch", "othr", "--wait").ending == .exited(4))
            #expect(try await site.control("pause", "--watch", "other", "--wait").ending == .exited(0))
            try Data(rows(2, "held").utf8).write(to: other.appending(path: "held.part"))
            rename(other.appending(path: "held.part").path, other.appending(path: "held.json").path)
            try site.drop("free.json", rows(2, "free"))
            #expect(try await site.ended("free.json")["state"].string == "complete")
            let held = site.state.appending(path: "status/other/held.json.status.json")
            try await eventually(within: .seconds(30), "the other waits") {
                (try? JSON(Data(contentsOf: held)))?["state_reason"].string?.contains("--watch other") == true
                    ? () : nil
            }
            try await expectOnce(site, 2)
            try await daemon(site, is: "running")
            #expect(try await site.control("resume", "--watch", "other", "--wait").ending == .exited(0))
            try await eventually(within: .seconds(30), "the other goes on") {
                (try? JSON(Data(contentsOf: held)))?["state"].string == "complete" ? () : nil
            }
            try await expectOnce(site, 4)
        }
    }

    // MARK: Reload

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
            try site.drop("rows.json", rows(3, "old"))
            #expect(try await site.ended("rows.json")["state"].string == "complete")
            try site.configure(good)
            let right = try await site.control("reload", "--wait")
            #expect(right.ending == .exited(0), "\(right)")
            try await eventually(within: .seconds(10), "the status shows no trouble") {
                try site.daemonStatus()?["configuration"]["refused"]["message"].string == nil ? () : nil
            }
            try await expectOnce(site, 3)
        }
    }

    @Test(
        "watches are added, changed and removed amid imports, and nothing is lost or sent twice",
        .timeLimit(.minutes(3)))
    func watches() async throws {
        try await Site.with(SiteSettings(simulator: ["--task-delay", "500ms"])) { site in
            try await site.start()
            let first = try String(contentsOf: site.configuration, encoding: .utf8)
            for number in 0..<5 { try site.drop("\(number).json", rows(50, "\(number)")) }
            let other = try site.addWatch("other")
            let added = try await site.control("reload", "--wait")
            #expect(added.ending == .exited(0), "\(added)")
            #expect(added.lines.first?.contains("other added") == true, "\(added)")
            try Data(rows(5, "other").utf8).write(to: other.appending(path: "rows.part"))
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
            try site.drop("not.skip.json", rows(1, "skipped"))
            try site.drop("late.json", rows(7, "late"))
            #expect(try await site.ended("late.json")["dataset_id"].string == Simulator.otherDataset)
            for number in 0..<5 { #expect(try await site.ended("\(number).json")["state"].string == "complete") }
            try await expectOnce(site, 255)
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
            try Data(rows(5, "other").utf8).write(to: other.appending(path: "rows.part"))
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
            try await expectOnce(site, 5)
        }
    }

    @Test("a key that was rotated is used at a reload, and no row fails", .timeLimit(.minutes(3)))
    func rotated() async throws {
        try await Site.with(SiteSettings(key: "a key that is no longer good")) { site in
            try await site.start()
            try site.drop("rows.json", rows(3, "rotated"))
            try await daemon(site, is: "blocked")
            let good = site.root.appending(path: "new-key")
            try Data(Simulator.key.utf8).write(to: good)
            chmod(good.path, 0o600)
            let text = try String(contentsOf: site.configuration, encoding: .utf8)
            try site.configure(text.replacing(site.keyFile.path, with: good.path + "-not-there"))
            #expect(try await site.control("reload", "--wait").ending == .exited(78))
            try site.configure(text.replacing(site.keyFile.path, with: good.path))
            #expect(try await site.control("reload", "--wait").ending == .exited(0))
            #expect(try await site.ended("rows.json")["state"].string == "complete")
            try await expectOnce(site, 3)
        }
    }

    // MARK: Cancel

    @Test(
        "an import is cancelled amid the making of a batch that it shares, and the other goes through",
        .timeLimit(.minutes(3)))
    func cancelling() async throws {
        try await Site.with { site in
            try await site.start()
            // Chunks cannot be uploaded, so that the batch is sealed and nothing of it is handed over.
            try await site.simulator.addFaults(#"{"rates": {"503": 1}, "operations": ["uploadFile"]}"#)
            try site.drop("mine.json", rows(30, "mine"))
            try site.drop("ours.json", rows(40, "ours"))
            for name in ["mine.json", "ours.json"] {
                try await site.status(of: name, "is in a batch") { $0["state"].string == "queued" }
            }
            try await eventually(within: .seconds(30), "the batch is sealed") {
                (try site.daemonStatus()?["queues"]["submissions_sealed"].int ?? 0) > 0 ? () : nil
            }
            let said = try await site.control("cancel", "mine.json", "--wait")
            #expect(said.ending == .exited(0), "\(said)")
            let status = try await site.ended("mine.json")
            #expect(status["state"].string == "cancelled", "\(status)")
            #expect(status["state_reason"].string?.contains("(uid \(getuid()))") == true, "\(status)")
            #expect(try await site.control("wait", "mine.json").ending == .exited(4))
            #expect(try await site.control("cancel", "mine.json", "--wait").ending == .exited(0), "twice is once")
            try await site.simulator.resetFaults()
            #expect(try await site.ended("ours.json")["rows"]["created"].int == 40)
            try await expectOnce(site, 40)
            #expect(try await site.control("cancel", "ours.json", "--wait").ending == .exited(4), "it has ended")
            #expect(try Site.files(in: site.state.appending(path: "failed/drop")).contains("mine.json"))
            #expect(site.archived().contains("ours.json"))
        }
    }

    @Test(
        "a cancelled import tells what it left at Labelbox, and retry takes up the rest", .timeLimit(.minutes(3)),
        arguments: [false, true])
    func cancellingAmidTasks(isKilled: Bool) async throws {
        let settings = SiteSettings(
            simulator: ["--task-delay", "300ms"], watch: ["max_rows_per_task: 5"], labelbox: ["max_connections: 1"])
        try await Site.with(settings) { site in
            try await site.start()
            try site.drop("rows.json", rows(2_000, "amid"))
            try await site.status(of: "rows.json", "has begun") { ($0["rows"]["submitted"].int ?? 0) > 0 }
            if isKilled {
                site.kill()
                #expect(try await site.control("cancel", "rows.json").ending == .exited(0))
                try await site.start()
            } else {
                #expect(try await site.control("cancel", "rows.json", "--wait").ending == .exited(0))
            }
            let status = try await site.ended("rows.json")
            #expect(status["state"].string == "cancelled", "\(status)")
            let there = try await site.simulator.rows().count
            #expect(status["rows"]["created"].int == there, "\(status)")
            #expect(there > 0 && there < 2_000)
            #expect(try site.results(status).count == there, "each row that is there is told, and no other")

            let retried = try await site.control("retry", "rows.json", "--wait")
            #expect(retried.ending == .exited(0), "\(retried)")
            let second = try await site.status(of: "rows.json", "is complete") { $0["state"].string == "complete" }
            #expect(second["rows"]["already_present"].int == there, "\(second)")
            #expect(second["rows"]["created"].int == 2_000 - there)
            try await expectOnce(site, 2_000)
        }
    }

    @Test(
        "media goes to failed/ with a cancelled import, and comes back when it is taken up again",
        .timeLimit(.minutes(3)))
    func media() async throws {
        try await Site.with { site in
            try await site.start()
            _ = try await site.control("pause", "--wait")
            try site.drop("album/one.png", String(repeating: "1", count: 50_000))
            try site.drop("album/album.json", #"["one.png", {"row_data": "https://example.com/1.jpg"}]"#)
            try await site.status(of: "album/album.json", "waits") { $0["state"].string == "queued" }
            #expect(try await site.control("cancel", "album/album.json", "--wait").ending == .exited(0))
            #expect(try await site.ended("album/album.json")["state"].string == "cancelled")
            let failed = site.state.appending(path: "failed/drop")
            try await eventually(within: .seconds(30), "its media is put away") {
                (try? Site.files(in: failed))?.sorted() == ["album/album.json", "album/one.png"] ? () : nil
            }
            #expect(try site.dropped().isEmpty)
            _ = try await site.control("resume", "--wait")
            #expect(try await site.control("retry", "album/album.json", "--wait").ending == .exited(0))
            try await site.status(of: "album/album.json", "is complete") { $0["state"].string == "complete" }
            try await expectOnce(site, 2)
            try await eventually(within: .seconds(30), "all is in the archive") {
                Set(site.archived()).isSuperset(of: ["album/album.json", "album/one.png"]) ? () : nil
            }
            #expect(try site.dropped().isEmpty)
            let again = try await site.control("retry", "album/album.json", "--wait")
            #expect(again.ending == .exited(4), "it is complete: \(again)")
        }
    }

    @Test("retry takes up the rows that failed, or all of them, and makes none twice", .timeLimit(.minutes(3)))
    func retrying() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop(
                "rows.json",
                #"[{"row_data": "https://example.com/good"}, {"row_data": "https://example.com/poison-row"}]"#)
            #expect(try await site.ended("rows.json")["state"].string == "complete_with_errors")
            #expect(try await site.control("retry", "rows.json", "--wait").ending == .exited(0))
            let all = try await site.status(of: "rows.json", "was imported again") {
                $0["rows"]["already_present"].int == 1 && $0["state"].string == "complete_with_errors"
            }
            #expect(all["rows"]["failed"].int == 1)
            try await site.stop()
            #expect(try await site.control("retry", "rows.json", "--failed-only").ending == .exited(0))
            try await site.start()
            let name = try #require(all["failed_rows_file"].string).split(separator: "/").last.map(String.init) ?? ""
            let failed = try await site.ended(name)
            #expect(failed["rows"]["total"].int == 1 && failed["rows"]["failed"].int == 1, "\(failed)")
            try await expectOnce(site, 1)
        }
    }

    @Test("what has no keys is not sent again as a whole", .timeLimit(.minutes(3)))
    func keyless() async throws {
        try await Site.with(SiteSettings(watch: ["global_key: 'off'"])) { site in
            try await site.start()
            try site.drop(
                "rows.json",
                #"[{"row_data": "https://example.com/good"}, {"row_data": "https://example.com/poison-row"}]"#)
            #expect(try await site.ended("rows.json")["state"].string == "complete_with_errors")
            let said = try await site.control("retry", "rows.json", "--wait")
            #expect(said.ending == .exited(4) && said.notes.contains { $0.contains("--failed-only") }, "\(said)")
            try await expectOnce(site, 1)
        }
    }

    @Test("a call that waits for the server is not made any more when its import is cancelled", .timeLimit(.minutes(3)))
    func waitingCall() async throws {
        try await Site.with { site in
            try await site.start()
            // Chunks go up; the call itself is refused as the whole account is, and waits for that to be mended.
            try await site.simulator.addFaults(#"{"rates": {"401": 1}, "operations": ["upsertDataRows"]}"#)
            try site.drop("rows.json", rows(20, "waiting"))
            try await daemon(site, is: "blocked")
            #expect(try await site.control("cancel", "rows.json", "--wait").ending == .exited(0))
            #expect(try await site.ended("rows.json")["state"].string == "cancelled")
            try await site.simulator.resetFaults()
            try site.drop("other.json", rows(3, "other"))
            #expect(try await site.control("reload", "--wait").ending == .exited(0), "it probes at once")
            #expect(try await site.ended("other.json")["state"].string == "complete")
            try await expectOnce(site, 3)
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
            try site.drop("rows.json", rows(3, "quiet"))
            try await site.status(of: "rows.json", "says until when") {
                $0["state_reason"].string?.contains("quiet until") == true
            }
            try await daemon(site, is: "running", "quiet until")
            // So many looks at the daemon's clocks, which go sixty times as fast: the batch's linger is over.
            try await Task.sleep(for: .milliseconds(500))
            #expect(try await changes(site) == 0)
            let text = try String(contentsOf: site.configuration, encoding: .utf8)
            try site.configure(text.replacing(line, with: "bandwidth: 100M"))
            #expect(try await site.control("reload", "--wait").ending == .exited(0))
            #expect(try await site.ended("rows.json")["state"].string == "complete")
            try await expectOnce(site, 3)
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
            try await expectOnce(site, 4)
        }
    }
}
