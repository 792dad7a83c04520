import DataRows
import Files
import Foundation
import Glibc
import Intake
import SystemPackage
import TestSupport
import Testing

@Suite("Drop folder", .timeLimit(.minutes(1)))
struct DropFolderTests {
    @Test("hands out a file that lay there before, once it was left alone")
    func settles() async throws {
        let bench = try Bench()
        try bench.watch.write("[]", to: "sub/rows.json")
        let folder = try await bench.started()
        let batch = try await bench.batch(of: folder)
        #expect(batch.map(\.relativePath) == ["sub/rows.json"])
        #expect(batch.first?.role == .manifest)
        #expect(batch.first?.firstSeen == Bench.today.addingTimeInterval(-2))
    }

    @Test("hands out a file that was moved in at once")
    func movedIn() async throws {
        let bench = try Bench()
        let folder = try await bench.started()
        let batch = Task { try await folder.nextBatch(limit: 10) }
        await bench.clock.sleepers(1)
        try bench.watch.write("[]", to: ".rows.json.part")
        try bench.watch.rename(".rows.json.part", "rows.json")
        #expect(try await batch.value.map(\.relativePath) == ["rows.json"])
    }

    @Test("what came whole and was written anew before its turn settles like any other")
    func movedInAndWrittenAnew() async throws {
        let bench = try Bench()
        let hints = ToldHints()
        let folder = bench.folder(hearing: hints)
        try await folder.start()
        try await bench.look(folder)
        for name in ["a.json", "b.json"] {
            try bench.watch.write("[]", to: ".part")
            try bench.watch.rename(".part", FilePath(name))
            hints.tell(.movedIn(FilePath(name)))
        }
        // There is room for one; the other was heard of, and waits.
        #expect(try await folder.nextBatch(limit: 1).map(\.relativePath) == ["a.json"])
        try bench.watch.write("[1", to: "b.json")
        hints.tell(.closed("b.json"))
        try await bench.look(folder)
        try bench.watch.write("[1]", to: "b.json")
        hints.tell(.closed("b.json"))
        let batch = try await bench.batch(of: folder)
        #expect(batch.map(\.relativePath) == ["b.json"])
        #expect(batch.first?.identity.size == 3)
    }

    @Test("finds every file of trees that grow while they are found, each once, by events alone")
    func racing() async throws {
        let bench = try Bench {
            $0.settle = .milliseconds(20)
            $0.rescan = .seconds(3_600)
        }
        let folder = try await bench.started(on: ContinuousClock())
        let writer = Task.detached {
            for number in 0..<100 {
                try bench.watch.write("[\(number)]", to: FilePath("d\(number % 10)/e\(number % 7)/f/\(number).json"))
                try bench.watch.write("[]", to: ".part")
                try bench.watch.rename(".part", FilePath("d\(number % 10)/moved\(number).json"))
            }
        }
        let files = try await collect(folder, 200)
        try await writer.value
        #expect(Set(files.map(\.relativePath)).count == 200)
        #expect(files.count == 200)
        await folder.close()
    }

    @Test("finds the files of a tree that was moved in whole")
    func movedTree() async throws {
        let bench = try Bench {
            $0.settle = .milliseconds(20)
            $0.rescan = .seconds(3_600)
        }
        let elsewhere = try TemporaryFolder()
        for number in 0..<20 { try elsewhere.write("[]", to: FilePath("tree/a/b\(number)/rows.json")) }
        let folder = try await bench.started(on: ContinuousClock())
        try bench.watch.write("[]", to: "first.json")
        _ = try await collect(folder, 1)
        #expect(await folder.watchState() == .watching)
        #expect(rename(elsewhere.path.appending("tree").string, bench.watch.path.appending("tree").string) == 0)
        #expect(try await collect(folder, 20).count == 20)
    }

