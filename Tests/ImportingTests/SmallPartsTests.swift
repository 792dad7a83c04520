import DataRows
import Foundation
import Importing
import Testing

@Suite("Row set")
struct RowSetTests {
    @Test("holds exactly the rows put into it", arguments: [1, 2, 3] as [UInt64])
    func model(seed: UInt64) {
        var state = seed
        func next() -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 52)
        }
        var set = RowSet()
        var model = Set<Int>()
        #expect(set.isEmpty)
        for _ in 0..<500 {
            let row = next()
            set.insert(row)
            model.insert(row)
        }
        #expect(!set.isEmpty)
        for row in 0..<5_000 { #expect(set.contains(row) == model.contains(row)) }
    }
}

@Suite("Upload manifest")
struct UploadManifestTests {
    @Test("lists the chunks in their order, with addresses escaped")
    func text() throws {
        let manifest = UploadManifest(chunkURLs: ["https://a/1?x=\"", "https://a/2"], rows: 7)
        let value = try #require(try JSONSerialization.jsonObject(with: Data(manifest.bytes)) as? [String: Any])
        #expect(value["source"] as? String == "SDK")
        #expect(value["item_count"] as? Int == 7)
        #expect(value["chunk_uris"] as? [String] == ["https://a/1?x=\"", "https://a/2"])
    }
}

@Suite("Import identifiers")
struct ImportIdentifierTests {
    @Test("begin with the time in UTC, so that they sort by it, and end in chance")
    func shape() {
        let ids = ImportIdentifiers(random: { 0xff })
        #expect(ids.next(at: Date(timeIntervalSince1970: 0)).rawValue == "19700101t000000-00000000000000ff")
        #expect(
            ids.next(at: Date(timeIntervalSince1970: 1_700_000_000)).rawValue == "20231114t221320-00000000000000ff")
    }
}

@Suite("Bell", .timeLimit(.minutes(1)))
struct BellTests {
    private let clock = ImportClock(
        now: { Date(timeIntervalSince1970: 0) }, sleep: { _ in try await Task.sleep(for: .seconds(3600)) })

    @Test("a ring that nobody heard spares the next one the wait")
    func remembered() async {
        let bell = Bell()
        bell.ring()
        bell.ring()
        await bell.wait(atMost: nil, on: clock)
    }

    @Test("a ring wakes the one who waits, long before his time is up")
    func wakes() async {
        let bell = Bell()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await bell.wait(atMost: .seconds(3600), on: clock) }
            group.addTask { bell.ring() }
        }
    }

    @Test("waiting ends when its time is up")
    func timeIsUp() async {
        let at = ImportClock(now: { Date(timeIntervalSince1970: 0) }, sleep: { _ in })
        await Bell().wait(atMost: .seconds(5), on: at)
    }

    @Test("who is called off stops waiting")
    func calledOff() async {
        let bell = Bell()
        let task = Task { await bell.wait(atMost: nil, on: clock) }
        task.cancel()
        await task.value
    }
}

@Suite("Pages of results")
struct PageWalkTests {
    @Test("every page of a task is read, until there is none")
    func whole() {
        var walk = PageWalk(rows: 20_000)
        #expect(walk.next("a", rows: 5_000) == "a")
        #expect(walk.next("b", rows: 5_000) == "b")
        #expect(walk.next("c", rows: 5_000) == "c")
        #expect(walk.next(nil, rows: 5_000) == nil)
    }

    @Test("a page that leads back to itself is the last")
    func circle() {
        var walk = PageWalk(rows: 20_000)
        #expect(walk.next("a", rows: 10) == "a")
        #expect(walk.next("a", rows: 10) == nil)
    }

    @Test("pages come to an end when they show more rows than the task has")
    func endless() {
        var walk = PageWalk(rows: 20)
        let pages = (0..<1_000).prefix { walk.next("\($0)", rows: 1) != nil }
        #expect(pages.count < 200)
    }
}
