import DataRows
import Foundation
import GRDB
import Ledger
import SystemPackage
import Testing

/// What operators ask for, as the ledger keeps it.
@Suite("Control in the ledger")
struct ControlTests {
    private let anna = Operator(uid: 1_000, name: "anna")

    private func request(_ id: String, _ verb: OperatorVerb, watch: String? = nil) -> OperatorRequest {
        OperatorRequest(id: id, verb: verb, watch: watch, askedAt: at(0))
    }

    private func asked(
        _ bench: Bench, _ id: String, _ verb: OperatorVerb, watch: String? = nil
    ) async throws -> RecordedRequest {
        try await bench.store.take([(request(id, verb, watch: watch), anna)], at: at(1))
        return try #require(try await bench.store.request(id))
    }

    @Test("A request is taken once, and ends once", arguments: StoreUnderTest.allCases)
    func requests(store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.store.take(
                [(request("b", .pause), anna), (request("a", .resume, watch: "w"), anna)], at: at(1))
            try await bench.store.take([(request("b", .reload), Operator(uid: 0, name: "root"))], at: at(2))
            let open = try await bench.store.openRequests(limit: 9)
            #expect(open.map(\.request.id) == ["b", "a"], "in the order in which they were taken")
            #expect(open.first?.request.verb == .pause && open.first?.by == anna)
            try await bench.store.end("b", as: .done, outcome: "so", at: at(3))
            try await bench.store.end("b", as: .refused, outcome: "not so", at: at(4))
            let ended = try #require(try await bench.store.request("b"))
            #expect(ended.state == .done && ended.outcome == "so" && ended.endedAt == at(3))
            #expect(try await bench.store.openRequests(limit: 9).map(\.request.id) == ["a"])
            #expect(try await bench.store.request("c") == nil)
        }
    }

    @Test(
        "A pause of a watch holds its rows and media back, and not those of others", arguments: StoreUnderTest.allCases)
    func pauses(store: StoreUnderTest) async throws {
        try await store.run { bench in
            for watch in ["w", "v"] {
                try await bench.planned("\(watch)1", [segment(0, 3)], watch: watch)
                try await bench.planned("\(watch)2", [segment(0, 1, media: [reference("m", size: 5)])], watch: watch)
            }
            try await bench.store.pause(try await asked(bench, "1", .pause, watch: "w"), outcome: "paused", at: at(1))
            let pause = try #require(try await bench.store.pauses().first)
            #expect(pause.watch == "w" && pause.by == anna && pause.since == at(1))
            #expect(try await bench.leaseMedia().map(\.item.watch) == ["v"])
            let sealed = try #require(try await bench.sealed(2).first)
            #expect(try await bench.segments(sealed).map(\.watch) == ["v"], "though both share a batch")
            #expect(try await bench.store.seal(limit: 9, at: at(3)).next == nil, "nothing is due that may not start")

            try await bench.store.resume(try await asked(bench, "2", .resume, watch: "w"), outcome: "on", at: at(4))
            #expect(try await bench.store.pauses().isEmpty)
            #expect(try await bench.leaseMedia(5).map(\.item.watch) == ["w"])
            #expect(try await bench.segments(try #require(try await bench.sealed(5).first)).map(\.watch) == ["w"])
        }
    }

    // MARK: Cancelling

    private func cancel(_ bench: Bench, _ id: String, _ now: Double = 5) async throws -> Cancellation {
        try await bench.store.cancel(ImportID(rawValue: id), reason: "anna did", at: at(now))
    }

    @Test("Who reads an import that is cancelled loses it", arguments: StoreUnderTest.allCases)
    func whilePlanned(store: StoreUnderTest) async throws {
        try await store.run { bench in
            let item = try await bench.claim("i")
            try await bench.store.recordSegments(
                [segment(0, 3, media: [reference("m", size: 5)])], of: item, isFirst: true, at: at(1))
            #expect(try await cancel(bench, "i").found == .underWay)
            await bench.throwsLeaseLost {
                try await bench.store.recordPlan(bench.plan([segment(3, 3)]), of: item, isFirst: false, at: at(6))
            }
            #expect(try await bench.leaseMedia(6).isEmpty)
            try await bench.closeAll(7)
            let record = try await bench.find("i")
            #expect(record.state == .cancelled && record.phase == .closed && record.reason == "anna did")
            #expect(try await cancel(bench, "i").found == .cancelledBefore)
        }
    }

    @Test(
        "Of a submission that is being prepared the rows of others go on, and those of the cancelled import do not",
        arguments: StoreUnderTest.allCases)
    func shared(store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 3)])
            try await bench.planned("j", [segment(0, 4)])
            let item = try #require(try await bench.sealed().first)
            #expect(item.item.rows == 7)
            let cancellation = try await cancel(bench, "i")
            #expect(cancellation.calledOff == [.submission(item.item.id, fence: item.lease.fence)])
            #expect(cancellation.followedRows == 0)
            // Its chunks hold rows that are not to be sent any more.
            await bench.throwsLeaseLost {
                try await bench.store.recordIntent(item, manifestURL: "https://m", at: at(6))
            }
            let again = try await bench.lease(item.item.id, in: .sealed, now: 6)
            #expect(again.item.rows == 4)
            #expect(try await bench.segments(again).map(\.importID.rawValue) == ["j"])
            try await bench.settle(try await bench.collecting(again, now: 7), now: 8)
            try await bench.closeAll(9)
            #expect(try await bench.find("j").state == .complete)
            #expect(try await bench.find("j").rows.created == 4)
            let cancelled = try await bench.find("i")
            #expect(cancelled.state == .cancelled && cancelled.rows.submitted == 0 && cancelled.rows.created == 0)
        }
    }

    @Test("A submission of the cancelled import alone is gone", arguments: StoreUnderTest.allCases)
    func alone(store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 3)])
            let item = try #require(try await bench.sealed().first)
            _ = try await cancel(bench, "i")
            #expect(try await bench.store.leaseSubmissions(in: [.sealed], for: bench.grant(99), limit: 9).isEmpty)
            #expect(try await bench.store.tasks(of: ImportID(rawValue: "i")).isEmpty)
            #expect(try await bench.segments(item).isEmpty)
            #expect(try await bench.find("i").phase == .closing)
        }
    }

    @Test(
        "What is at the server is followed, and what it would send again is left out",
        arguments: StoreUnderTest.allCases)
    func followed(store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 5)], maximum: 5)
            try await bench.planned("k", [segment(0, 5)], key: "later", linger: 100)
            let item = try await bench.collecting(try #require(try await bench.sealed().first))
            let cancellation = try await cancel(bench, "i")
            #expect(cancellation.followedRows == 5 && cancellation.calledOff.isEmpty)
            #expect(try await bench.find("i").state == .importing)
            try await bench.settle(item, now: 6) { segment, outcome in
                outcome.created = 3
                outcome.again = [
                    .init(rows: RowRuns(3..<5), isolation: nil, mayHaveArrived: false)
                ]
            }
            #expect(try await bench.sealed(7).isEmpty)
            try await bench.closeAll(8)
            let record = try await bench.find("i")
            #expect(record.state == .cancelled && record.rows.created == 3 && record.rows.total == 5)
            #expect(try await bench.find("k").state == .queued)
        }
    }

    @Test("A cancellation that comes too late to leave a row out changes nothing", arguments: StoreUnderTest.allCases)
    func late(store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 5)])
            let item = try await bench.collecting(try #require(try await bench.sealed().first))
            _ = try await cancel(bench, "i")
            try await bench.settle(item, now: 6)
            #expect(try await cancel(bench, "i").found == .cancelledBefore)
            try await bench.closeAll(8)
            #expect(try await bench.find("i").state == .complete)

            try await bench.planned("j", [segment(0, 5)], now: 10)
            try await bench.finishAll(11)
            #expect(try await cancel(bench, "j", 12).found == .ended(.complete))
        }
    }

    @Test(
        "A call that was certainly not made is not made any more for a cancelled import",
        arguments: StoreUnderTest.allCases)
    func notCalled(store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 3)])
            try await bench.planned("j", [segment(0, 4)])
            let item = try #require(try await bench.sealed().first)
            try await bench.store.recordIntent(item, manifestURL: "https://m", at: at(1))
            let cancellation = try await cancel(bench, "i")
            #expect(cancellation.followedRows == 3)
            #expect(cancellation.called == [.submission(item.item.id, fence: item.lease.fence)])
            try await bench.store.recordNotSubmitted(item, until: at(6), reason: "called off", at: at(6))
            let record = try await bench.find("i")
            #expect(record.phase == .closing && record.state == .cancelled)
            let again = try await bench.lease(item.item.id, in: .sealed, now: 7)
            #expect(try await bench.segments(again).map(\.importID.rawValue) == ["j"])
        }
    }

    @Test("Changes whose call has no answer are settled first", arguments: StoreUnderTest.allCases)
    func unanswered(store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 5)], operation: "upsert")
            let item = try #require(try await bench.sealed().first)
            try await bench.store.recordIntent(item, manifestURL: "https://m", at: at(1))
            try await bench.store.recordAmbiguous(item, nextLook: at(2), reason: "lost", at: at(2))
            let doubted = try await bench.lease(item.item.id, in: .ambiguous, now: 3)
            try await bench.store.recordNotSubmitted(doubted, until: at(3), reason: "again", at: at(3))
            let cancellation = try await cancel(bench, "i")
            #expect(cancellation.followedRows == 5, "nobody knows what became of them")
        }
    }

    @Test(
        "Media that only a cancelled import names ends and leaves with it; what others name stays",
        arguments: StoreUnderTest.allCases)
    func media(store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned(
                "i",
                [
                    segment(
                        0, 3,
                        media: [reference("mine", size: 5), reference("ours", size: 6), reference("absent", size: nil)])
                ])
            try await bench.planned("j", [segment(0, 1, media: [reference("ours", size: 6)])])
            let leased = try await bench.leaseMedia()
            let mine = try #require(leased.first { $0.item.path == "mine" })
            let ours = try #require(leased.first { $0.item.path == "ours" })
            let cancellation = try await cancel(bench, "i")
            #expect(cancellation.calledOff.contains(.media(mine.item.id, fence: mine.lease.fence)))
            #expect(!cancellation.calledOff.contains(.media(ours.item.id, fence: ours.lease.fence)))
            await bench.throwsLeaseLost {
                try await bench.store.recordUploaded(mine, content: content(mine), warning: nil, at: at(6))
            }
            try await bench.store.recordUploaded(ours, content: content(ours), warning: nil, at: at(6))
            #expect(try await bench.find("i").openMedia == 0)
            try await bench.closeAll(7)
            let leaving = try await bench.store.leaseLeavingMedia(for: bench.grant(8), limit: 9)
            // Nobody looked for what was waited for: it may be there by now.
            #expect(leaving.map(\.item.path) == ["mine", "absent"])
            try await bench.store.recordMediaDestinations([(leaving[0], "failed/mine")], at: at(8))
            try await bench.store.recordMediaGone(leaving, at: at(9))
            let gone = try await bench.store.mediaPutAway(of: ImportID(rawValue: "i"))
            #expect(gone.map(\.path) == ["mine"] && gone.map(\.destination) == ["failed/mine"])
            try await bench.store.forgetMediaPutAway(of: ImportID(rawValue: "i"))
            #expect(try await bench.store.mediaPutAway(of: ImportID(rawValue: "i")).isEmpty)
            try await bench.finishAll(10)
            #expect(try await bench.find("j").rows.created == 1)
        }
    }

    // MARK: Versions

    @Test("A ledger of version 3 is backed up, brought up to date, and goes on") func older() async throws {
        try await withFolder { folder in
            let path = folder.appending("ledger")
            try SQLiteLedger.createOld(at: path, version: "3")
            let ledger = try SQLiteLedger.open(at: path)
            let bench = Bench(store: ledger)
            try await bench.planned("i", [segment(0, 3)])
            _ = try await asked(bench, "1", .pause)
            #expect(try await cancel(bench, "i").found == .underWay)
            try ledger.close()
            let backup = try DatabaseQueue(path: path.string + ".before-3")
            let versions = try await backup.read { db in
                try String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations ORDER BY identifier")
            }
            #expect(versions == ["1", "2", "3"])
            #expect(try await LedgerExamination.of(path).damage.isEmpty)
        }
    }
}
