import DataRows
import Foundation
import Ledger
import SystemPackage
import Testing

@Suite("Media") struct MediaTests {
    @Test("The counts on the import follow a file from awaited to uploaded", arguments: StoreUnderTest.allCases)
    func awaited(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 1, media: [reference("m", size: nil)])])
            func expect(
                _ state: ImportState, open: Int, bytes: Int64, uploaded: Int,
                _ location: SourceLocation = #_sourceLocation
            ) async throws {
                let record = try await bench.find("i")
                #expect(record.state == state, sourceLocation: location)
                #expect(record.openMedia == open, sourceLocation: location)
                #expect(record.media.files == 1, sourceLocation: location)
                #expect(record.media.bytes == bytes, sourceLocation: location)
                #expect(record.media.uploadedFiles == uploaded, sourceLocation: location)
                #expect(record.media.uploadedBytes == (uploaded == 0 ? 0 : bytes), sourceLocation: location)
            }
            let id = ImportID(rawValue: "i")
            try await expect(.waitingForMedia, open: 1, bytes: 0, uploaded: 0)
            #expect(try await bench.store.missingMedia(of: id, limit: 9) == ["m"])
            var item = try #require(try await bench.leaseMedia().first)
            try await bench.store.postpone(item, until: at(100), isAwaited: true, at: at(0))
            try await expect(.waitingForMedia, open: 1, bytes: 0, uploaded: 0)

            item = try #require(try await bench.leaseMedia(100).first)
            try await bench.store.recordFound(item, identity: identity(5), at: at(100))
            try await expect(.queued, open: 1, bytes: 5, uploaded: 0)
            #expect(try await bench.store.missingMedia(of: id, limit: 9).isEmpty)
            // It is gone again, while the lease of before is still held.
            try await bench.store.postpone(item, until: at(200), isAwaited: true, at: at(100))
            try await expect(.waitingForMedia, open: 1, bytes: 5, uploaded: 0)

            item = try #require(try await bench.leaseMedia(200).first)
            try await bench.store.recordFound(item, identity: identity(7, version: 2), at: at(200))
            try await expect(.queued, open: 1, bytes: 7, uploaded: 0)
            item.item.identity = identity(7, version: 2)
            try await bench.store.recordUploaded(item, content: content(item), warning: nil, at: at(200))
            try await expect(.importing, open: 0, bytes: 7, uploaded: 1)
            #expect(try await bench.store.totals().readySegments == 1)
            try await bench.finishAll(200)
            try await expect(.complete, open: 0, bytes: 7, uploaded: 1)
        }
    }

    @Test(
        "A segment is ready when the last of its files has ended, however it ended",
        arguments: StoreUnderTest.allCases)
    func ready(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let both = [reference("m", size: 1), reference("n", size: 2)]
            try await bench.planned("i", [segment(0, 1, media: both), segment(1, 1, media: [both[0]])])
            let media = try await bench.leaseMedia()
            #expect(media.map(\.item.path) == ["m", "n"])
            #expect(try await bench.store.recordUploaded(media[0], content: content(media[0]), warning: nil, at: at(1)))
            #expect(try await bench.store.totals().readySegments == 1)
            try await bench.store.recordFailed(media[1], failure: failure("unreadable"), at: at(1))
            #expect(try await bench.store.totals().readySegments == 2)
            let submission = try #require(try await bench.sealed(1).first)
            let outcomes = try await bench.store.mediaOutcomes(
                segment: try await bench.segments(submission)[0].origin)
            #expect(outcomes["m"]?.url == "https://storage/m")
            #expect(outcomes["n"]?.failure == failure("unreadable"))
            let record = try await bench.find("i")
            #expect(record.openMedia == 0)
            #expect(record.media.uploadedFiles == 1)
            #expect(record.media.uploadedBytes == 1)
        }
    }

    @Test("Only the last file that something waits for lets it go on", arguments: StoreUnderTest.allCases)
    func goesOn(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 1, media: [reference("m", size: 1), reference("n", size: 2)])])
            let media = try await bench.leaseMedia()
            let first = try await bench.store.recordUploaded(
                media[0], content: content(media[0]), warning: nil, at: at(1))
            #expect(!first)
            let second = try await bench.store.recordUploaded(
                media[1], content: content(media[1]), warning: nil, at: at(1))
            #expect(second)
        }
    }

    @Test(
        "Contents that are asked for by many at a time are found once they are recorded",
        arguments: StoreUnderTest.allCases)
    func asked(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let store = bench.store
            try await withThrowingDiscardingTaskGroup { group in
                for number in 0..<UInt8(200) {
                    group.addTask {
                        let mine = UploadedContent(
                            sha256: [number], bytes: 1, type: "t", url: "u\(number)", uploadedAt: at(1))
                        func known() async throws -> UploadedContent? {
                            try await store.knownContent(sha256: [number], bytes: 1, type: "t", uploadedAfter: at(0))
                        }
                        #expect(try await known() == nil)
                        try await store.recordContent(mine)
                        #expect(try await known() == mine)
                    }
                }
            }
        }
    }

    @Test(
        "A file that several imports name is uploaded once and counted for each",
        arguments: StoreUnderTest.allCases)
    func shared(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let file = reference("m", size: 4)
            try await bench.planned("i", [segment(0, 1, media: [file]), segment(1, 1, media: [file])])
            try await bench.planned("j", [segment(0, 1, media: [file])])
            let media = try await bench.leaseMedia()
            #expect(media.count == 1)
            try await bench.store.recordUploaded(media[0], content: content(media[0]), warning: nil, at: at(1))
            try await bench.planned("k", [segment(0, 1, media: [file])])
            #expect(try await bench.leaseMedia(1).isEmpty)
            for id in ["i", "j", "k"] {
                let record = try await bench.find(id)
                #expect(record.media.files == 1)
                #expect(record.media.uploadedFiles == 1)
                #expect(record.media.uploadedBytes == 4)
                #expect(record.openMedia == 0)
            }
            #expect(try await bench.store.totals().readySegments == 4)
        }
    }

    @Test("A file that changed is another file", arguments: StoreUnderTest.allCases)
    func changed(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 1, media: [reference("m", size: 4)])])
            try await bench.uploadAll()
            try await bench.planned("j", [segment(0, 1, media: [reference("m", size: 4, version: 2)])], now: 1)
            let media = try await bench.leaseMedia(1)
            #expect(media.map(\.item.identity) == [identity(4, version: 2)])
            #expect(try await bench.find("j").openMedia == 1)
            #expect(try await bench.find("i").openMedia == 0)
        }
    }

    @Test("A name that a segment holds twice is waited for once", arguments: StoreUnderTest.allCases)
    func nameTwice(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let names = [reference("m", size: 1), reference("m", size: 2, version: 2), reference("m", size: 1)]
            try await bench.planned("i", [segment(0, 3, media: names)])
            try await bench.uploadAll()
            #expect(try await bench.find("i").openMedia == 0)
            #expect(try await bench.store.totals().readySegments == 1)
        }
    }

    @Test("A file that is uploaded before the plan ends is counted when it ends", arguments: StoreUnderTest.allCases)
    func uploadedEarly(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let item = try await bench.claim("i")
            try await bench.store.recordSegments(
                [segment(0, 1, media: [reference("m", size: 3)])], of: item, isFirst: true, at: at(0))
            let before = try await bench.find("i")
            try await bench.uploadAll()
            #expect(try await bench.find("i") == before)
            try await bench.store.recordPlan(bench.plan([]), of: item, isFirst: false, at: at(1))
            let record = try await bench.find("i")
            #expect(record.openMedia == 0)
            #expect(record.media.uploadedBytes == 3)
            #expect(try await bench.store.totals().readySegments == 1)
        }
    }

    @Test(
        "An import that takes all or nothing waits for its last file, then goes on",
        arguments: StoreUnderTest.allCases)
    func holds(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let segments = [
                segment(0, 1, media: [reference("m", size: 1)]), segment(1, 1, media: [reference("n", size: 1)]),
                segment(2, 1),
            ]
            try await bench.planned("i", segments, holds: true)
            let media = try await bench.leaseMedia()
            try await bench.store.recordUploaded(media[0], content: content(media[0]), warning: nil, at: at(1))
            #expect(try await bench.store.totals().readySegments == 0)
            try await bench.store.recordUploaded(media[1], content: content(media[1]), warning: nil, at: at(2))
            #expect(try await bench.store.totals().readySegments == 3)
        }
    }

    @Test(
        "An import that takes all or nothing is rejected when a file fails, once the others have ended",
        arguments: StoreUnderTest.allCases)
    func holdsFails(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned(
                "i", [segment(0, 1, media: [reference("m", size: 1), reference("n", size: 1)]), segment(1, 1)],
                holds: true)
            let media = try await bench.leaseMedia()
            try await bench.store.recordFailed(media[0], failure: failure("unreadable"), at: at(1))
            #expect(try await bench.find("i").phase == .moving)
            try await bench.store.recordUploaded(media[1], content: content(media[1]), warning: nil, at: at(2))
            let record = try await bench.find("i")
            #expect(record.phase == .closing)
            #expect(record.state == .rejected)
            #expect(record.errors == [failure("unreadable")])
            #expect(record.openSegments == 0)
            #expect(try await bench.store.seal(limit: 9, at: at(99)) == Sealing())
        }
    }

    @Test("An import that takes all or nothing and names no file goes at once", arguments: StoreUnderTest.allCases)
    func holdsNothing(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 1)], holds: true)
            #expect(try await bench.store.totals().readySegments == 1)
        }
    }

    @Test(
        "Content is known as long as its upload is fresh, and the later upload counts",
        arguments: StoreUnderTest.allCases)
    func known(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 1, media: [reference("m", size: 3)])])
            try await bench.planned("j", [segment(0, 1, media: [reference("n", size: 3)])])
            let media = try await bench.leaseMedia()
            let new = UploadedContent(sha256: [1, 2], bytes: 3, type: "t", url: "new", uploadedAt: at(20))
            let old = UploadedContent(sha256: [1, 2], bytes: 3, type: "t", url: "old", uploadedAt: at(10))
            try await bench.store.recordUploaded(media[0], content: new, warning: nil, at: at(20))
            try await bench.store.recordUploaded(media[1], content: old, warning: nil, at: at(20))
            #expect(
                try await bench.store.knownContent(sha256: [1, 2], bytes: 3, type: "t", uploadedAfter: at(19)) == new)
            #expect(
                try await bench.store.knownContent(sha256: [1, 2], bytes: 3, type: "t", uploadedAfter: at(20)) == nil)
            #expect(
                try await bench.store.knownContent(sha256: [1, 2], bytes: 4, type: "t", uploadedAfter: at(0)) == nil)
            #expect(
                try await bench.store.knownContent(sha256: [1, 3], bytes: 3, type: "t", uploadedAfter: at(0)) == nil)
        }
    }

    @Test("Paths are named from the plan until the file is gone", arguments: StoreUnderTest.allCases)
    func named(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let files = [reference("m", size: 3), reference("outside", size: 3, root: 1)]
            try await bench.planned("i", [segment(0, 1, media: files)])
            func named() async throws -> Set<FilePath> {
                try await bench.store.namedPaths(watch: "w", among: ["m", "outside", "other"])
            }
            #expect(try await named() == ["m"])
            #expect(try await bench.store.namedPaths(watch: "v", among: ["m"]).isEmpty)
            try await bench.uploadAll()
            try await bench.finishAll()
            try await bench.closeAll()
            #expect(try await named() == ["m"], "it has not left yet")
            let leaving = try await bench.store.leaseLeavingMedia(for: bench.grant(), limit: 9)
            try await bench.store.recordMediaGone(leaving, at: at(1))
            #expect(try await named().isEmpty)
        }
    }

    @Test("Media that was seen is due at once, and only what is awaited there", arguments: StoreUnderTest.allCases)
    func wake(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned(
                "i", [segment(0, 3, media: ["m", "n", "p"].map { reference($0, size: nil) })])
            for item in try await bench.leaseMedia() {
                try await bench.store.postpone(item, until: at(900), isAwaited: item.item.path != "p", at: at(0))
            }
            try await bench.store.wakeMedia(watch: "v", paths: ["n"], at: at(10))
            #expect(try await bench.leaseMedia(10).isEmpty)
            try await bench.store.wakeMedia(watch: "w", paths: ["m", "p", "x"], at: at(10))
            #expect(try await bench.leaseMedia(10).map(\.item.path) == ["m"])
        }
    }

    @Test("Leasing takes what has been due the longest, of both phases", arguments: StoreUnderTest.allCases)
    func order(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            for number in 0..<6 {
                let file = reference("m\(number)", size: number.isMultiple(of: 2) ? 1 : nil)
                try await bench.planned("i\(number)", [segment(0, 1, media: [file])], now: Double(6 - number))
            }
            let first = try await bench.store.leaseMedia(for: bench.grant(9), limit: 2)
            #expect(first.map(\.item.path.string) == ["m4", "m5"])
            #expect(try await bench.leaseMedia(9).count == 4)
        }
    }
}
