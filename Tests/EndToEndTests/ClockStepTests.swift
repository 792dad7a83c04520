import Foundation
import Testing

/// The wall clock may be set at any moment, and between two runs: waits are as long as they should be, and nothing is lost.
@Suite("Clock steps", .serialized)
struct ClockStepTests {
    private static let (hour, day, year) = (3_600, 86_400, 31_557_600)

    /// The clock of a daemon: a file that holds how far it is off.
    private struct SetClock {
        let file: URL

        init(in folder: URL) throws {
            file = folder.appending(path: "offset")
            try Data(count: 8).write(to: file)
        }

        /// In place: the daemon has the file mapped.
        func set(to seconds: Int) throws {
            let handle = try FileHandle(forWritingTo: file)
            try handle.write(contentsOf: withUnsafeBytes(of: Int64(seconds)) { Data($0) })
            try handle.close()
        }
    }

    private static func withClock(
        _ settings: SiteSettings, _ body: (Site, SetClock) async throws -> Void
    ) async throws {
        let folder = try Shim.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let clock = try SetClock(in: folder)
        var settings = settings
        // Its own clock is the one that matters here.
        settings.isFast = false
        settings.environment = try await Shim.environment("realtime", for: folder)
        settings.environment["REALTIME_OFFSET"] = clock.file.path
        try await Site.with(settings) { try await body($0, clock) }
    }

    @Test(
        "a clock that jumps by hours and years, back and forth, while it works hurts nothing", .timeLimit(.minutes(3)))
    func jumping() async throws {
        let settings = SiteSettings(
            simulator: ["--task-delay", "300ms"], watch: ["media_grace: 1s", "media_wait: 20s"])
        try await Self.withClock(settings) { site, clock in
            try await site.start()
            let steps = [5 * Self.hour, -3 * Self.day, 10 * Self.year, 0, -50 * Self.year, 300 * Self.year, -Self.hour]
            var names: [String] = []
            for (index, step) in steps.enumerated() {
                // Some of it is under way at each step: settling, waiting for media, uploading, at Labelbox.
                try site.drop(
                    "\(index).json", #"["late-\#(index).png", {"row_data": "text", "external_id": "text \#(index)"}]"#)
                try site.drop("loose-\(index).png", "loose \(index)")
                let copied = site.drop.appending(path: "copied-\(index).json")
                try Data(
                    #"[{"row_data": "https://example.com/\#(index).jpg", "external_id": "copied \#(index)"}]"#.utf8
                )
                .write(to: copied)
                try await site.status(of: "\(index).json", "waits for its file") {
                    $0["state"].string == "waiting_for_media"
                }
                try clock.set(to: step)
                try site.drop("late-\(index).png", "late \(index)")
                for name in ["\(index).json", "copied-\(index).json"] {
                    #expect(
                        try await site.ended(name, within: .seconds(30))["state"].string == "complete", "step \(step)")
                }
                names += ["late-\(index).png", "text \(index)", "copied \(index)", "loose-\(index).png"]
            }
            try await eventually(within: .seconds(30), "all is there") {
                try await site.simulator.rows().count >= names.count ? () : nil
            }
            #expect(try await site.names() == names.sorted())
            try Self.expectValidDates(site)
            #expect(try site.daemonStatus()?["state"].string == "running")
            try await Self.expectRest(site)
        }
    }

