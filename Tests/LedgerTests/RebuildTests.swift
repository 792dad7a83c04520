import DataRows
import Foundation
import Ledger
import SystemPackage
import Testing

@Suite("A ledger made anew") struct RebuildTests {
    /// A ledger with finished work, unfinished work, and uploads; closed again.
    private func old(_ folder: FilePath) async throws -> FilePath {
        let path = folder.appending("old")
        let ledger = try SQLiteLedger.open(at: path)
        let bench = Bench(store: ledger)
        for number in 0..<100 {
            let item = try await bench.claim("done\(number)")
            var plan = bench.plan([])
            plan.ending = (.rejected, "it is wrong")
            plan.totalRows = 2
            plan.rejectedRows = 2
            try await ledger.recordPlan(plan, of: item, isFirst: true, at: at(0))
            for item in try await ledger.leaseImports(in: .closing, for: bench.grant(), limit: 10) {
                try await ledger.recordClosed(
                    [Closing(item: item, results: nil, failedRows: nil, destination: nil, releasesMedia: false)],
                    at: at(1))
            }
        }
        try await bench.planned("moving", [segment(0, 3, media: [reference("a.jpg", size: 5)])])
        for item in try await bench.leaseMedia() {
            try await ledger.recordUploaded(item, content: content(item), warning: nil, at: at(2))
        }
        try await bench.open("claimed")
        try ledger.close()
        return path
    }

    private func salvage(_ old: FilePath, _ folder: FilePath) async throws -> (LedgerSalvage, SQLiteLedger) {
        let new = try SQLiteLedger.open(at: folder.appending("new"))
        return (try await LedgerSalvage(from: old, into: new), new)
    }

    @Test("Of a whole ledger everything goes on as it was") func whole() async throws {
        try await withFolder { folder in
            let path = try await old(folder)
            let before = try SQLiteLedger.open(at: path)
            let imports = try await before.imports(ImportFilter())
            let totals = try await before.totals()
            try before.close()
            let (salvage, new) = try await salvage(path, folder)
            #expect(salvage.isWhole && salvage.troubles.isEmpty && salvage.knowsKeptFiles)
            #expect(salvage.finishedImports == 100 && salvage.unfinishedImports == 2 && salvage.contents == 1)
            #expect(try await new.imports(ImportFilter()) == imports)
            #expect(try await new.totals() == totals)
            #expect(try await new.seal(limit: 10, at: at(10)).sealed == 1)
            try new.close()
            #expect(try await LedgerExamination.of(folder.appending("new")).contradictions.isEmpty)
        }
    }

    @Test("Of a damaged one what has ended is taken over as far as it can be read, and nothing that has not")
    func damaged() async throws {
        try await withFolder { folder in
            let path = try await old(folder)
            let url = URL(fileURLWithPath: path.string)
            let whole = try Data(contentsOf: url)
            let pages = whole.count / 4096
            var most = 0
            // The first page tells where all others are.
            for page in stride(from: 1, to: pages, by: max(1, pages / 12)) {
                var data = whole
                data[page * 4096 + 1000] ^= 1
                try data.write(to: url)
                let name = folder.appending("new\(page)")
                let new = try SQLiteLedger.open(at: name)
                let salvage = try await LedgerSalvage(from: path, into: new)
                #expect(!salvage.isWhole && !salvage.troubles.isEmpty)
                #expect(salvage.unfinishedImports == 0)
                most = max(most, salvage.finishedImports)
                let found = try await new.imports(ImportFilter(limit: 1_000))
                #expect(found.allSatisfy { $0.phase == .closed && $0.reason == "it is wrong" })
                try new.close()
            }
            #expect(most > 70)
        }
    }

    @Test("Rows that a rebuild took up are looked up before they are sent, and share no call with others")
    func doubted() async throws {
        try await StoreUnderTest.sqlite.run { bench in
            try await bench.planned("new", [segment(0, 3)])
            try await bench.store.open(
                [
                    NewImport(
                        id: ImportID(rawValue: "old"), watch: "w", path: "old.json", claimedPath: "claimed/old",
                        bytes: 9,
                        seenAt: at(0), origin: .rebuilt)
                ], at: at(0))
            let item = try #require(
                try await bench.store.leaseImports(in: .claimed, for: bench.grant(), limit: 9).first)
            #expect(item.item.origin == .rebuilt)
            try await bench.store.recordPlan(bench.plan([segment(0, 3)]), of: item, isFirst: true, at: at(0))
            let sealing = try await bench.store.seal(limit: 10, at: at(1))
            #expect(sealing.sealed == 2 && sealing.doubted == 1)
            let doubted = try #require(
                try await bench.store.leaseSubmissions(in: [.ambiguous], for: bench.grant(1), limit: 9).first)
            #expect(doubted.item.submittedAt == at(1))
            #expect(try await bench.store.leaseSubmissions(in: [.sealed], for: bench.grant(1), limit: 9).count == 1)

            // What is proven absent is sent, and not doubted again.
            let segments = try await bench.store.segments(of: doubted.item.id, after: 0, limit: 9)
            var outcome = SegmentOutcome(segment: try #require(segments.first).id)
            outcome.again = [.init(rows: RowRuns(0..<3), mayHaveArrived: true)]
            try await bench.store.settle(doubted, outcomes: [outcome], status: "", reason: "", at: at(70))
            let again = try await bench.store.seal(limit: 10, at: at(71))
            #expect(again.sealed == 1 && again.doubted == 0)
        }
    }

    @Test("Imports that only files tell of are remembered once, with their tasks and counts") func finished()
        async throws
    {
        try await StoreUnderTest.sqlite.run { bench in
            let ledger = try #require(bench.store as? SQLiteLedger)
            var item = FinishedImport(
                id: ImportID(rawValue: "i"), watch: "w", path: "a/b.json", state: .completeWithErrors, seenAt: at(0),
                finishedAt: at(9))
            item.rows.total = 3
            item.rows.created = 2
            item.rows.failed = 1
            item.errors = [failure("bad", row: 1)]
            item.errorsTotal = 1
            item.results = "/results/a/b.json"
            item.tasks = [
                .init(
                    id: TaskID(rawValue: "t"), status: "COMPLETE", rows: 3, completion: 100, submittedAt: at(1),
                    finishedAt: at(2))
            ]
            #expect(try await ledger.remember([item]) == 1)
            #expect(try await ledger.remember([item]) == 0)
            let record = try await bench.find("i")
            #expect(record.phase == .closed && record.state == .completeWithErrors && record.rows == item.rows)
            #expect(record.errors == item.errors && record.finishedAt == at(9))
            #expect(try await ledger.tasks(of: record.id).map(\.taskID?.rawValue) == ["t"])
            #expect(try await ledger.namedResults(among: ["/results/a/b.json", "/results/c"]) == ["/results/a/b.json"])
            let totals = try await ledger.totals()
            #expect(totals.rows["w"]?.created == 2 && totals.imports["w"] == [.completeWithErrors: 1])
        }
    }
}
