import Foundation
import Glibc
import Locking
import Testing

/// Whoever may write into the drop folder gets rows imported, and nothing else.
@Suite("Hostile producers", .serialized)
struct HostileProducerTests {
    private static let secret = "what lies outside 5d1c0b7e"

    /// A folder beside the drop folder, with a file whose content must never be sent.
    private static func makeOutside(_ site: Site) throws -> URL {
        let folder = site.root.appending(path: "private")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(secret.utf8).write(to: folder.appending(path: "f.txt"))
        return folder
    }

    private static func expectNothingLeaked(_ site: Site) throws {
        let leaks = try Secrecy.files(in: site.root.appending(path: "labelbox"), with: secret)
        #expect(leaks.isEmpty, "the server has what lies outside: \(leaks)")
    }

    @Test("a manifest reaches no file outside of the drop folder", .timeLimit(.minutes(3)))
    func traversal() async throws {
        try await Site.with(SiteSettings(watch: ["media_wait: 1m"])) { site in
            let outside = try Self.makeOutside(site)
            let file = outside.appending(path: "f.txt").path
            for (name, target) in [("link.txt", file), ("folder", outside.path), ("loop.txt", "loop.txt")] {
                try FileManager.default.createSymbolicLink(
                    atPath: site.drop.appending(path: name).path, withDestinationPath: target)
            }
            try FileManager.default.createDirectory(
                at: site.drop.appending(path: "sub"), withIntermediateDirectories: true)
            try Data("inside".utf8).write(to: site.drop.appending(path: "sub/inside.txt"))
            mkfifo(site.drop.appending(path: "fifo.txt").path, 0o644)
            try await site.start()
            let depth = String(repeating: "../", count: 30)
            let bad = [
                "../private/f.txt", "sub/../../private/f.txt", "./../private/f.txt", file, "file://\(file)",
                "file:\(file)", "file:../private/f.txt", "file:%2e%2e/private/f.txt", "file:///proc/self/environ",
                "/proc/self/environ", "/dev/zero", "link.txt", "./link.txt", "folder/f.txt",
                "./folder/../private/f.txt",
                "loop.txt", "fifo.txt", "\(depth)\(file.dropFirst())", "sub/../link.txt", "/etc/passwd",
                ".datarowd/../../private/f.txt", "./../state/ledger.sqlite", "/proc/self/root\(file)",
            ]
            let rows = (bad + ["sub/inside.txt"]).map { #"{"row_data":"\#($0)"}"# }
            try site.drop("paths.json", "[" + (rows + bad.map { "\"\($0)\"" }).joined(separator: ",") + "]")
            let status = try await site.ended("paths.json", within: .seconds(90))
            #expect(status["state"].string == "complete_with_errors", "\(status)")
            let results = try site.results(status)
            #expect(results.count == 2 * bad.count + 1)
            for result in results {
                let isGood = result["row"].int == bad.count
                #expect((result["outcome"].string == "created") == isGood, "\(result)")
            }
            #expect(try await site.simulator.rows().count == 1)
            try Self.expectNothingLeaked(site)
            // What is outside is still there, and still the same.
            #expect(try String(contentsOfFile: file, encoding: .utf8) == Self.secret)
        }
    }

    @Test("links that are swapped between check and use lead nowhere else", .timeLimit(.minutes(4)))
    func swappedLinks() async throws {
        try await Site.with(SiteSettings(watch: ["media_wait: 2m", "loose_media: ignore"])) { site in
            let outside = try Self.makeOutside(site)
            let inside = site.drop.appending(path: "real")
            try FileManager.default.createDirectory(at: inside, withIntermediateDirectories: true)
            // Of one length and time, so that only where it lies tells them apart.
            try Data("what lies inside! 5d1c0b7e".utf8).write(to: inside.appending(path: "f.txt"))
            let isOver = Locked(false)
            let swaps = Locked(0)
            let swapper = Thread { [drop = site.drop] in
                let spare = drop.appending(path: ".spare").path
                let name = drop.appending(path: "d").path
                while !isOver.withLock({ $0 }) {
                    for target in [inside.path, outside.path] {
                        symlink(target, spare)
                        rename(spare, name)
                        usleep(200)
                    }
                    swaps.withLock { $0 += 2 }
                }
            }
            swapper.start()
            defer { isOver.withLock { $0 = true } }
            try await site.start()
            for number in 0..<60 {
                try site.drop("m\(number).json", #"[{"row_data":"d/f.txt","external_id":"\#(number)"}]"#)
            }
            for number in 0..<60 { try await site.ended("m\(number).json", within: .seconds(120)) }
            #expect(swaps.withLock { $0 } > 100, "too few to be a race")
            try Self.expectNothingLeaked(site)
        }
    }

    @Test("what is no plain file is no manifest, and keeps nobody waiting", .timeLimit(.minutes(2)))
    func specialFiles() async throws {
        try await Site.with { site in
            let outside = try Self.makeOutside(site)
            let manifest = outside.appending(path: "m.json")
            try Data(#"[{"row_data":"\#(Self.secret)"}]"#.utf8).write(to: manifest)
            mkfifo(site.drop.appending(path: "fifo.json").path, 0o666)
            try FileManager.default.createSymbolicLink(
                atPath: site.drop.appending(path: "link.json").path, withDestinationPath: manifest.path)
            try FileManager.default.createSymbolicLink(
                atPath: site.drop.appending(path: "zero.json").path, withDestinationPath: "/dev/zero")
            try FileManager.default.createDirectory(
                at: site.drop.appending(path: "folder.json"), withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: site.drop.appending(path: "round").path, withDestinationPath: site.drop.path)
            try await site.start()
            try site.drop("good.json", #"[{"row_data":"https://example.com/1.jpg"}]"#)
            try await site.ended("good.json")
            // A file with a time that no clock of ours reaches.
            let far = site.root.appending(path: "far.json")
            try Data(#"[{"row_data":"https://example.com/raw.jpg"}]"#.utf8).write(to: far)
            var times = [timespec(tv_sec: 15_000_000_000, tv_nsec: 5), timespec(tv_sec: 15_000_000_000, tv_nsec: 5)]
            utimensat(AT_FDCWD, far.path, &times, 0)
            rename(far.path, site.drop.appending(path: "far.json").path)
            try await site.ended("far.json")
            #expect(try await site.simulator.rows().count == 2)
            #expect(FileManager.default.fileExists(atPath: manifest.path))
            try Self.expectNothingLeaked(site)
        }
    }

    @Test("bombs are refused, in little memory and on little disk", .timeLimit(.minutes(4)))
    func bombs() async throws {
        try await Site.with { site in
            try await site.start()
            let bomb = site.root.appending(path: "bomb.gz")
            let made = try await output(
                of: "/bin/sh", ["-c", "head -c 1000000000 /dev/zero | gzip -9 > \(bomb.path)"], within: .seconds(100))
            #expect(made.ending == .exited(0))
            try site.drop("bomb.json.gz", Data(contentsOf: bomb))
            let status = try await site.ended("bomb.json.gz")
            #expect(status["state"].string == "rejected")
            #expect(status["errors"].list.first?["code"].string == "compression_bomb", "\(status)")

            let deep = String(repeating: "[", count: 3_000_000)
            try site.drop("deep.json", deep)
            try site.drop("deep.ndjson", #"{"row_data":"# + deep)
            try site.drop("wide.json", #"[{"row_data":"t""# + String(repeating: #","a":{}"#, count: 200_000) + "}]")
            // One value of an envelope's own, and one row, of 60 MB.
            let large = String(repeating: "x", count: 60_000_000)
            try site.drop("header.json", #"{"defaults":{"external_id":"\#(large)"},"rows":[]}"#)
            try site.drop("row.json", #"[{"row_data":"\#(large)"},{"row_data":"https://example.com/ok.jpg"}]"#)
            for name in ["deep.json", "deep.ndjson", "header.json"] {
                let status = try await site.ended(name)
                #expect(status["state"].string == "rejected", "\(name): \(status)")
            }
            let wide = try await site.ended("wide.json")
            #expect(wide["rows"]["rejected"].int == 1, "\(wide)")
            let row = try await site.ended("row.json")
            #expect(row["rows"]["rejected"].int == 1 && row["rows"]["created"].int == 1, "\(row)")
            try site.expectDaemonRuns()
            let memory = try String(contentsOfFile: "/proc/\(try #require(site.daemon).pid)/status", encoding: .utf8)
            let peak = memory.firstMatch(of: /VmHWM:\s+(\d+) kB/).flatMap { Int($0.1) } ?? .max
            #expect(peak < 160_000, "\(peak) kB")
            let work = try Site.files(in: site.state.appending(path: "work"))
            #expect(work.isEmpty, "left behind: \(work)")
        }
    }

    @Test("an address in a row is passed on, and nobody calls there", .timeLimit(.minutes(2)))
    func addresses() async throws {
        let trap = try RogueServer { _ in RogueServer.answer("200 OK", []) }
        defer { trap.close() }
        try await Site.with { site in
            try await site.start()
            let address = "http://127.0.0.1:\(trap.port)/latest/meta-data"
            try site.drop(
                "addresses.json",
                """
                [{"row_data": "\(address)", "attachments": [{"type": "IMAGE", "value": "\(address)"}]},
                 {"row_data": {"type": "application/vnd.labelbox.conversational", "messages": [], "url": "\(address)"}},
                 {"row_data": "http:\\/\\/127.0.0.1:\(trap.port)/x.jpg", "media_attributes": {"u": "\(address)"}},
                 {"tileLayerUrl": "\(address)", "row_data": "\(address)"}]
                """)
            let status = try await site.ended("addresses.json")
            #expect(status["rows"]["created"].int == 4, "\(status)")
            #expect(try await site.simulator.rawRows().contains(address))
        }
        #expect(trap.connectionCount == 0, "somebody called: \(trap.headers)")
    }

    /// Names that clear the screen, retitle the terminal, end a line, turn the direction of text.
    private static let names = [
        "a\u{1b}[2J\u{1b}]0;owned\u{7}", "b\n<0>2026-01-01T00:00:00.000Z CRITICAL forged", "c\r\u{8}\u{8}x",
        "d\u{202e}nosj.",
        "e\u{9b}31m", "f\u{2028}g\u{2066}", "h\"=\\", "i\u{feff}\u{200b}", "k \u{e0041}",
    ]

    @Test("names of files do nothing to logs, terminals and statuses", .timeLimit(.minutes(3)))
    func names() async throws {
        try await Site.with(SiteSettings(watch: ["media_wait: 1m", "media_grace: 1m"])) { site in
            try await site.start()
            for (number, name) in Self.names.enumerated() {
                try site.drop(
                    "\(name).json", #"[{"row_data":"https://example.com/\#(number).jpg"},{"row_data":7}]"#)
                try site.drop("\(name) bad.json", "[nothing\u{1b}[2J]")
                try site.drop("\(name).txt", "loose \(name)")
                try site.drop("\(name)/inner.json", #"["gone\#\u{202e}.jpg", {"ro\#\u{202e}w": 1}]"#)
            }
            // No UTF-8 at all.
            for (number, ending) in ["json", "txt"].enumerated() {
                let path = site.drop.path.utf8CString.dropLast() + [0x2f, -1, -2, 0x1b] + ".\(ending)".utf8CString
                let file = site.root.appending(path: "raw\(number)")
                try Data(#"[{"row_data":"https://example.com/2.jpg"}]"#.utf8).write(to: file)
                #expect(Array(path).withUnsafeBufferPointer { $0.baseAddress.map { rename(file.path, $0) } } == 0)
            }
            for name in Self.names {
                let good = try await site.ended("\(name).json")
                #expect(good["rows"]["created"].int == 1, "\(good)")
                #expect(try await site.ended("\(name) bad.json")["state"].string == "rejected")
                try await site.ended("\(name)/inner.json")
            }
            // The loose files, by their names to the letter.
            try await eventually(within: .seconds(60), "loose media is imported") {
                let names = try await site.simulator.rows().compactMap { $0["external_id"].string }
                return Set(Self.names.map { "\($0).txt" }).isSubset(of: names) ? () : nil
            }
            try await Self.expectNoTricks(site)
            // Each line of the log is one that the daemon wrote.
            for line in site.logged().split(separator: "\n") {
                #expect(
                    line.contains(#/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|NOTICE|WARNING|ERROR) /#),
                    "\(line)")
            }
        }
    }

    /// Nothing that people look at acts on a terminal.
    static func expectNoTricks(_ site: Site, manifests: [String] = names.map { "\($0).json" }) async throws {
        #expect(Secrecy.trick(in: site.logged()) == nil, "in the log")
        for file in try Site.files(in: site.state.appending(path: "status")) {
            let text = try String(contentsOf: site.state.appending(path: "status/\(file)"), encoding: .utf8)
            #expect(Secrecy.trick(in: text) == nil, "in \(file.debugDescription)")
        }
        var calls = [["list"], ["list", "--json"], ["status"], ["status", "--json"], ["tasks"], ["explain"]]
        for name in manifests {
            calls += [
                ["status", name], ["status", name, "--json"], ["explain", name], ["wait", name, "--timeout", "1s"],
            ]
        }
        for call in calls {
            let said = try await output(
                of: Programs.control.path,
                [call[0], "--config", site.configuration.path] + call.dropFirst())
            #expect(Secrecy.trick(in: said.text) == nil, "\(call) says \(said.text.debugDescription)")
            #expect(!said.text.isEmpty || call[0] == "wait" || call[0] == "explain", "\(call) says nothing")
        }
    }
}
