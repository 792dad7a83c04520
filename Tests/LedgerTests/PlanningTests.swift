import DataRows
import Foundation
import Ledger
import Testing

@Suite("Planning") struct PlanningTests {
    @Test("A plan in several parts moves only when its last part is recorded", arguments: StoreUnderTest.allCases)
    func parts(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let item = try await bench.claim("i")
            try await bench.store.recordSegments([segment(0, 2)], of: item, isFirst: true, at: at(0))
            try await bench.store.recordSegments([segment(2, 3)], of: item, isFirst: false, at: at(0))
            #expect(try await bench.store.hasUnplannedImports(watch: "w"))
            #expect(try await bench.store.seal(limit: 9, at: at(99)) == Sealing())
            var plan = bench.plan([segment(5, 1)], rejected: 1)
            plan.totalRows = 7
            try await bench.store.recordPlan(plan, of: item, isFirst: false, at: at(1))
            let record = try await bench.find("i")
            #expect(record.phase == .moving)
            #expect(record.openSegments == 3)
            #expect(record.rows.total == 7)
            #expect(record.rows.rejected == 1)
            #expect(try await !bench.store.hasUnplannedImports(watch: "w"))
            let submission = try #require(try await bench.sealed(1).first)
            let segments = try await bench.segments(submission)
            #expect(segments.map(\.firstRow) == [0, 2, 5])
            #expect(segments.allSatisfy { $0.instructions == Data("how".utf8) && $0.origin == $0.id })
        }
    }

    @Test("Planning again drops what an interrupted plan left", arguments: StoreUnderTest.allCases)
    func again(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let item = try await bench.claim("i")
            try await bench.store.recordSegments(
                [segment(0, 2, media: [reference("m", size: 5), reference("n", size: 5)])], of: item, isFirst: true,
                at: at(0))
            let taken = try #require(
                try await bench.store.leaseImports(in: .claimed, for: bench.grant(61), limit: 1).first)
            try await bench.store.recordPlan(
                bench.plan([segment(0, 7, media: [reference("m", size: 6, version: 2)])]), of: taken, isFirst: true,
                at: at(61))
            let record = try await bench.find("i")
            #expect(record.openSegments == 1)
            #expect(record.media.files == 1)
            #expect(record.media.bytes == 6)
            let media = try await bench.leaseMedia(61)
            #expect(media.map(\.item.identity) == [identity(6, version: 2)], "the draft's files are not uploaded")
        }
    }

    @Test(
        "A plan that rejects everything goes on to be closed and leaves nothing to send",
        arguments: StoreUnderTest.allCases)
    func rejected(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let item = try await bench.claim("i")
            try await bench.store.recordSegments(
                [segment(0, 2, media: [reference("m", size: 5)])], of: item, isFirst: true, at: at(0))
            var plan = bench.plan([segment(2, 2)], rejected: 1)
            plan.ending = (.rejected, "line 7 is no JSON")
            plan.errors = (0..<150).map { failure("bad", row: $0) }
            plan.errorsTotal = 150
            plan.problemsPart = inline(0, "bad\n")
            try await bench.store.recordPlan(plan, of: item, isFirst: false, at: at(1))
            let record = try await bench.find("i")
            #expect(record.phase == .closing)
            #expect(record.state == .rejected)
            #expect(record.reason == "line 7 is no JSON")
            #expect(record.errors.count == ErrorEntry.kept)
            #expect(record.errorsTotal == 150)
            #expect(try await bench.leaseMedia(1).isEmpty)
            #expect(try await bench.store.seal(limit: 9, at: at(99)) == Sealing())
            #expect(try await bench.store.resultsParts(of: record.id) == [inline(0, "bad\n")])
            #expect(try await bench.store.leaseImports(in: .closing, for: bench.grant(1), limit: 1).count == 1)
        }
    }

    @Test("A plan without rows to send ends as its rows did", arguments: [(0, ImportState.complete), (3, .rejected)])
    func nothingToSend(_ rejected: Int, _ state: ImportState) async throws {
        try await StoreUnderTest.sqlite.run { bench in
            try await bench.planned("i", [], rejected: rejected)
            let record = try await bench.find("i")
            #expect(record.phase == .closing)
            #expect(record.state == state)
        }
    }
}
