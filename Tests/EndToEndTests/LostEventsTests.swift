import Foundation
import Glibc
import Testing

/// The scan is the truth: with events lost, some or all, everything is found.
@Suite("Lost events", .serialized)
struct LostEventsTests {
    private static func manifest(_ name: String) -> String {
        #"[{"row_data": "https://example.com/\#(name).jpg", "external_id": "\#(name)"}]"#
    }

    @Test("a daemon that hears of nothing takes everything, by scans alone", .timeLimit(.minutes(2)))
    func deaf() async throws {
        let folder = try Shim.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let witness = folder.appending(path: "heard")
        var settings = SiteSettings(watch: ["rescan: 1s", "media_grace: 1s"], isFast: false)
        settings.environment = try await Shim.environment("deaf", for: folder)
        settings.environment["DEAF_WITNESS"] = witness.path
        try await Site.with(settings) { site in
            try await site.start()
            try site.drop("moved.json", Self.manifest("moved"))
            try site.drop("deep/er/moved.json", Self.manifest("deeper"))
            try site.drop("loose.png", "a picture")
            let writer = try await output(
                of: "/bin/sh",
                [
                    "-c", #"exec 3>"$0"; sleep 1.5; printf '%s' "$1" >&3; exec 3>&-"#,
                    site.drop.appending(path: "written.json").path, Self.manifest("written"),
                ])
            #expect(writer.ending == .exited(0))
            for name in ["moved.json", "deep/er/moved.json", "written.json"] {
                #expect(try await site.ended(name)["state"].string == "complete", "\(name)")
            }
            // The folder itself goes, and another comes, without a word of it.
            #expect(rename(site.drop.path, site.root.appending(path: "gone").path) == 0)
            try FileManager.default.createDirectory(at: site.drop, withIntermediateDirectories: true)
            try site.drop("new.json", Self.manifest("new"))
            #expect(try await site.ended("new.json")["state"].string == "complete")
            try await eventually(within: .seconds(30), "the picture is there") {
                try await site.names().contains("loose.png") ? () : nil
            }
            #expect(try await site.names() == ["deeper", "loose.png", "moved", "new", "written"])
            #expect(FileManager.default.fileExists(atPath: witness.path), "there was no event to be lost")
        }
    }

    @Test(
        "200,000 files at once overflow the queue of events; each is found, once, in little memory",
        .timeLimit(.minutes(4)))
    func flood() async throws {
        // A debug build takes ten times as long for each. FLOOD_FILES makes it a longer run.
        #if DEBUG
            let usual = 12_000
        #else
            let usual = 200_000
        #endif
        let count = ProcessInfo.processInfo.environment["FLOOD_FILES"].flatMap { Int($0) } ?? usual
        let each = 199
        // Most of them are media that nobody names: they fill what is followed, and wait. The others are imported meanwhile.
        try await Site.with(SiteSettings(watch: ["media_grace: 1h", "rescan: 1h"], isFast: false)) { site in
            let folders = 20
            for folder in 0..<folders {
                try FileManager.default.createDirectory(
                    at: site.drop.appending(path: "\(folder)"), withIntermediateDirectories: true)
            }
            try await site.start()
            let daemon = try #require(site.daemon)
            // A file in each says that its folder is watched; and so each of the others is an event.
            for folder in 0..<folders { try site.drop("\(folder)/first.json", Self.manifest("first \(folder)")) }
            for folder in 0..<folders { try await site.ended("\(folder)/first.json") }
            // While it stands still nobody empties the queue, which is the kernel's and holds 16,384 events.
            daemon.signal(SIGSTOP)
            for number in 0..<count {
                let isManifest = number % each == each - 1
                let path = site.drop.path + "/\(number % folders)/\(number).\(isManifest ? "json" : "png")"
                let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
                guard file >= 0 else { throw Trouble("\(path): error \(errno)") }
                if isManifest {
                    let text = Self.manifest("\(number)")
                    #expect(write(file, text, text.utf8.count) == text.utf8.count)
                }
                close(file)
            }
            daemon.signal(SIGCONT)
            try await eventually(within: .seconds(120 + count / 10_000), "all manifests are imported") {
                try site.expectDaemonRuns()
                return try await site.simulator.rows().count >= count / each + folders ? () : nil
            }
            let wanted =
                (0..<count).filter { $0 % each == each - 1 }.map(String.init) + (0..<folders).map { "first \($0)" }
            #expect(try await site.names() == wanted.sorted())
            #expect(site.logged().contains("More events than could be kept"), "nothing overflowed")
            // Media is followed up to a limit, and the operator sees that it waits.
            let settling = try await eventually(within: .seconds(30), "the status tells of what waits") {
                try site.watchStatus()?["settling"].int.flatMap { $0 >= min(count, 40_000) / 2 ? $0 : nil }
            }
            let peak = try #require(try daemon.highWaterMark()) >> 20
            print("\(count) files at once: \(settling) followed, peak RSS \(peak) MiB")
            #expect(peak < 160, "\(peak) MiB")
        }
    }
}
