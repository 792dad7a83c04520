import Foundation
import Glibc
import Testing

/// What operators ask of the daemon: while it runs, while it is down, and when it dies right after.
@Suite("Control", .serialized)
struct ControlTests {
    // MARK: Pause

    @Test(
        "a pause sends nothing and follows what is sent, holds over restarts, and resume goes on",
        .timeLimit(.minutes(3)))
    func pausing() async throws {
        try await Site.with { site in
            try await site.start()
            let paused = try await site.control("pause", "--wait")
            #expect(paused.ending == .exited(0), "\(paused)")
            // Without waiting for it: who asks for the status now is told of the pause.
            #expect(try site.daemonStatus()?["state"].string == "paused")
            try await Operating.daemon(site, is: "paused", "datarowctl resume")
            let user = try #require(try site.daemonStatus()?["pauses"].list.first)
            #expect(user["uid"].int == Int(getuid()))
            #expect(user["watch"].string == nil)

            try site.drop("rows.json", Operating.rows(3, "paused"))
            try site.drop("picture.png", "a picture")
            try site.drop("media.json", #"["picture.png"]"#)
            try await site.status(of: "rows.json", "says why it waits") {
                $0["state"].string == "queued" && $0["state_reason"].string?.contains("paused it at") == true
            }
            #expect(try await Operating.changes(site) == 0)

            // As by a power cut: a pause is no matter of memory.
            site.kill()
            try await site.start()
            try await Operating.daemon(site, is: "paused", "datarowctl resume")
            #expect(try await site.control("pause", "--wait").lines.first?.contains("already") == true)
            #expect(try await Operating.changes(site) == 0)

            #expect(try await site.control("resume", "--wait").ending == .exited(0))
            for name in ["rows.json", "media.json"] {
                #expect(try await site.ended(name)["state"].string == "complete")
            }
            try await Operating.daemon(site, is: "running")
            try await Operating.expectOnce(site, 4)
            #expect(try await Operating.changes(site) > 2, "they are counted")
            #expect(try await site.control("resume", "--wait").lines == ["datarowd was not paused"])
        }
    }

    @Test("what is asked while the daemon is down holds before its first request", .timeLimit(.minutes(3)))
    func pausingWhileDown() async throws {
        try await Site.with { site in
            try await site.start()
            try await site.stop()
            try site.drop("rows.json", Operating.rows(3, "down"))
            let asked = try await site.control("pause")
            #expect(asked.ending == .exited(0))
            #expect(asked.lines.first?.contains("takes it up when it runs") == true, "\(asked)")
            let waited = try await site.control("pause", "--wait", "--timeout", "1s")
            #expect(waited.ending == .exited(5), "\(waited)")
            try await site.start()
            try await Operating.daemon(site, is: "paused")
            try await site.status(of: "rows.json", "waits") { $0["state"].string == "queued" }
            #expect(try await Operating.changes(site) == 0)
            _ = try await site.control("resume")
            #expect(try await site.ended("rows.json")["state"].string == "complete")
            try await Operating.expectOnce(site, 3)
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
            try site.drop("rows.json", Operating.rows(2, "killed"))
            try await site.start()
            try await Operating.daemon(site, is: "paused")
            #expect(try await Operating.changes(site) == 0)
            _ = try await site.control("resume", "--wait")
            #expect(try await site.ended("rows.json")["state"].string == "complete")
            try await Operating.expectOnce(site, 2)
        }
    }

    @Test("one watch is paused, and another goes on", .timeLimit(.minutes(3)))
    func pausingOne() async throws {
        try await Site.with { site in
            let other = try site.addWatch("other")
            try await site.start()
            #expect(try await site.control("pause", "--watch", "othr", "--wait").ending == .exited(4))
            #expect(try await site.control("pause", "--watch", "other", "--wait").ending == .exited(0))
            try Data(Operating.rows(2, "held").utf8).write(to: other.appending(path: "held.part"))
            rename(other.appending(path: "held.part").path, other.appending(path: "held.json").path)
            try site.drop("free.json", Operating.rows(2, "free"))
            #expect(try await site.ended("free.json")["state"].string == "complete")
            let held = site.state.appending(path: "status/other/held.json.status.json")
            try await eventually(within: .seconds(30), "the other waits") {
                (try? JSON(Data(contentsOf: held)))?["state_reason"].string?.contains("--watch other") == true
                    ? () : nil
            }
            try await Operating.expectOnce(site, 2)
            try await Operating.daemon(site, is: "running")
            #expect(try await site.control("resume", "--watch", "other", "--wait").ending == .exited(0))
            try await eventually(within: .seconds(30), "the other goes on") {
                (try? JSON(Data(contentsOf: held)))?["state"].string == "complete" ? () : nil
            }
            try await Operating.expectOnce(site, 4)
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
            try site.drop("mine.json", Operating.rows(30, "mine"))
            try site.drop("ours.json", Operating.rows(40, "ours"))
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
            try await Operating.expectOnce(site, 40)
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
            try site.drop("rows.json", Operating.rows(2_000, "amid"))
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
            try await Operating.expectOnce(site, 2_000)
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
            // Held up as it is, it looks for no file that was still settling when the manifest was read.
            try await site.status(of: "album/album.json", "waits") {
                ["queued", "waiting_for_media"].contains($0["state"].string)
            }
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
            try await Operating.expectOnce(site, 2)
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
            try await Operating.expectOnce(site, 1)
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
            try await Operating.expectOnce(site, 1)
        }
    }

    @Test("a call that waits for the server is not made any more when its import is cancelled", .timeLimit(.minutes(3)))
    func waitingCall() async throws {
        try await Site.with { site in
            try await site.start()
            // Chunks go up; the call itself is refused as the whole account is, and waits for that to be mended.
            try await site.simulator.addFaults(#"{"rates": {"401": 1}, "operations": ["upsertDataRows"]}"#)
            try site.drop("rows.json", Operating.rows(20, "waiting"))
            try await Operating.daemon(site, is: "blocked")
            #expect(try await site.control("cancel", "rows.json", "--wait").ending == .exited(0))
            #expect(try await site.ended("rows.json")["state"].string == "cancelled")
            try await site.simulator.resetFaults()
            try site.drop("other.json", Operating.rows(3, "other"))
            #expect(try await site.control("reload", "--wait").ending == .exited(0), "it probes at once")
            #expect(try await site.ended("other.json")["state"].string == "complete")
            try await Operating.expectOnce(site, 3)
        }
    }
}