    @Test(
        "a daemon that is started at another time than it was stopped goes on", .timeLimit(.minutes(3)),
        arguments: [
            -2 * year, 2 * year, -60 * year,
        ])
    func restarted(_ step: Int) async throws {
        let settings = SiteSettings(simulator: ["--task-delay", "1s"], watch: ["media_grace: 1s", "media_wait: 6s"])
        try await Self.withClock(settings) { site, clock in
            try await site.start()
            try site.drop("first.json", #"["a.png", {"row_data": "one", "external_id": "one"}]"#)
            try site.drop("a.png", "a")
            try site.drop("waiting.json", #"["never.png", {"row_data": "two", "external_id": "two"}]"#)
            try await site.status(of: "first.json", "is at Labelbox") { !$0["tasks"].list.isEmpty }
            try await site.status(of: "waiting.json", "waits for its file") {
                $0["state"].string == "waiting_for_media"
            }
            site.kill()
            try clock.set(to: step)
            try await site.start()
            #expect(try await site.ended("first.json")["state"].string == "complete")
            // A file that does not come is given up, and not when the old clock would have said.
            let status = try await site.ended("waiting.json")
            #expect(status["state"].string == "complete_with_errors", "\(status)")
            #expect(status["errors"].list.first?["code"].string == "media_missing", "\(status)")
            #expect(try await site.names() == ["a.png", "one", "two"])
            try Self.expectValidDates(site)
            try await Self.expectRest(site)
        }
    }

    @Test(
        "an address of a time that is yet to come is not believed: the file is uploaded again", .timeLimit(.minutes(2)))
    func oldAddresses() async throws {
        try await Self.withClock(SiteSettings(watch: ["media_url_age: 1h"])) { site, clock in
            func address(_ name: String) async throws -> String {
                try site.drop("\(name).png", "the same content")
                try site.drop("\(name).json", #"["\#(name).png"]"#)
                try await site.ended("\(name).json")
                return try #require(
                    try await site.simulator.rows().first { $0["external_id"].string == "\(name).png" }?["row_data"]
                        .string)
            }
            // Uploaded by a clock that is two days ahead,
            try clock.set(to: 2 * Self.day)
            try await site.start()
            let first = try await address("first")
            #expect(try await address("again") == first, "within its age it is used again")
            try await site.stop()
            // it would be good for two days and an hour by the right one.
            try clock.set(to: 0)
            try await site.start()
            let second = try await address("second")
            #expect(second != first)
            #expect(try await address("third") == second)
            try await site.stop()
            // And when that time has come, the oldest address is not good either.
            try clock.set(to: 2 * Self.day + 60)
            try await site.start()
            let last = try await address("last")
            #expect(last != first && last != second)
        }
    }

    @Test("an address that has grown old before its row could be sent is replaced first", .timeLimit(.minutes(2)))
    func oldBeforeSent() async throws {
        let settings = SiteSettings(watch: ["media_url_age: 1h", "linger: 4s"])
        try await Self.withClock(settings) { site, clock in
            try await site.start()
            try site.drop("a.png", "a picture")
            try site.drop("rows.json", #"["a.png", {"row_data": "https://example.com/1.jpg", "external_id": "1"}]"#)
            try await site.status(of: "rows.json", "has its file uploaded") { $0["media"]["uploaded_files"].int == 1 }
            site.kill()
            #expect(try await site.simulator.rows().isEmpty)
            let old = try await output(
                of: "/usr/bin/python3",
                [
                    "-c",
                    "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1], uri=True).execute('select url from media').fetchone())",
                    // Only to read: else the log would be moved into the file, where pages have sums.
                    "file:\(site.state.appending(path: "ledger.sqlite").path)?mode=ro",
                ])
            #expect(old.text.hasPrefix("http://"), "\(old)")
            // A day without the daemon.
            try clock.set(to: Self.day)
            try await site.start()
            let status = try await site.ended("rows.json")
            #expect(status["rows"]["created"].int == 2, "\(status)")
            #expect(status["media"]["uploaded_files"].int == 1 && status["media"]["files"].int == 1, "\(status)")
            let sent = try await site.simulator.rows().first { $0["external_id"].string == "a.png" }?["row_data"].string
            #expect(sent?.hasPrefix("http://") == true && sent.map { !old.text.contains($0) } == true, "\(sent ?? "")")
        }
    }

    /// The dates in paths and statuses are dates.
    private static func expectValidDates(_ site: Site) throws {
        let days = try FileManager.default.contentsOfDirectory(
            atPath: site.state.appending(path: "archive/\(Site.watch)").path)
        #expect(!days.isEmpty)
        for day in days { #expect(day.wholeMatch(of: #/\d{4}-[01]\d-[0-3]\d/#) != nil, "\(day)") }
    }

    /// It sleeps when there is nothing to do.
    private static func expectRest(_ site: Site) async throws {
        let pid = try #require(site.daemon).pid
        func ticks() throws -> Int {
            let fields = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8).split(separator: ")").last
            return (fields ?? "").split(separator: " ")[11...12].compactMap { Int($0) }.reduce(0, +)
        }
        let calls = try await site.simulator.calls().count
        let before = try ticks()
        try await Task.sleep(for: .seconds(1))
        // A thread that spins takes a hundred a second, or a share of that on a busy machine.
        #expect(try ticks() - before < 20, "it does not rest")
        #expect(try await site.simulator.calls().count - calls < 10)
    }
}
