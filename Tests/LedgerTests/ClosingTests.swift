import DataRows
import Foundation
import Ledger
import SystemPackage
import Testing

@Suite("Closing") struct ClosingTests {
    @Test("Results are joined in the order of their rows, not of their arrival", arguments: StoreUnderTest.allCases)
    func parts(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let item = try await bench.claim("i")
            var plan = bench.plan((0..<3).map { segment($0 * 10, 10) }, rejected: 1, maximum: 10)
            plan.problemsPart = inline(5, "bad\n")
            try await bench.store.recordPlan(plan, of: item, isFirst: true, at: at(0))
            for item in try await bench.sealed().reversed() {
                try await bench.settle(try await bench.collecting(item)) { segment, outcome in
                    outcome.created = 10
                    outcome.results =
                        segment.firstRow == 10
                        ? ResultsPart(firstRow: 10, lines: .file("part")) : inline(segment.firstRow, "ok\n")
                }
            }
            let parts = try await bench.store.resultsParts(of: item.item.id)
            #expect(parts.map(\.firstRow) == [0, 5, 10, 20])
            #expect(parts[2].lines == .file("part"))
            try await bench.closeAll()
            #expect(try await bench.store.resultsParts(of: item.item.id).isEmpty)
        }
    }

    @Test("Where a manifest goes is fixed before it is closed, and kept", arguments: StoreUnderTest.allCases)
    func destinations(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [])
            let item = try #require(
                try await bench.store.leaseImports(in: .closing, for: bench.grant(), limit: 1).first)
            var closing = Closing(
                item: item, results: "r", failedRows: "f", destination: "archive/i", releasesMedia: true)
            try await bench.store.recordDestinations([closing], at: at(1))
            let found = try #require(
                try await bench.store.leaseImports(in: .closing, for: bench.grant(99), limit: 1).first)
            #expect(found.item.destination == "archive/i")
            closing.item = found
            try await bench.store.recordClosed([closing], at: at(99))
            let record = try await bench.find("i")
            #expect(record.phase == .closed)
            #expect(record.state == .complete)
            #expect(record.finishedAt == at(99))
            #expect(record.resultsPath == "r")
            #expect(record.failedRowsPath == "f")
            #expect(try await bench.store.leaseImports(in: .closed, for: bench.grant(9_999), limit: 1).isEmpty)
        }
    }

    @Test("Media leaves with the last import that names it", arguments: StoreUnderTest.allCases)
    func lastImport(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 1, media: [reference("m", size: 1)])])
            try await bench.planned("j", [segment(0, 1, media: [reference("m", size: 1)])], key: "other")
            try await bench.uploadAll()
            for (number, item) in try await bench.sealed().enumerated() {
                #expect(try await bench.store.leaseLeavingMedia(for: bench.grant(), limit: 9).isEmpty)
                try await bench.settle(try await bench.collecting(item))
                try await bench.closeAll(Double(number))
            }
            #expect(try await bench.store.totals().media == [.leaving: 1])
            let leaving = try await bench.store.leaseLeavingMedia(for: bench.grant(2), limit: 9)
            #expect(leaving.map(\.item.path) == ["m"])
            #expect(try await bench.leaseMedia(2).isEmpty, "it is not uploaded again")
            try await bench.store.recordMediaDestinations(leaving.map { ($0, "archive/m") }, at: at(2))
            let again = try await bench.store.leaseLeavingMedia(for: bench.grant(99), limit: 9)
            #expect(again.map(\.item.destination) == ["archive/m"])
            try await bench.store.recordMediaGone(again, at: at(99))
            #expect(try await bench.store.totals().media.isEmpty)
        }
    }

    @Test(
        "Media that an import released stays where it is told to stay, or was not ours",
        arguments: StoreUnderTest.allCases)
    func stays(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 1, media: [reference("m", size: 1, root: 1)])])
            try await bench.planned("j", [segment(0, 1, media: [reference("missing", size: nil)])], key: "other")
            for item in try await bench.leaseMedia() {
                if item.item.identity == nil {
                    try await bench.store.recordFailed(item, failure: failure("missing"), at: at(0))
                } else {
                    try await bench.store.recordUploaded(item, content: content(item), warning: nil, at: at(0))
                }
            }
            try await bench.finishAll()
            try await bench.closeAll()
            try await bench.planned("k", [segment(0, 1, media: [reference("n", size: 1)])])
            try await bench.uploadAll()
            try await bench.finishAll()
            try await bench.closeAll(releasesMedia: false)
            #expect(try await bench.store.leaseLeavingMedia(for: bench.grant(), limit: 9).isEmpty)
        }
    }

    @Test(
        "A path that another import names under another row does not leave yet",
        arguments: StoreUnderTest.allCases)
    func twoRows(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            // The first import asked before the file had settled, the second after.
            try await bench.planned("i", [segment(0, 1, media: [reference("m", size: nil)])])
            try await bench.planned("j", [segment(0, 1, media: [reference("m", size: 1)])], key: "other")
            for item in try await bench.leaseMedia() {
                guard item.item.identity == nil else {
                    try await bench.store.postpone(item, until: at(5), isAwaited: false, at: at(0))
                    continue
                }
                try await bench.store.recordFound(item, identity: identity(1), at: at(0))
                try await bench.store.recordUploaded(item, content: content(item), warning: nil, at: at(0))
            }
            try await bench.finishAll()
            try await bench.closeAll()
            #expect(try await bench.find("i").phase == .closed)
            #expect(try await bench.store.leaseLeavingMedia(for: bench.grant(), limit: 9).isEmpty)
            try await bench.uploadAll(5)
            try await bench.finishAll(5)
            try await bench.closeAll(5)
            #expect(try await bench.store.leaseLeavingMedia(for: bench.grant(5), limit: 9).count == 1)
        }
    }

    @Test("A file that was about to leave stays for an import that names it", arguments: StoreUnderTest.allCases)
    func staysForNext(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let segments = [segment(0, 1, media: [reference("m", size: 1)])]
            try await bench.planned("i", segments)
            try await bench.uploadAll()
            try await bench.finishAll()
            try await bench.closeAll()
            try await bench.planned("j", segments, now: 1)
            #expect(try await bench.store.leaseLeavingMedia(for: bench.grant(1), limit: 9).isEmpty)
            try await bench.uploadAll(1)
            #expect(try await bench.find("j").media.uploadedFiles == 1)
            try await bench.finishAll(1)
            try await bench.closeAll(1)
            #expect(try await bench.store.leaseLeavingMedia(for: bench.grant(1), limit: 9).count == 1)
        }
    }
}