    @Test("finds everything when more happens than it can keep in mind")
    func overflow() async throws {
        let bench = try Bench {
            $0.settle = .milliseconds(20)
            $0.rescan = .seconds(3_600)
        }
        var limits = DropFolderLimits()
        limits.hints = 8
        limits.settling = 50
        limits.looksAtOnce = 30
        let folder = try await bench.started(on: ContinuousClock(), limits: limits)
        try bench.watch.write("[]", to: "first.json")
        _ = try await collect(folder, 1)
        for number in 0..<500 { try bench.watch.write("[]", to: FilePath("\(number).json")) }
        let files = try await collect(folder, 500)
        #expect(Set(files.map(\.relativePath)).count == 500)
        #expect(await folder.watchStatistics().overflows > 0)
    }

    @Test("without a single event finds everything at the next look")
    func noEvents() async throws {
        let bench = try Bench { $0.poll = true }
        let folder = try await bench.started()
        #expect(await folder.watchState() == .polling("'poll' is on"))
        try await bench.look(folder)
        try bench.watch.write("[]", to: "a/rows.json")
        try bench.watch.write("[]", to: ".part")
        try bench.watch.rename(".part", "moved.json")
        // One look finds them, a second one finds them unchanged.
        bench.clock.advance(by: bench.settings.rescan)
        let batch = try await bench.batch(of: folder)
        #expect(Set(batch.map(\.relativePath)) == ["a/rows.json", "moved.json"])
        #expect(await folder.watchStatistics().hints == 0)
    }

    @Test("takes more files than it can track, some at a time")
    func small() async throws {
        let bench = try Bench()
        for number in 0..<100 { try bench.watch.write("[]", to: FilePath("\(number).json")) }
        var limits = DropFolderLimits()
        limits.settling = 30
        let folder = try await bench.started(limits: limits)
        var files: Set<FilePath> = []
        while files.count < 100 { files.formUnion(try await bench.batch(of: folder).map(\.relativePath)) }
        #expect(files.count == 100)
    }

    @Test("ignores what its rules say, links, FIFOs, and folders of that name")
    func ignores() async throws {
        let bench = try Bench()
        try bench.watch.write("[]", to: "rows.json")
        try bench.watch.write("[]", to: "rows.json.part")
        try bench.watch.write("[]", to: ".git/config.json")
        try bench.watch.link("link.json", to: "rows.json")
        try bench.watch.makeFolder("folder.json")
        #expect(mkfifo(bench.watch.path.appending("fifo.json").string, 0o600) == 0)
        let folder = try await bench.started()
        #expect(try await bench.batch(of: folder).map(\.relativePath) == ["rows.json"])
    }

    @Test("keeps back a file that somebody has open for writing, says so, and takes it afterwards")
    func openWriter() async throws {
        let bench = try Bench { $0.poll = true }
        let path = try bench.watch.write("[1", to: "rows.json")
        let writer = try FileDescriptor.open(path, .writeOnly, options: .append)
        let folder = try await bench.started()
        try await bench.look(folder)
        bench.clock.advance(by: .seconds(2))
        try await bench.look(folder)
        let waiting = await folder.settlingFiles()
        #expect(waiting.count == 1)
        #expect(waiting.files.first?.reason == "a process has it open for writing")
        #expect(waiting.files.first?.until == Bench.today.addingTimeInterval(2))
        _ = try writer.writeAll(Array("]".utf8))
        try writer.close()
        // The next look finds it longer, so it settles once more.
        bench.clock.advance(by: .seconds(2))
        try await bench.look(folder)
        #expect(try await bench.batch(of: folder).map(\.identity.size) == [3])
    }

    @Test("hands a file out once, and again when it changed or came back")
    func once() async throws {
        let bench = try Bench { $0.poll = true }
        try bench.watch.write("[]", to: "rows.json")
        let folder = try await bench.started()
        let first = try await bench.batch(of: folder)
        #expect(first.count == 1)
        bench.clock.advance(by: .seconds(60))
        try await bench.look(folder)
        #expect(await folder.settlingFiles().count == 0)

        try bench.watch.write("[1]", to: "rows.json")
        bench.clock.advance(by: .seconds(60))
        let second = try await bench.batch(of: folder)
        #expect(second.map(\.identity.size) == [3])

        let claim = try #require(await bench.claim(folder, second).first).get()
        #expect(rename(claim.path.string, bench.watch.path.appending("rows.json").string) == 0)
        bench.clock.advance(by: .seconds(60))
        let third = try await bench.batch(of: folder)
        #expect(third.first?.identity.hasSameContent(as: claim.identity) == true)
    }

