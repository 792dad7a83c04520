import Foundation
import Glibc
import Testing

/// A disk that has no room, or takes no writes, is waited for; nothing is lost, and nothing is written by halves.
@Suite("Full and read-only disks", .serialized)
struct FullDiskTests {
    private static func rows(_ name: String, _ count: Int = 5) -> String {
        let rows = (0..<count).map {
            #"{"row_data": "https://example.com/\#(name)/\#($0).jpg", "external_id": "\#(name) \#($0)"}"#
        }
        return "[\(rows.joined(separator: ",\n"))]"
    }

    private static func names(_ manifests: [String], _ count: Int = 5) -> [String] {
        manifests.flatMap { name in (0..<count).map { "\(name) \($0)" } }.sorted()
    }

    /// Waits until the log has a text that it did not have when it was `before` long.
    private static func logged(_ site: Site, _ text: String, after before: Int = 0) async throws {
        try await eventually(within: .seconds(30), "the log says: \(text)") {
            try site.expectDaemonRuns()
            return site.logged().dropFirst(before).contains(text) ? () : nil
        }
    }

    /// Every status is whole, whatever else it is.
    private static func expectWholeStatuses(_ site: Site) throws {
        for name in try Site.files(in: site.state.appending(path: "status")) where name.hasSuffix(".json") {
            let data = try Data(contentsOf: site.state.appending(path: "status/\(name)"))
            #expect((try? JSON(data)) != nil, "half a status: \(name) with \(data.count) bytes")
        }
    }

    /// What a manifest's results say is what the server has.
    private static func expectResults(_ site: Site, _ manifest: String, _ count: Int = 5) async throws {
        let status = try await site.ended(manifest)
        #expect(status["state"].string == "complete", "\(status)")
        let results = try site.results(status)
        #expect(results.compactMap { $0["row"].int } == Array(0..<count), "\(manifest): \(results)")
        #expect(results.allSatisfy { $0["outcome"].string == "created" })
        #expect(site.archived().contains(manifest))
    }

