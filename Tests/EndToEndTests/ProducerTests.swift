import Foundation
import Glibc
import Testing

/// Whatever way files come into the folder, they are taken whole, once, and nothing else is.
@Suite("Files come in by every way there is", .serialized)
struct ProducerTests {
    /// A way to put a file in: a script for the shell.
    struct Producer: Sendable, CustomStringConvertible {
        var description: String
        /// Runs in the drop folder; `$1` is the finished manifest, elsewhere, and `$2` the name to give it.
        var script: String
    }

    private static let producers = [
        Producer(description: "cp", script: #"cp "$1" "$2""#),
        Producer(description: "install", script: #"install -m 0644 "$1" "$2""#),
        Producer(description: "mv within the file system", script: #"cp "$1" ../moved-in && mv ../moved-in "$2""#),
        Producer(
            description: "mv from another file system", script: #"cp "$1" /dev/shm/$$.in && mv /dev/shm/$$.in "$2""#),
        Producer(
            description: "a temporary name with a dot, as rsync does it",
            script: #"cp "$1" ".$2.Xa81Zq" && sleep 0.4 && mv ".$2.Xa81Zq" "$2""#),
        Producer(
            description: "a temporary name that ends in .part",
            script: #"cp "$1" "$2.part" && sleep 0.4 && mv "$2.part" "$2""#),
        Producer(
            description: "appending with pauses, closed each time",
            script:
                #"split -n 3 "$1" ../piece. && for p in ../piece.*; do cat "$p" >>"$2"; sleep 0.03; done; rm ../piece.*"#
        ),
        Producer(
            description: "one writer with long pauses",
            script: #"exec 3>"$2"; head -c 40 "$1" >&3; sleep 1; tail -c +41 "$1" >&3; exec 3>&-"#),
        Producer(
            description: "garbage first, then a rewrite in place", script: #"printf '[{"row_data"' >"$2"; cp "$1" "$2""#
        ),
        Producer(
            description: "a size that is set before the content comes",
            script: #"exec 3<>"$2"; truncate -s "$(stat -c %s "$1")" "$2"; sleep 0.5; cat "$1" >&3; exec 3>&-"#),
        Producer(
            description: "preallocated blocks",
            script:
                #"exec 3<>"$2"; fallocate -l 65536 "$2"; sleep 0.3; cat "$1" >&3; truncate -s "$(stat -c %s "$1")" "$2"; exec 3>&-"#
        ),
        Producer(description: "a hard link", script: #"cp "$1" ../linked && ln ../linked "$2""#),
        Producer(
            description: "a rename over an older one that is still settling",
            script:
                #"printf '[{"row_data": "https://example.com/older.jpg"' >"$2"; cp "$1" ../newer && mv ../newer "$2""#),
        Producer(
            description: "a folder that is moved in with it",
            script: #"mkdir -p ../new-folder/a/b && cp "$1" "../new-folder/a/b/$2" && mv ../new-folder new-folder"#),
        Producer(
            description: "a folder that is made deep and at once",
            script: #"mkdir -p d/e/e/p && cp "$1" "d/e/e/p/$2""#),
        Producer(
            description: "dd with a sync for each block", script: #"dd if="$1" of="$2" bs=64 oflag=sync status=none"#),
        Producer(
            description: "a modification time of long ago", script: #"cp "$1" "$2" && touch -d 1999-12-31 "$2""#),
        Producer(
            description: "a modification time that is yet to come", script: #"cp "$1" "$2" && touch -d 2061-01-01 "$2""#
        ),
    ]

    @Test("each way of producing a file leads to its rows, each once", .timeLimit(.minutes(3)))
    func ways() async throws {
        try await Site.with { site in
            try await site.start()
            var scripts: [Child] = []
            for (index, producer) in Self.producers.enumerated() {
                let source = site.root.appending(path: "source-\(index)")
                let rows = (0..<5).map {
                    #"{"row_data": "https://example.com/\#(index)/\#($0).jpg", "external_id": "\#(producer) \#($0)"}"#
                }
                try Data("[\(rows.joined(separator: ",\n"))]\n".utf8).write(to: source)
                // One after the other where they share a name outside; those take no time.
                let child = try Child(
                    URL(filePath: "/bin/bash"),
                    ["-ec", "cd \"$0\"; \(producer.script)", site.drop.path, source.path, "way-\(index).json"],
                    output: site.root.appending(path: "producers.log"))
                scripts.append(child)
            }
            for (producer, script) in zip(Self.producers, scripts) {
                #expect(try await script.ended(within: .seconds(30)) == .exited(0), "\(producer)")
            }
            try await eventually(within: .seconds(60), "every row is there") {
                try site.expectDaemonRuns()
                return try await site.simulator.rows().count >= Self.producers.count * 5 ? () : nil
            }
            try await eventually(within: .seconds(30), "the folder is empty") {
                try site.dropped().isEmpty ? () : nil
            }
            let names = try await site.simulator.rows().compactMap { $0["external_id"].string }
            #expect(names.sorted() == Self.producers.flatMap { way in (0..<5).map { "\(way) \($0)" } }.sorted())
        }
    }

    @Test(
        "links out of the folder, FIFOs, sockets and devices are let lie, and hold up nothing", .timeLimit(.minutes(2)))
    func strangers() async throws {
        try await Site.with { site in
            let secret = site.root.appending(path: "outside.json")
            try Data(#"[{"row_data": "https://example.com/secret.jpg"}]"#.utf8).write(to: secret)
            let drop = site.drop.path
            #expect(symlink(secret.path, drop + "/link.json") == 0)
            #expect(symlink("nowhere", drop + "/dangling.json") == 0)
            #expect(symlink("..", drop + "/up") == 0)
            #expect(symlink(".", drop + "/loop") == 0)
            #expect(mkfifo(drop + "/fifo.json", 0o644) == 0)
            #expect(mkfifo(drop + "/fifo.jpg", 0o644) == 0)
            try FileManager.default.createDirectory(
                at: site.drop.appending(path: "folder.json"), withIntermediateDirectories: true)
            let socket = try Child(
                URL(filePath: "/usr/bin/python3"),
                ["-c", "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", drop + "/socket.json"],
                output: site.root.appending(path: "producers.log"))
            #expect(try await socket.ended(within: .seconds(20)) == .exited(0))
            try await site.start()
            try site.drop("good.json", #"[{"row_data": "https://example.com/good.jpg", "external_id": "good"}]"#)
            try site.drop("names.json", #"["fifo.jpg", "link.json", "up/outside.json"]"#)

            #expect(try await site.ended("good.json")["state"].string == "complete")
            // None of its files is one that may be read.
            let status = try await site.ended("names.json")
            #expect(status["rows"]["failed"].int == 3, "\(status)")
            #expect(try await site.simulator.rows().compactMap { $0["external_id"].string } == ["good"])
            #expect(FileManager.default.fileExists(atPath: secret.path))
        }
    }

    @Test("names of any bytes are imported, and written so that no line is broken", .timeLimit(.minutes(2)))
    func names() async throws {
        try await Site.with { site in
            try await site.start()
            let names: [[UInt8]] = [
                Array("line\nbreak.json".utf8), Array("tab\tand \u{1b}[31mred.json".utf8),
                Array("日本 ünïcode.json".utf8),
                Array("-rf.json".utf8), Array("per%cent?#.json".utf8), Array("quote\"'.json".utf8),
                Array("latin-1 ".utf8) + [0xe9] + Array(".json".utf8), Array("back\\slash.json".utf8),
                Array(repeating: UInt8(ascii: "n"), count: 240) + Array(".json".utf8),
            ]
            for (index, name) in names.enumerated() {
                let outside = site.root.appending(path: "outside/\(index)")
                try Data(#"[{"row_data": "https://example.com/\#(index).jpg", "external_id": "\#(index)"}]"#.utf8)
                    .write(to: outside)
                let target = Array((site.drop.path + "/").utf8) + name + [0]
                let moved = target.withUnsafeBytes { rename(outside.path, $0.bindMemory(to: CChar.self).baseAddress) }
                #expect(moved == 0, "\(String(decoding: name, as: UTF8.self)): error \(errno)")
            }
            try await eventually(within: .seconds(60), "every row is there") {
                try site.expectDaemonRuns()
                return try await site.simulator.rows().count >= names.count ? () : nil
            }
            let found = try await site.simulator.rows().compactMap { $0["external_id"].string }
            #expect(found.sorted() == names.indices.map(String.init).sorted())
            // Counted by a program, since not every name is one that Swift can read.
            try await eventually(within: .seconds(30), "all are put away") {
                let archive = site.state.appending(path: "archive").path
                let found = try await output(of: "/usr/bin/find", [archive, "-type", "f", "-printf", "x"])
                return found.text.count == names.count ? () : nil
            }
            #expect(!site.logged().contains("\u{1b}"), "an escape sequence from a file's name is in the log")
        }
    }

    @Test("a folder that is taken away and made again is watched again", .timeLimit(.minutes(2)))
    func folderComesBack() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop("before.json", #"[{"row_data": "https://example.com/1.jpg", "external_id": "before"}]"#)
            try await site.ended("before.json")
            let away = site.root.appending(path: "taken away")
            #expect(rename(site.drop.path, away.path) == 0)
            try await eventually(within: .seconds(30), "the daemon misses its folder") {
                try site.daemonStatus()?["state"].string == "degraded" ? () : nil
            }
            try FileManager.default.createDirectory(at: site.drop, withIntermediateDirectories: true)
            try site.drop("after.json", #"[{"row_data": "https://example.com/2.jpg", "external_id": "after"}]"#)
            #expect(try await site.ended("after.json")["state"].string == "complete")
            try await eventually(within: .seconds(30), "all is well again") {
                try site.daemonStatus()?["state"].string == "running" ? () : nil
            }
            let names = try await site.simulator.rows().compactMap { $0["external_id"].string }
            #expect(names.sorted() == ["after", "before"])
        }
    }
}
