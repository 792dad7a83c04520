import Foundation
import Glibc
import Testing

/// What a server says is written down with care, and the key is never.
@Suite("Secrecy", .serialized)
struct SecrecyTests {
    /// Says everything back, key included, with tricks for the terminal around it.
    private static func echo(_ status: String, _ header: String) -> [UInt8] {
        let line = header.split(separator: "\r\n").first { $0.lowercased().hasPrefix("authorization") } ?? ""
        let key = line.split(separator: " ").last ?? ""
        // So long that a quotation would be cut off within the key, wherever it begins.
        let filler = String(repeating: "\(key) ", count: 9)
        let body = """
            {"message": "\\u001b[2J\u{9b}2J no, \(line)\\n<0>forged \u{202e}", "errors": [{"message": "\(filler)\u{202e}\\u001b]0;x\\u0007", \
            "extensions": {"code": "INTERNAL_SERVER_ERROR", "exception": {"status": 500}}}], "key": "\(key)"}
            """
        return RogueServer.answer(
            status, Array(body.utf8), ["X-Echo: \(line)", "Retry-After: 1e300", "Location: /?key=\(key)"])
    }

    @Test(
        "a server that echoes the key gets it into no file, log or output", .timeLimit(.minutes(2)),
        arguments: ["401 Unauthorized", "500 Oops", "200 OK", "302 Found"])
    func echoes(_ status: String) async throws {
        let server = try RogueServer { Self.echo(status, $0) }
        defer { server.close() }
        try await Site.with(SiteSettings(endpoint: server.endpoint)) { site in
            try await site.start()
            try Data("a picture".utf8).write(to: site.drop.appending(path: "a.png"))
            try site.drop("rows.json", #"[{"row_data":"a.png"},{"row_data":"https://example.com/1.jpg"}]"#)
            try await eventually(within: .seconds(60), "a request has failed") {
                try site.expectDaemonRuns()
                return server.connectionCount >= 1 && site.logged().contains("HTTP") ? () : nil
            }
            #expect(server.headers.contains { $0.contains(Simulator.key) }, "the key was never sent")
            let pid = try #require(site.daemon).pid
            let line = try Data(contentsOf: URL(filePath: "/proc/\(pid)/cmdline"))
            #expect(line.range(of: Data(Simulator.key.utf8)) == nil)
            // A signed-off run has written its last status too.
            try await HostileProducerTests.expectNoTricks(site, manifests: ["rows.json"])
            for call in [
                ["status"], ["status", "rows.json"], ["status", "--json"], ["explain"], ["config", "show"],
                ["config", "check"],
            ] {
                let verb = call[0] == "config" ? Array(call.prefix(2)) : Array(call.prefix(1))
                let said = try await output(
                    of: Programs.control.path,
                    verb + ["--config", site.configuration.path] + call.dropFirst(verb.count))
                #expect(!said.text.contains(Simulator.key), "\(call) says \(said.text)")
            }
            try await site.stop()
            let key = String(Simulator.key.dropLast(4))
            let told = try Secrecy.files(in: site.root, with: key).filter { $0 != site.keyFile.path }
            #expect(told.allSatisfy { $0.hasSuffix("labelbox-sim.log") }, "the key, or most of it, is in \(told)")
        }
    }

    @Test("an answer that unfolds without end is given up", .timeLimit(.minutes(2)))
    func answerBomb() async throws {
        let folder = FileManager.default.temporaryDirectory
        let file = folder.appending(path: "datarowd-bomb-\(UUID().uuidString).gz")
        defer { try? FileManager.default.removeItem(at: file) }
        _ = try await output(of: "/bin/sh", ["-c", "head -c 500000000 /dev/zero | gzip -9 > \(file.path)"])
        let bomb = [UInt8](try Data(contentsOf: file))
        let server = try RogueServer { _ in RogueServer.answer("200 OK", bomb, ["Content-Encoding: gzip"]) }
        defer { server.close() }
        try await Site.with(SiteSettings(endpoint: server.endpoint)) { site in
            try await site.start()
            try site.drop("rows.json", #"[{"row_data":"https://example.com/1.jpg"}]"#)
            try await eventually(within: .seconds(60), "a request has failed") {
                try site.expectDaemonRuns()
                return server.connectionCount >= 1 && site.logged().contains("127.0.0.1:\(server.port)")
                    || site.logged().contains("JSON") ? () : nil
            }
            let memory = try String(contentsOfFile: "/proc/\(try #require(site.daemon).pid)/status", encoding: .utf8)
            let peak = memory.firstMatch(of: /VmHWM:\s+(\d+) kB/).flatMap { Int($0.1) } ?? .max
            #expect(peak < 250_000, "\(peak) kB")
        }
    }

    @Test("nobody but root can look into the process, and no crash leaves its memory", .timeLimit(.minutes(1)))
    func process() async throws {
        var settings = SiteSettings(environment: ["LABELBOX_API_KEY": Simulator.key])
        let isRoot = getuid() == 0
        let nobody: uid_t = 65_534
        if isRoot {
            settings.wrapper = [
                "/usr/bin/setpriv", "--reuid=\(nobody)", "--regid=\(nobody)", "--clear-groups", "--pdeathsig", "KILL",
            ]
        }
        try await Site.with(settings) { site in
            if isRoot {
                try FileManager.default.createDirectory(at: site.state, withIntermediateDirectories: true)
                for place in [site.drop, site.state, site.keyFile] { chown(place.path, nobody, nobody) }
                for place in [site.root] { chmod(place.path, 0o755) }
                chmod(site.configuration.path, 0o644)
            }
            try await site.start()
            let pid = try #require(site.daemon).pid
            var status = stat()
            #expect(stat("/proc/\(pid)/environ", &status) == 0)
            #expect(status.st_uid == 0, "its user may read its environment")
            let limits = try String(contentsOfFile: "/proc/\(pid)/limits", encoding: .utf8)
            #expect(limits.contains(#/Max core file size +0 +0 /#), "\(limits)")
            if isRoot {
                let peek = try await output(
                    of: "/usr/bin/setpriv",
                    ["--reuid=\(nobody)", "--regid=\(nobody)", "--clear-groups", "/bin/cat", "/proc/\(pid)/environ"])
                #expect(peek.ending != .exited(0) && !peek.text.contains(Simulator.key))
            }
            // It works all the same, with files that it opens by /proc/self/fd.
            try Data("a picture".utf8).write(to: site.drop.appending(path: "a.png"))
            chmod(site.drop.appending(path: "a.png").path, 0o644)
            try site.drop("rows.json", #"[{"row_data":"a.png"}]"#)
            chmod(site.drop.appending(path: "rows.json").path, 0o644)
            let ended = try await site.ended("rows.json")
            #expect(ended["rows"]["created"].int == 1, "\(ended)")
        }
    }

    @Test(
        "whatever the umask, others cannot read what is written", .timeLimit(.minutes(2)), arguments: ["0000", "0077"])
    func modes(_ umask: String) async throws {
        let wrapper = ["/bin/sh", "-c", "umask \(umask); exec \"$0\" \"$@\""]
        try await Site.with(SiteSettings(watch: ["media_grace: 1m"], wrapper: wrapper)) { site in
            try await site.start()
            try site.drop("rows.json", #"[{"row_data":"https://example.com/1.jpg"},{"row_data":7}]"#)
            try site.drop("zipped.json", "[nothing")
            try Data("a picture".utf8).write(to: site.drop.appending(path: "loose.png"))
            try await site.ended("rows.json")
            try await eventually(within: .seconds(60), "loose media is imported") {
                try await site.simulator.rows().count == 2 ? () : nil
            }
            let walk = try #require(FileManager.default.enumerator(atPath: site.state.path))
            var seen = 0
            for case let name as String in walk {
                // What was dropped keeps the mode that its owner gave it; the folders above it are closed.
                if name.hasPrefix("archive/"), !name.hasSuffix("/"),
                    walk.fileAttributes?[.type] as? FileAttributeType == .typeRegular
                {
                    continue
                }
                if name.hasPrefix("failed/"), name.hasSuffix(".json") { continue }
                let mode = (walk.fileAttributes?[.posixPermissions] as? Int) ?? 0o777
                // The group may put requests, and ring for them.
                let isForGroup = name == "requests" || name == "requests/bell"
                #expect(mode & (isForGroup ? 0o007 : 0o027) == 0, "\(name) has mode \(String(mode, radix: 8))")
                seen += 1
            }
            #expect(seen > 10)
            var status = stat()
            #expect(stat(site.state.path, &status) == 0 && status.st_mode & 0o027 == 0, "the state folder itself")
        }
    }
}