    @Test(
        "a state folder that fills up, at each stage of an import, holds it up until there is room",
        .timeLimit(.minutes(3)), arguments: SmallDisk.Scarcity.allCases)
    func state(_ scarcity: SmallDisk.Scarcity) async throws {
        let settings = SiteSettings(simulator: ["--task-delay", "2s"], watch: ["media_grace: 1s", "linger: 0ms"])
        try await Site.with(disk: \.state, "size=6m,nr_inodes=400", settings) { site, disk in
            try await site.start()
            // One is at Labelbox when the room ends, so that its results, its status and its place in the archive are missing;
            try site.drop("early.json", Self.rows("early"))
            try await site.status(of: "early.json", "is at Labelbox") { !$0["tasks"].list.isEmpty }
            try disk.fill(scarcity)
            // and others come while there is none.
            let before = site.logged().count
            for name in ["late", "later"] { try site.drop("\(name).json", Self.rows(name)) }
            try site.drop("picture.png", "a picture")
            try site.drop("named.json", #"[{"row_data": "picture.png", "external_id": "picture"}]"#)
            try await Self.logged(site, "ERROR Stage cannot work", after: before)
            // The task has ended, and what came of it cannot be written.
            try await eventually(within: .seconds(30), "the rows of the first are there") {
                try await site.simulator.rows().count >= 5 ? () : nil
            }
            try await Self.logged(site, scarcity == .bytes ? "disk is full" : "No space left", after: before)
            try Self.expectWholeStatuses(site)
            // Reading needs no room.
            let said = try await site.control("status")
            #expect(said.exit == 0 && said.lines.contains { $0.hasPrefix(Site.watch) }, "\(said)")

            try disk.empty()
            for name in ["early", "late", "later"] { try await Self.expectResults(site, "\(name).json") }
            #expect(try await site.ended("named.json")["state"].string == "complete")
            #expect(try await site.names() == (Self.names(["early", "late", "later"]) + ["picture"]).sorted())
            try await eventually(within: .seconds(30), "the daemon says that all is well, and nothing is left behind") {
                guard try site.daemonStatus()?["state"].string == "running", try site.dropped().isEmpty else {
                    return Void?.none
                }
                let left = try Site.files(in: site.state).filter {
                    $0.contains("datarowd-tmp") || $0.hasPrefix("work/")
                }
                return left.isEmpty ? () : nil
            }
            #expect(site.logged().contains("All stages work again"))
        }
    }

    @Test(
        "a daemon that is stopped, or killed, while its state folder is full starts again, and says why not until then",
        .timeLimit(.minutes(3)), arguments: [SIGTERM, SIGKILL])
    func restart(_ signal: Int32) async throws {
        try await Site.with(disk: \.state, "size=6m,nr_inodes=400") { site, disk in
            try await site.start()
            try site.drop("first.json", Self.rows("first"))
            try await site.ended("first.json")
            try disk.fill(.bytes)
            let before = site.logged().count
            try site.drop("second.json", Self.rows("second"))
            try await Self.logged(site, "full", after: before)
            if signal == SIGTERM { try await site.stop() } else { site.kill() }
            // Whether it starts without room or not, it says so, and harms nothing.
            let start = site.logged().count
            let child = try site.launch()
            try await eventually(within: .seconds(30), "it has started, or ended") {
                child.end != nil || site.logged().dropFirst(start).contains("Ready") ? () : nil
            }
            if let end = child.end { #expect(end == .exited(74), "\(site.logged().suffix(2_000))") }
            child.kill()
            try disk.empty()
            try await site.start()
            try await Self.expectResults(site, "second.json")
            #expect(try await site.names() == Self.names(["first", "second"]))
        }
    }

    @Test(
        "a drop folder that fills up gives halves to nobody, and what came whole is taken when there is room",
        .timeLimit(.minutes(3)), arguments: SmallDisk.Scarcity.allCases)
    func drop(_ scarcity: SmallDisk.Scarcity) async throws {
        let settings = SiteSettings(watch: ["media_grace: 1s"])
        try await Site.with(disk: \.drop, "size=1m,nr_inodes=100", settings) { site, disk in
            try await site.start()
            try site.put("before.json", Self.rows("before"))
            try await site.ended("before.json")
            // Written while there was room, and moved in when there is none.
            let ready = ["loose.png": "a picture", "tight.json": Self.rows("tight")]
            for (name, content) in ready { try Data(content.utf8).write(to: site.drop.appending(path: ".\(name)")) }
            try disk.fill(scarcity)
            // Loose media needs a manifest of the daemon's own, for which there is no room.
            for name in ready.keys {
                let file = site.drop.appending(path: name).path
                #expect(rename(site.drop.appending(path: ".\(name)").path, file) == 0)
            }
            try await eventually(within: .seconds(30), "the operator is told") {
                try site.expectDaemonRuns()
                let status = try site.daemonStatus()
                return status?["state"].string == "degraded"
                    && (status?["state_reason"].string ?? "").contains("No space left") ? () : nil
            }
            try disk.empty()
            #expect(try await site.ended("tight.json")["state"].string == "complete")
            try await eventually(within: .seconds(30), "the picture is there, and all is well") {
                guard try site.daemonStatus()?["state"].string == "running", try site.dropped().isEmpty else {
                    return Void?.none
                }
                return try await site.names().contains("loose.png") ? () : nil
            }
            // A producer that finds no room leaves a half behind, or nothing.
            let whole = site.root.appending(path: "whole.json")
            try Data(Self.rows("half", 200).utf8).write(to: whole)
            try disk.fill(scarcity, leaving: 4_096)
            let copy = try await output(of: "/bin/cp", [whole.path, site.drop.appending(path: "half.json").path])
            #expect(copy.ending != .exited(0), "there was room for it")
            if scarcity == .bytes {
                // It is waited for, for a minute, in case it is still being written; and nothing of it is sent.
                let status = try await site.status(of: "half.json", "is found to be cut off") {
                    ($0["state_reason"].string ?? "").contains("ends too early")
                }
                #expect(status["rows"]["submitted"].int == 0)
            }
            try disk.empty()
            try site.put("half-again.json", Self.rows("half", 200))
            try await site.ended("half-again.json")
            let wanted = Self.names(["before", "tight"]) + Self.names(["half"], 200) + ["loose.png"]
            #expect(try await site.names() == wanted.sorted())
        }
    }

    @Test(
        "a folder that takes no writes for a while holds things up, says so, and harms nothing",
        .timeLimit(.minutes(3)),
        arguments: [true, false])
    func readOnly(_ isDrop: Bool) async throws {
        let settings = SiteSettings(simulator: ["--task-delay", "2s"], watch: ["media_grace: 1s", "linger: 0ms"])
        try await Site.with(disk: { isDrop ? $0.drop : $0.state }, "size=8m", settings) { site, disk in
            try await site.start()
            try site.put("early.png", "a picture")
            try site.put("early.json", #"[{"row_data": "early.png", "external_id": "early"}]"#)
            try await site.status(of: "early.json", "is at Labelbox") { !$0["tasks"].list.isEmpty }
            if isDrop { try site.put("late.json", Self.rows("late")) }
            try disk.forbidWriting()
            var isWritable = false
            defer { if !isWritable { try? disk.allowWriting() } }
            let before = site.logged().count
            if !isDrop { try site.put("late.json", Self.rows("late")) }
            try await Self.logged(site, "Read-only file system", after: before)
            if isDrop {
                try await eventually(within: .seconds(30), "the operator is told") {
                    let status = try site.daemonStatus()
                    let reason = status?["state_reason"].string ?? ""
                    return reason.contains("Read-only") ? () : nil
                }
            }
            try Self.expectWholeStatuses(site)
            try site.expectDaemonRuns()
            try disk.allowWriting()
            isWritable = true
            try await Self.expectResults(site, "late.json")
            try await Self.expectResults(site, "early.json", 1)
            #expect(try await site.names() == (["early"] + Self.names(["late"])).sorted())
            try await eventually(within: .seconds(90), "the media is put away, and all is well") {
                try site.daemonStatus()?["state"].string == "running" && site.dropped().isEmpty ? () : nil
            }
        }
    }

    @Test("a drop folder that never takes writes is imported from once, and keeps its files", .timeLimit(.minutes(2)))
    func readOnlyForGood() async throws {
        try await Site.with(disk: \.drop, "size=2m", SiteSettings(watch: ["media_grace: 1s"])) { site, disk in
            try site.put("named.png", "a picture")
            try site.put("loose.png", "another")
            try site.put(
                "rows.json", #"["named.png", {"row_data": "https://example.com/1.jpg", "external_id": "one"}]"#)
            try disk.forbidWriting()
            defer { try? disk.allowWriting() }
            try await site.start()
            #expect(try await site.ended("rows.json")["state"].string == "complete")
            try await eventually(within: .seconds(60), "the loose one is there") {
                try await site.names().contains("loose.png") ? () : nil
            }
            try await eventually(within: .seconds(60), "all has ended") {
                try site.daemonStatus()?["watches"].list.first?["imports"]["complete"].int == 2 ? () : nil
            }
            let archived = site.archived().sorted()
            // Another process has only the ledger to know them by.
            try await site.stop()
            try await site.start()
            let scans = site.logged().count
            try site.allowed(disk) { try site.put("new.json", Self.rows("new", 1)) }
            try await site.ended("new.json")
            #expect(try await site.names() == ["loose.png", "named.png", "new 0", "one"])
            #expect(site.archived().sorted() == (archived + ["new.json"]).sorted())
            #expect(try site.daemonStatus()?["state"].string == "running")
            #expect(!site.logged().dropFirst(scans).contains("WARNING"), "\(site.logged().suffix(2_000))")
            #expect(try site.dropped().sorted() == ["loose.png", "named.png", "new.json", "rows.json"])
        }
    }

    @Test("a state folder that takes no writes at the start is no state folder", .timeLimit(.minutes(1)))
    func readOnlyFromTheStart() async throws {
        try await Site.with(disk: \.state, "size=4m") { site, disk in
            try disk.forbidWriting()
            defer { try? disk.allowWriting() }
            let end = try await site.launch().ended(within: .seconds(30))
            #expect(end == .exited(74), "\(site.logged())")
            #expect(site.logged().contains("Read-only file system"))
            #expect(site.logged().contains(site.state.path))
        }
    }
}

extension Site {
    /// Does something while the disk takes writes for a moment, which the daemon does not have to notice.
    fileprivate func allowed(_ disk: SmallDisk, _ body: () throws -> Void) throws {
        try disk.allowWriting()
        try body()
        try disk.forbidWriting()
    }
}
