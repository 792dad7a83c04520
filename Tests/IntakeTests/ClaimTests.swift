import DataRows
import Files
import Foundation
import Glibc
import Intake
import SystemPackage
import TestSupport
import Testing

@Suite("Claim", .timeLimit(.minutes(1)))
struct ClaimTests {
    @Test("renames the manifest into the daemon's folder, durably, and can be read back from the disk")
    func renames() async throws {
        let bench = try Bench()
        try bench.watch.write("[1]", to: "batch7/rows.json")
        let folder = try await bench.started()
        let batch = try await bench.batch(of: folder)
        let before = bench.syncCount()
        let claim = try #require(await folder.claim(batch, ids: [ImportID(rawValue: "a1")]).first).get()
        #expect(claim.relativePath == "batch7/rows.json")
        #expect(claim.size == 3)
        #expect(try text(of: claim.path) == "[1]")
        #expect(try bench.watch.files() == [".datarowd/claimed/a1.batch7%2Frows.json", ".datarowd/lock"])
        #expect(Array(folder.claims()) == [claim])
        // The file, the folder that it left and the one that it came to.
        #expect(bench.syncCount() - before == 3)
    }

    @Test("of ten thousand manifests costs one sync")
    func many() async throws {
        let bench = try Bench { $0.settle = .zero }
        for number in 0..<100 { try bench.watch.makeFolder(FilePath("d\(number)")) }
        for number in 0..<10_000 {
            let path = "\(bench.watch.path)/d\(number % 100)/\(number).json"
            close(open(path, O_WRONLY | O_CREAT, 0o644))
        }
        let folder = try await bench.started()
        var files: [ReadyFile] = []
        while files.count < 10_000 { files += try await folder.nextBatch(limit: 10_000) }
        let before = bench.syncCount()
        let claims = try await bench.claim(folder, files).map { try $0.get() }
        #expect(claims.count == 10_000)
        #expect(bench.syncCount() - before == 1)
        #expect(folder.claims().lazy.filter { !$0.isCopy }.reduce(0) { count, _ in count + 1 } == 10_000)
        let put = claims.map {
            PutAway(from: $0.path, to: bench.state.path.appending("done").appending("\($0.importID)"))
        }
        for result in await folder.putAway(put) { try result.get() }
        // The folder that was made, and one each for where they were and where they are.
        #expect(bench.syncCount() - before <= 4)
    }

    @Test("a manifest that changed since is not taken and settles again")
    func changed() async throws {
        let bench = try Bench { $0.poll = true }
        try bench.watch.write("[]", to: "rows.json")
        let folder = try await bench.started()
        let batch = try await bench.batch(of: folder)
        try bench.watch.write("[1,2", to: "rows.json")
        let results = await bench.claim(folder, batch)
        let error = #expect(throws: IntakeError.self) { try results[0].get() }
        #expect(error?.code == .changed)
        let waiting = await folder.settlingFiles().files
        #expect(waiting.map(\.reason) == ["it changed while it was read (1 time)"])
        // Its age is what people are woken by: a file that cannot be taken must not begin anew with each try.
        #expect(waiting.map(\.since) == [Bench.today.addingTimeInterval(-2)])
        #expect(try bench.watch.files() == [".datarowd/lock", "rows.json"])
    }

    @Test("a manifest that somebody opened for writing since is not taken")
    func opened() async throws {
        let bench = try Bench()
        let path = try bench.watch.write("[]", to: "rows.json")
        let folder = try await bench.started()
        let batch = try await bench.batch(of: folder)
        let writer = try FileDescriptor.open(path, .writeOnly, options: .append)
        let results = await bench.claim(folder, batch)
        try writer.close()
        #expect(throws: IntakeError.self) { try results[0].get() }
        #expect(try text(of: path) == "[]")
    }

    @Test("what vanished, or is another file or a link by now, is not taken, and the others are")
    func others() async throws {
        let bench = try Bench()
        for name in ["a.json", "b.json", "c.json", "sub/d.json", "e.json"] {
            try bench.watch.write("[]", to: FilePath(name))
        }
        let elsewhere = try TemporaryFolder()
        try elsewhere.write("[]", to: "d.json")
        let folder = try await bench.started()
        let batch = try await bench.batch(of: folder).sorted { $0.relativePath.string < $1.relativePath.string }
        #expect(unlink(bench.watch.path.appending("a.json").string) == 0)
        #expect(unlink(bench.watch.path.appending("b.json").string) == 0)
        try bench.watch.link("b.json", to: elsewhere.path.appending("d.json"))
        try bench.watch.write("[]", to: "x.json")
        try bench.watch.rename("x.json", "c.json")
        try bench.watch.rename("sub", "away")
        try bench.watch.link("sub", to: elsewhere.path)
        var codes: [String: IntakeError.Code?] = [:]
        for (file, result) in zip(batch, await bench.claim(folder, batch)) {
            switch result {
            case .success: codes[file.relativePath.string] = .some(nil)
            case .failure(let error): codes[file.relativePath.string] = error.code
            }
        }
        #expect(codes["a.json"] == .vanished)
        #expect(codes["b.json"] == .notRegular)
        #expect(codes["c.json"] == .changed)
        #expect(codes["sub/d.json"] == .failed)
        #expect(codes["e.json"] == .some(nil))
        #expect(try elsewhere.files() == ["d.json"])
    }

