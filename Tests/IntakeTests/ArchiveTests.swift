import Files
import Foundation
import Glibc
import Intake
import SystemPackage
import TestSupport
import Testing

@Suite("Archive", .timeLimit(.minutes(1)))
struct ArchiveTests {
    /// The state folder is in /tmp: with the drop folder in memory, archiving crosses file systems.
    static let places: [FilePath] = ["/tmp", "/dev/shm"]

    @Test("keeps a file's path below the day, or below failed, and moves it there", arguments: places)
    func moves(place: FilePath) async throws {
        let bench = try Bench(watchIn: place)
        let from = try bench.watch.write("[]", to: "batch7/rows.json")
        let folder = try await bench.started()
        let to = try folder.destination(for: "batch7/rows.json", on: .archive)
        #expect(to == bench.state.path.appending("archive/cats/2026-11-21/batch7/rows.json"))
        #expect(
            try folder.destination(for: "batch7/rows.json", on: .failed)
                == bench.state.path.appending("failed/cats/batch7/rows.json"))
        try (await folder.putAway([PutAway(from: from, to: to)]))[0].get()
        #expect(try text(of: to) == "[]")
        #expect(try bench.watch.files() == [".datarowd/lock"])
        #expect(try FileLook.at(bench.watch.path.appending("batch7")).kind == .directory)
    }

    @Test("done again after a crash ends in the same", arguments: places)
    func again(place: FilePath) async throws {
        let bench = try Bench(watchIn: place)
        let from = try bench.watch.write("[]", to: "rows.json")
        let folder = try await bench.started()
        let put = PutAway(from: from, to: try folder.destination(for: "rows.json", on: .archive))
        for _ in 1...3 { try (await folder.putAway([put]))[0].get() }
        #expect(try bench.state.files().filter { $0.hasPrefix("archive") } == ["archive/cats/2026-11-21/rows.json"])
        let gone = PutAway(from: from, to: nil)
        for _ in 1...2 { try (await folder.putAway([gone]))[0].get() }
    }

    @Test("a folder that cannot be made is no file that vanished, for none of its files")
    func noFolder() async throws {
        let bench = try Bench()
        let folder = try await bench.started()
        let puts = try ["one.json", "two.json"].map { name in
            PutAway(
                from: try bench.watch.write("[]", to: FilePath(name)),
                to: try folder.destination(for: FilePath(name), on: .archive))
        }
        try bench.state.write("in the way", to: "archive/cats")
        for result in await folder.putAway(puts) {
            let error = #expect(throws: IntakeError.self) { try result.get() }
            #expect(error?.code != .vanished)
        }
        for put in puts { #expect(try text(of: put.from) == "[]") }
    }

    @Test("finishes a copy whose source a crash left behind")
    func halfway() async throws {
        let bench = try Bench(watchIn: "/dev/shm")
        let from = try bench.watch.write("[1,2,3]", to: "rows.json")
        let folder = try await bench.started()
        let to = try folder.destination(for: "rows.json", on: .archive)
        try DurableRename.createFolder(to.removingLastComponent())
        try DurableRename.copy(from: from, to: to, replacing: false)
        try (await folder.putAway([PutAway(from: from, to: to)]))[0].get()
        #expect(try bench.watch.files() == [".datarowd/lock"])
        #expect(try text(of: to) == "[1,2,3]")
    }

    @Test("overwrites nothing: a taken name is a different name, or an error if it was taken since", arguments: places)
    func taken(place: FilePath) async throws {
        let bench = try Bench(watchIn: place)
        let from = try bench.watch.write("new", to: "rows.json")
        let folder = try await bench.started()
        let first = try folder.destination(for: "rows.json", on: .failed)
        let second = try folder.destination(for: "rows.json", on: .failed, avoiding: [first])
        #expect(second.lastComponent == "rows (2).json")
        try bench.state.write("old", to: "failed/cats/rows.json")
        #expect(try folder.destination(for: "rows.json", on: .failed) == second)
        let results = await folder.putAway([PutAway(from: from, to: first)])
        let error = #expect(throws: IntakeError.self) { try results[0].get() }
        #expect(error?.code == .destinationTaken)
        #expect(try text(of: first) == "old")
        #expect(try text(of: from) == "new")
    }

    @Test("says what is neither here nor there, and goes on with the rest")
    func vanished() async throws {
        let bench = try Bench()
        let there = try bench.watch.write("[]", to: "a.json")
        let folder = try await bench.started()
        let results = await folder.putAway([
            PutAway(from: bench.watch.path.appending("none.json"), to: bench.state.path.appending("x/none.json")),
            PutAway(from: there, to: bench.state.path.appending("x/a.json")),
        ])
        let error = #expect(throws: IntakeError.self) { try results[0].get() }
        #expect(error?.code == .vanished)
        try results[1].get()
    }

    @Test("refuses a path that would leave the archive", arguments: ["../x", "/etc/x", "", "a/../../x"])
    func outside(path: String) async throws {
        let bench = try Bench()
        let error = #expect(throws: IntakeError.self) {
            try bench.folder().destination(for: FilePath(path), on: .failed)
        }
        #expect(error?.code == .outside)
    }

    @Test("a file put away and dropped again is a new drop, even if it is the very same")
    func cameBack() async throws {
        let bench = try Bench {
            $0.poll = true
            $0.mediaGrace = .zero
        }
        let from = try bench.watch.write("x", to: "a.jpg")
        let folder = try await bench.started()
        _ = try await bench.batch(of: folder)
        let to = try folder.destination(for: "a.jpg", on: .archive)
        try (await folder.putAway([PutAway(from: from, to: to)]))[0].get()
        #expect(rename(to.string, from.string) == 0)
        bench.clock.advance(by: .seconds(60))
        #expect(try await bench.batch(of: folder).map(\.relativePath) == ["a.jpg"])
    }
}
