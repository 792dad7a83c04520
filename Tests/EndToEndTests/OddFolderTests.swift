import Foundation
import Glibc
import Testing

/// What may become of a drop folder, and of what lies in it, besides files that come and stay.
@Suite("Odd folders", .serialized)
struct OddFolderTests {
    private static func manifest(_ name: String) -> String {
        #"[{"row_data": "https://example.com/\#(name).jpg", "external_id": "\#(name)"}]"#
    }

    /// A way to put files in: a script for bash that runs in the drop folder.
    struct Producer: Sendable, CustomStringConvertible {
        var description: String
        /// `$1` is the finished file, elsewhere; `$2` the name to give it.
        var script: String
    }

    private static let producers = [
        Producer(description: "rsync", script: #"rsync -a "$1" "$2""#),
        Producer(description: "rsync, slowly", script: #"rsync -a --bwlimit=200 "$1" "$2""#),
        Producer(
            description: "rsync in place",
            script: #"head -c 70000 "$1" >"$2"; rsync -a --inplace --bwlimit=200 "$1" "$2""#),
        Producer(
            description: "rsync that goes on", script: #"head -c 70000 "$1" >"$2"; rsync -a --append-verify "$1" "$2""#),
        Producer(
            description: "rsync by a partial folder",
            script: #"rsync -a --partial-dir=.partial --delay-updates "$1" "$2""#),
        Producer(description: "scp", script: #"scp -q "$1" "$2""#),
        Producer(
            description: "blocks of the final size before the content",
            script:
                #"exec 3<>"$2"; fallocate -l "$(stat -c %s "$1")" "$2"; sleep 0.7; head -c 50000 "$1" >&3; sleep 0.7; tail -c +50001 "$1" >&3; exec 3>&-"#
        ),
        Producer(
            description: "appending, always open, with pauses",
            script:
                #"exec 3>>"$2"; split -n 4 "$1" "../$2."; for p in "../$2."*; do cat "$p" >&3; sleep 0.3; done; exec 3>&-; rm "../$2."*"#
        ),
        Producer(description: "cp of holes", script: #"cp --sparse=always "$1" "$2""#),
        Producer(description: "a copy by reference", script: #"cp --reflink=auto "$1" ../"r$2"; ln ../"r$2" "$2""#),
        Producer(
            description: "unpacking",
            script: #"cp "$1" ../"t$2"; tar -C .. -cf - "t$2" | tar -xf - --transform "s/^t//""#),
    ]

    /// 100,000 bytes that differ from file to file, half of them zero in a row.
    private static func content(_ index: Int) -> Data {
        Data((0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index) }) + Data(count: 49_000)
            + Data((0..<1_000).map { UInt8(truncatingIfNeeded: $0 &+ index) })
    }

    @Test("media and manifests by rsync, scp and the like arrive as they were sent, each once", .timeLimit(.minutes(3)))
    func ways() async throws {
        try await Site.with(SiteSettings(watch: ["media_grace: 1h"], isFast: false)) { site in
            try await site.start()
            var scripts: [Child] = []
            for (index, producer) in Self.producers.enumerated() {
                let media = site.root.appending(path: "media-\(index)")
                let manifest = site.root.appending(path: "manifest-\(index)")
                try Self.content(index).write(to: media)
                // So long that it takes several writes as well.
                let filler = String(repeating: " ", count: 80_000)
                try Data(#"["way-\#(index).png",\#(filler){"row_data": "https://example.com/\#(index).jpg"}]"#.utf8)
                    .write(to: manifest)
                // Side by side: a manifest may be there before its media is.
                for (source, name) in [(media, "way-\(index).png"), (manifest, "way-\(index).json")] {
                    scripts.append(
                        try Child(
                            URL(filePath: "/bin/bash"),
                            ["-ec", "cd \"$0\"; \(producer.script)", site.drop.path, source.path, name],
                            output: site.root.appending(path: "producers.log")))
                }
            }
            for script in scripts {
                let log = site.root.appending(path: "producers.log")
                #expect(
                    try await script.ended(within: .seconds(30)) == .exited(0),
                    "\(String(decoding: (try? Data(contentsOf: log)) ?? Data(), as: UTF8.self))")
            }
            for (index, producer) in Self.producers.enumerated() {
                let status = try await site.ended("way-\(index).json")
                #expect(status["rows"]["created"].int == 2, "\(producer): \(status)")
            }
            let rows = try await site.simulator.rows()
            #expect(rows.count == 2 * Self.producers.count)
            for (index, producer) in Self.producers.enumerated() {
                let row = try #require(rows.first { $0["external_id"].string == "way-\(index).png" })
                let sent = try await site.simulator.file(row["row_data"].string ?? "")
                #expect(sent == Self.content(index), "\(producer): \(sent.count) bytes")
            }
            try await eventually(within: .seconds(30), "the folder is empty") { try site.dropped().isEmpty ? () : nil }
        }
    }

    @Test("media that is written over and over while it is read is sent as it is in the end", .timeLimit(.minutes(2)))
    func rewritten() async throws {
        try await Site.with(SiteSettings(watch: ["settle: 50ms"], isFast: false)) { site in
            try await site.start()
            let media = site.drop.appending(path: "big.png")
            // The same size each time, and open for moments only: nothing but its times tells that it changes.
            func content(_ version: Int) -> Data { Data(repeating: UInt8(version), count: 8 << 20) }
            try content(0).write(to: media)
            try site.drop("big.json", #"["big.png"]"#)
            for version in 1...15 {
                let file = try FileHandle(forUpdating: media)
                for piece in 0..<8 {
                    try file.seek(toOffset: UInt64(piece << 20))
                    try file.write(contentsOf: content(version).prefix(1 << 20))
                }
                try file.close()
                usleep(useconds_t(20_000 * (version % 4)))
            }
            let status = try await site.ended("big.json", within: .seconds(90))
            #expect(status["rows"]["created"].int == 1, "\(status)")
            let rows = try await site.simulator.rows()
            #expect(rows.count == 1)
            #expect(try await site.simulator.file(rows[0]["row_data"].string ?? "") == content(15))
        }
    }

    @Test("media that is announced is waited for, though its size is final from the start", .timeLimit(.minutes(2)))
    func announced() async throws {
        try await Site.with(SiteSettings(isFast: false)) { site in
            try await site.start()
            let content = Self.content(7)
            let source = site.root.appending(path: "content")
            try content.write(to: source)
            let digest = try await output(of: "/usr/bin/sha256sum", [source.path])
            let media = site.drop.appending(path: "later.png")
            #expect(FileManager.default.createFile(atPath: media.path, contents: nil))
            #expect(truncate(media.path, content.count) == 0)
            try site.drop(
                "announced.json",
                #"{"files": {"later.png": {"bytes": \#(content.count), "sha256": "\#(digest.text.prefix(64))"}}, "rows": ["later.png"]}"#
            )
            let waiting = try await site.status(of: "announced.json", "waits for it") {
                $0["state"].string == "waiting_for_media" && !$0["media"]["missing"].list.isEmpty
            }
            #expect(waiting["state_reason"].string?.isEmpty == false)
            let file = try FileHandle(forWritingTo: media)
            try file.write(contentsOf: content)
            try file.close()
            #expect(try await site.ended("announced.json")["rows"]["created"].int == 1)
            let row = try #require(try await site.simulator.rows().first)
            #expect(try await site.simulator.file(row["row_data"].string ?? "") == content)
        }
    }

    @Test("folders that are too deep for any path are told of, and hold nothing else up", .timeLimit(.minutes(2)))
    func deep() async throws {
        try await Site.with(SiteSettings(isFast: false)) { site in
            // More levels than are looked into; a path that is longer than any that the system takes; and one that is just deep.
            #if DEBUG
                // A debug build checks each path again and again, in a time that grows with the square of its length.
                let (levels, deep) = (0, 10)
            #else
                let (levels, deep) = (20, 60)
            #endif
            let made = try await output(
                of: "/usr/bin/python3",
                [
                    "-c",
                    """
                    import os, sys
                    def dig(name, depth, step):
                        os.chdir(sys.argv[1])
                        for level in range(depth):
                            os.mkdir(name); os.chdir(name)
                            if level % step: continue
                            open('file.json', 'w').write('[{"row_data": "https://example.com/%s/%d.jpg", "external_id": "%s %d"}]'
                                                         % (name[0], level, name[0], level))
                    dig('a' * 250, \(levels), 3)
                    dig('b' * 10, \(deep), 1)
                    dig('c', 80, 1)
                    """, site.drop.path,
                ])
            #expect(made.ending == .exited(0), "\(made.text)")
            defer { _ = try? removeDeep(site.drop) }
            try await site.start()
            try site.drop("flat.json", Self.manifest("flat"))
            #expect(try await site.ended("flat.json")["state"].string == "complete")
            try await eventually(within: .seconds(60), "the operator is told") {
                let reason = try site.watchStatus()?["mode_reason"].string ?? ""
                return reason.contains("folders deep") || reason.contains("too long") ? () : nil
            }
            try await eventually(within: .seconds(60), "what has a path that can be had is imported") {
                try site.expectDaemonRuns()
                let names = try await site.names()
                return names.count { $0.hasPrefix("b ") } == deep && names.count { $0.hasPrefix("c ") } == 63
                    && names.contains("a 12") == (levels > 0) ? () : nil
            }
            let names = try await site.names()
            #expect(Set(names).count == names.count)
            #expect(!names.contains("a 18") && !names.contains("c 64"))
        }
    }

    @Test(
        "files and folders that the daemon may not read are told of, wait, and are taken when it may",
        .timeLimit(.minutes(2)))
    func unreadable() async throws {
        let nobody: uid_t = 65_534
        var settings = SiteSettings(watch: ["media_wait: 3s", "media_grace: 1s"], isFast: false)
        try #require(getuid() == 0, "it takes root to be somebody else")
        settings.wrapper = [
            "/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--pdeathsig", "KILL",
        ]
        try await Site.with(settings) { site in
            try FileManager.default.createDirectory(at: site.state, withIntermediateDirectories: true)
            for place in [site.drop, site.state, site.keyFile] { chown(place.path, nobody, nobody) }
            for place in [site.root, site.drop] { chmod(place.path, 0o755) }
            chmod(site.configuration.path, 0o644)
            try FileManager.default.createDirectory(
                at: site.drop.appending(path: "closed"), withIntermediateDirectories: true)
            try site.drop("closed/inside.json", Self.manifest("inside"))
            chmod(site.drop.appending(path: "closed/inside.json").path, 0o644)
            chmod(site.drop.appending(path: "closed").path, 0o700)
            try site.drop("manifest.json", Self.manifest("manifest"))
            try site.drop("named.png", "a picture")
            try site.drop("loose.png", "another")
            for name in ["manifest.json", "named.png", "loose.png"] {
                chmod(site.drop.appending(path: name).path, 0o600)
            }
            try await site.start()
            try site.drop(
                "names.json", #"["named.png", {"row_data": "https://example.com/1.jpg", "external_id": "good"}]"#)
            chmod(site.drop.appending(path: "names.json").path, 0o644)
            // The row says so; the others go on.
            let names = try await site.ended("names.json")
            #expect(names["rows"]["created"].int == 1 && names["rows"]["failed"].int == 1, "\(names)")
            #expect(names["errors"].list.first?["message"].string?.contains("ermission denied") == true, "\(names)")
            // The manifest is shown among what waits, with the reason, and so is the folder.
            try await eventually(within: .seconds(30), "the operator is told of the manifest and the folder") {
                guard let watch = try site.watchStatus() else { return Void?.none }
                let file = watch["settling_files"].list.first { $0["path"].string == "manifest.json" }
                return (file?["reason"].string ?? "").contains("ermission denied")
                    && (watch["mode_reason"].string ?? "").contains("closed") ? () : nil
            }
            try site.expectDaemonRuns()
            for name in ["manifest.json", "loose.png"] { chmod(site.drop.appending(path: name).path, 0o644) }
            chmod(site.drop.appending(path: "closed").path, 0o777)
            #expect(try await site.ended("manifest.json")["state"].string == "complete")
            #expect(try await site.ended("closed/inside.json")["state"].string == "complete")
            try await eventually(within: .seconds(60), "the picture is there") {
                try await site.names().contains("loose.png") ? () : nil
            }
            try await eventually(within: .seconds(30), "all is well") {
                let watch = try site.watchStatus()
                return watch?["mode"].string == "watching" ? () : nil
            }
        }
    }

    @Test(
        "a folder that is away while its files are imported is waited for, and comes back with all of them",
        .timeLimit(.minutes(2)))
    func away() async throws {
        let settings = SiteSettings(
            simulator: ["--task-delay", "2s"], watch: ["media_grace: 1s", "media_wait: 3s", "linger: 0ms"],
            isFast: false)
        try await Site.with(settings) { site in
            try await site.start()
            let away = site.root.appending(path: "away")
            // One is at Labelbox: its rows are read again when results come, its media and itself are put away afterwards.
            try site.drop("named.png", "a picture")
            try site.drop(
                "sent.json", #"["named.png", {"row_data": "https://example.com/1.jpg", "external_id": "sent"}]"#)
            try await site.status(of: "sent.json", "is at Labelbox") { !$0["tasks"].list.isEmpty }
            // Another waits for a file, and would do so for three seconds.
            try site.drop(
                "waiting.json", #"["late.png", {"row_data": "https://example.com/2.jpg", "external_id": "waiting"}]"#)
            try await site.status(of: "waiting.json", "waits") { $0["state"].string == "waiting_for_media" }
            #expect(rename(site.drop.path, away.path) == 0)
            try Data("a late picture".utf8).write(to: away.appending(path: "late.png"))
            try await eventually(within: .seconds(30), "the task has ended, and its manifest cannot be read") {
                try site.expectDaemonRuns()
                return try site.daemonStatus()?["state"].string == "degraded"
                    && site.logged().contains("cannot be read just now") ? () : nil
            }
            #expect(try site.status("sent.json")?["rows"]["failed"].int == 0)
            // Longer than anybody waits for a file in a folder that is there.
            try await Task.sleep(for: .seconds(4))
            #expect(rename(away.path, site.drop.path) == 0)
            for name in ["sent.json", "waiting.json"] {
                let status = try await site.ended(name)
                #expect(status["state"].string == "complete", "\(name): \(status)")
            }
            try await eventually(within: .seconds(60), "all is put away") {
                try site.dropped().isEmpty && site.daemonStatus()?["state"].string == "running" ? () : nil
            }
            #expect(try await site.names() == ["late.png", "named.png", "sent", "waiting"])
            #expect(site.archived().sorted() == ["late.png", "named.png", "sent.json", "waiting.json"])
        }
    }

    @Test(
        "a folder that is moved away and back, or replaced by a link, is taken for what it is now",
        .timeLimit(.minutes(2)))
    func replaced() async throws {
        try await Site.with(SiteSettings(isFast: false)) { site in
            try await site.start()
            let away = site.root.appending(path: "away")
            try site.drop("one.json", Self.manifest("one"))
            try await site.ended("one.json")
            func state(_ wanted: String) async throws {
                try await eventually(within: .seconds(30), "the daemon is \(wanted)") {
                    try site.expectDaemonRuns()
                    return try site.daemonStatus()?["state"].string == wanted ? () : nil
                }
            }
            // Away and back, with something in it that came meanwhile.
            #expect(rename(site.drop.path, away.path) == 0)
            try await state("degraded")
            try Data(Self.manifest("two").utf8).write(to: away.appending(path: "two.json"))
            #expect(rename(away.path, site.drop.path) == 0)
            try await site.ended("two.json")
            try await state("running")
            // A file in its place, and a link to nowhere.
            #expect(rename(site.drop.path, away.path) == 0)
            try Data("no folder".utf8).write(to: site.drop)
            try await state("degraded")
            #expect(unlink(site.drop.path) == 0)
            #expect(symlink("nowhere", site.drop.path) == 0)
            try await state("degraded")
            // A link to itself must not be gone round for ever.
            #expect(unlink(site.drop.path) == 0 && symlink("drop", site.drop.path) == 0)
            try await state("degraded")
            // A link to a folder is that folder.
            #expect(unlink(site.drop.path) == 0 && symlink("away", site.drop.path) == 0)
            try Data(Self.manifest("three").utf8).write(to: away.appending(path: "three.json"))
            try await site.ended("three.json")
            try await state("running")
            // And the folder again.
            #expect(unlink(site.drop.path) == 0 && rename(away.path, site.drop.path) == 0)
            try site.drop("four.json", Self.manifest("four"))
            try await site.ended("four.json")
            // Removed with all that is in it, the daemon's own things as well, and made anew.
            try FileManager.default.removeItem(at: site.drop)
            try await state("degraded")
            try FileManager.default.createDirectory(at: site.drop, withIntermediateDirectories: true)
            try site.drop("five.json", Self.manifest("five"))
            try await site.ended("five.json")
            #expect(try await site.names() == ["five", "four", "one", "three", "two"])
        }
    }
}

/// Removes what is deeper than the longest path.
private func removeDeep(_ folder: URL) throws {
    let child = try Child(URL(filePath: "/bin/rm"), ["-rf", folder.path], output: URL(filePath: "/dev/null"))
    while child.end == nil { usleep(2_000) }
}