    @Test("copies the manifest into the state folder when dropped files are kept, and only once")
    func keeps() async throws {
        let bench = try Bench {
            $0.afterImport = .keep
            $0.poll = true
        }
        try bench.watch.write("[1]", to: "sub/rows.json")
        let folder = try await bench.started()
        let batch = try await bench.batch(of: folder)
        let claim = try #require(await bench.claim(folder, batch).first).get()
        #expect(claim.isCopy)
        #expect(claim.path.starts(with: bench.state.path))
        #expect(try text(of: claim.path) == "[1]")
        #expect(try text(of: bench.watch.path.appending("sub").appending("rows.json")) == "[1]")
        #expect(Array(folder.claims()).map(\.relativePath) == ["sub/rows.json"])
        bench.clock.advance(by: .seconds(60))
        try await bench.look(folder)
        #expect(await folder.settlingFiles().count == 0)
    }

    @Test("copies out of a folder that takes no writes")
    func readOnly() async throws {
        // Nobody, root included, can make a folder in sysfs.
        let bench = try Bench {
            $0.path = "/sys/kernel"
            $0.recursive = false
            $0.poll = true
            $0.manifests = [Glob("uevent_seqnum")]
            $0.looseMedia = .ignore
        }
        let folder = try await bench.started()
        let batch = try await bench.batch(of: folder)
        #expect(batch.map(\.relativePath) == ["uevent_seqnum"])
        let claim = try #require(await bench.claim(folder, batch).first).get()
        #expect(claim.isCopy)
        #expect(try text(of: claim.path).isEmpty == false)
        #expect(try bench.state.files().contains("locks/cats.lock"))
    }

    @Test("what a crash left is found at the next start, swept of what was in the making")
    func crash() async throws {
        let bench = try Bench()
        let long = String(repeating: "n", count: 240)
        for name in ["rows.json", "a%b/c d.json", "deep/\(long)/rows.json"] {
            try bench.watch.write(name, to: FilePath(name))
        }
        let first = try await bench.started()
        let batch = try await bench.batch(of: first)
        for result in await bench.claim(first, batch) { _ = try result.get() }
        try bench.watch.write("half", to: ".datarowd/claimed/.12ab.datarowd-tmp")
        try bench.watch.makeFolder(".datarowd/claimed/empty")
        await first.close()

        let second = try await bench.started()
        let found = Array(second.claims())
        #expect(Set(found.map(\.relativePath.string)) == ["rows.json", "a%b/c d.json", "deep/\(long)/rows.json"])
        for claim in found { #expect(try text(of: claim.path) == claim.relativePath.string) }
        #expect(try !bench.watch.files().contains { $0.contains("12ab") })
        // A claim with folders of its own leaves none behind.
        let nested = try #require(found.first { $0.relativePath.string.hasPrefix("deep") })
        let to = try second.destination(for: nested.relativePath, on: .archive)
        try (await second.putAway([PutAway(from: nested.path, to: to)]))[0].get()
        #expect(try !FileLook.exists(bench.watch.path.appending(".datarowd/claimed").appending("\(nested.importID)")))
    }

    @Test("works although somebody removed the daemon's folder")
    func removedFolder() async throws {
        let bench = try Bench()
        try bench.watch.write("[]", to: "rows.json")
        let folder = try await bench.started()
        let batch = try await bench.batch(of: folder)
        #expect(rmdir(bench.watch.path.appending(".datarowd").appending("claimed").string) == 0)
        let claim = try #require(await bench.claim(folder, batch).first).get()
        #expect(try text(of: claim.path) == "[]")
    }

    @Test("leaves out loose media that was put away or changed since it was found")
    func looseAndGone() async throws {
        let bench = try Bench { $0.mediaGrace = .zero }
        for name in ["gone.jpg", "changed.jpg", "same.jpg"] { try bench.watch.write("x", to: FilePath(name)) }
        let folder = try await bench.started()
        let batch = try await bench.batch(of: folder)
        #expect(batch.count == 3)
        #expect(unlink(bench.watch.path.appending("gone.jpg").string) == 0)
        try bench.watch.write("longer", to: "changed.jpg")
        #expect(await folder.confirmed(batch).map(\.relativePath) == ["same.jpg"])
    }

    @Test("of loose media is a manifest with a row for each file that JSON can name")
    func loose() async throws {
        let bench = try Bench { $0.mediaGrace = .zero }
        try bench.watch.write("x", to: "sub/photo \"1\"\n\\ä.jpg")
        try bench.watch.write("x", to: "b.png")
        let bad = FilePath(bytes: [0xFF] + Array(".jpg".utf8))
        try AtomicFile.write([1], to: bench.watch.path.appending(bad.components), durable: false)
        let folder = try await bench.started()
        let batch = try await bench.batch(of: folder)
        #expect(batch.map(\.role) == [.looseMedia, .looseMedia, .looseMedia])
        let loose = try await folder.claimLoose(batch, id: ImportID(rawValue: "L1"))
        #expect(loose.claim.relativePath == "loose-20261121T030000Z-L1.ndjson")
        #expect(loose.problems.map(\.path) == [bad])
        #expect(loose.files.count == 2)
        let rows = try text(of: loose.claim.path).split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String])
        }
        #expect(Set(rows.map { $0["external_id"] }) == ["sub/photo \"1\"\n\\ä.jpg", "b.png"])
        // With a line break in it, it would be a text; so it is written as a URL.
        #expect(Set(rows.map { $0["row_data"] }) == ["file:./sub/photo%20%221%22%0a%5cä.jpg", "./b.png"])
        #expect(Array(folder.claims()) == [loose.claim])
        for row in rows {
            let resolution = await folder.resolveMedia(
                path: row["row_data"] ?? "", manifestRelativePath: loose.claim.relativePath)
            guard case .ready = resolution else { throw Unexpected() }
        }
        let error = await #expect(throws: IntakeError.self) {
            try await folder.claimLoose(batch.filter { $0.relativePath == bad }, id: ImportID(rawValue: "L2"))
        }
        #expect(error?.code == .failed)
        #expect(Array(folder.claims()).count == 1)
    }
}
