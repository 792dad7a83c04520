import DataRows
import Foundation
import Ledger
import Testing

/// What the clock said once may be long ago, or may never have been.
@Suite("Old times") struct OldTimesTests {
    @Test(
        "A file that was uploaded too long ago is uploaded again before its rows are sent, and counted once",
        arguments: StoreUnderTest.allCases)
    func renewal(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 1, media: [reference("m", size: 3)])])
            func upload(_ now: Double) async throws {
                let item = try #require(try await bench.leaseMedia(now).first)
                try await bench.store.recordUploaded(
                    item, content: content(item, at: at(now)), warning: nil, at: at(now))
            }
            func counts() async throws -> [Int64] {
                let record = try await bench.find("i")
                return [Int64(record.openMedia), Int64(record.media.uploadedFiles), record.media.uploadedBytes]
            }
            try await upload(0)
            let submission = try #require(try await bench.sealed(1).first)
            func renew(_ limit: Double, _ now: Double) async throws -> Int {
                try await bench.store.renewMedia(
                    of: submission.item.id, uploadedAfter: ["w": at(limit), "other": at(limit)], at: at(now))
            }
            #expect(try await renew(-1, 1) == 0)
            #expect(try await counts() == [0, 1, 3])
            #expect(try await renew(5, 6) == 1)
            #expect(try await counts() == [1, 0, 0])
            // Rows that another call has sent are still read with the address that they were sent with.
            let origin = try #require(try await bench.segments(submission).first).origin
            #expect(try await bench.store.mediaOutcomes(segment: origin).values.map { $0.url != nil } == [true])
            // Asked again while it is on its way, it is waited for, and not begun anew.
            #expect(try await renew(5, 6) == 1)
            #expect(try await counts() == [1, 0, 0])
            try await upload(7)
            #expect(try await renew(5, 7) == 0)
            #expect(try await counts() == [0, 1, 3])
            try await bench.finishAll(100)
            #expect(try await bench.find("i").state == .complete)
        }
    }

    @Test(
        "What a clock that was ahead has written is taken to be of now, and its addresses are not believed",
        arguments: StoreUnderTest.allCases)
    func ahead(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let future = 1_000_000.0
            try await bench.open("unfinished", seen: future)
            let sound = UploadedContent(sha256: [1], bytes: 1, type: "t", url: "sound", uploadedAt: at(0))
            let ahead = UploadedContent(sha256: [2], bytes: 1, type: "t", url: "ahead", uploadedAt: at(future))
            for content in [sound, ahead] { try await bench.store.recordContent(content) }
            func known(_ digest: UInt8, after time: Double) async throws -> String? {
                try await bench.store.knownContent(sha256: [digest], bytes: 1, type: "t", uploadedAfter: at(time))?.url
            }
            #expect(try await known(2, after: 5) == "ahead")
            _ = try await bench.store.recover(as: bench.other, at: at(10))
            #expect(try await bench.find("unfinished").seenAt == at(10))
            #expect(try await known(1, after: -1) == "sound")
            #expect(try await known(2, after: 5) == nil)
            // Nor when that time has come.
            _ = try await bench.store.recover(as: bench.other, at: at(future + 1))
            #expect(try await known(2, after: future - 1) == nil)
        }
    }
}