    @Test("gives a file that changed under its reader twice the time each time")
    func doubling() async throws {
        let bench = try Bench()
        try bench.watch.write("[]", to: "rows.json")
        let folder = try await bench.started()
        var file = try #require(try await bench.batch(of: folder).first)
        for (seconds, times) in [(2, "1 time"), (4, "2 times"), (8, "3 times")] {
            await folder.release(file, changed: true)
            let waiting = try #require(await folder.settlingFiles().files.first)
            #expect(waiting.until == Bench.today.addingTimeInterval(Double(seconds)))
            #expect(waiting.reason == "it changed while it was read (\(times))")
            file = try #require(try await bench.batch(of: folder, after: .seconds(seconds)).first)
        }
    }

    @Test("holds loose media back until the grace is over, then hands it out as such")
    func grace() async throws {
        let bench = try Bench()
        try bench.watch.write("x", to: "photo.jpg")
        let folder = try await bench.started()
        try await bench.look(folder)
        bench.clock.advance(by: .seconds(2))
        try await bench.look(folder)
        #expect(await folder.settlingFiles().files.first?.reason == "complete; waiting for a manifest that may name it")
        let batch = try await bench.batch(of: folder, after: .seconds(28))
        #expect(batch.map(\.role) == [.looseMedia])
    }

    @Test("says that its folder is missing, and takes it up when it is there, and again when it comes back")
    func missing() async throws {
        let bench = try Bench { $0.path = $0.path.appending("later") }
        let folder = try await bench.started()
        guard case .missing(let reason) = await folder.watchState() else { throw Unexpected() }
        #expect(reason.contains("/later"))
        for round in 1...2 {
            try await bench.look(folder)
            try bench.watch.write("[\(round)]", to: "later/rows.json")
            bench.clock.advance(by: bench.settings.rescan)
            let batch = try await bench.batch(of: folder)
            #expect(batch.map(\.relativePath) == ["rows.json"])
            #expect(await folder.watchState() == .watching)
            try bench.watch.rename("later", FilePath("gone\(round)"))
            bench.clock.advance(by: bench.settings.rescan)
            try await bench.look(folder)
            guard case .missing = await folder.watchState() else { throw Unexpected() }
        }
    }

    @Test("is one process's alone, unless it is shared on purpose")
    func exclusive() async throws {
        let bench = try Bench()
        let first = try await bench.started()
        let error = await #expect(throws: IntakeError.self) { try await bench.started() }
        #expect(error?.code == .unavailable)
        #expect(error?.reason.contains("process \(getpid())") == true)
        await first.close()
        let second = try await bench.started()
        var shared = bench
        shared.settings.exclusive = false
        let third = try await shared.started()
        #expect(await third.watchState() == .watching)
        #expect(await second.watchState() == .watching)
    }

    @Test("ends with an empty batch when it is closed, and with an error when its reader is cancelled")
    func ends() async throws {
        let bench = try Bench()
        let folder = try await bench.started()
        let waiting = Task { try await folder.nextBatch(limit: 1) }
        await bench.clock.sleepers(1)
        await folder.close()
        #expect(try await waiting.value == [])
    }

    @Test("hands out names of any bytes")
    func names() async throws {
        let bench = try Bench()
        let name = FilePath(bytes: [0xFF, 0x0A] + Array(".json".utf8))
        try AtomicFile.write([0x5B, 0x5D], to: bench.watch.path.appending(name.components), durable: false)
        let folder = try await bench.started()
        let batch = try await bench.batch(of: folder)
        #expect(batch.map(\.relativePath) == [name])
        let claim = try #require(await bench.claim(folder, batch).first).get()
        #expect(claim.relativePath == name)
        #expect(Array(folder.claims()).map(\.relativePath) == [name])
    }
}

struct Unexpected: Error {}
