import DataRows
import Foundation
import Ledger
import Testing

@Suite("Submissions") struct SubmissionTests {
    @Test("A submission goes from sealed to settled, and its import with it", arguments: StoreUnderTest.allCases)
    func phases(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 3)])
            var item = try #require(try await bench.sealed().first)
            let id = item.item.id
            #expect(try await bench.find("i").state == .queued)
            try await bench.store.recordIntent(item, manifestURL: "https://m", at: at(1))
            #expect(try await bench.store.totals().submissions == [.submitting: 1])
            try await bench.store.recordNotSubmitted(item, until: at(5), reason: "503", at: at(2))
            #expect(
                try await bench.store.leaseSubmissions(in: [.sealed], for: bench.grant(4), limit: 9).isEmpty)
            item = try await bench.lease(id, in: .sealed, now: 5)
            #expect(item.item.reason == "503")
            #expect(item.item.submittedAt == nil)
            #expect(item.item.attempts == 1)

            try await bench.store.recordIntent(item, manifestURL: "https://m", at: at(5))
            try await bench.store.recordTask(
                item, task: TaskID(rawValue: "t"), status: "IN_PROGRESS", nextPoll: at(6), at: at(5))
            var record = try await bench.find("i")
            #expect(record.state == .importing)
            #expect(record.rows.submitted == 3)
            #expect(record.startedAt == at(5))

            item = try await bench.lease(id, in: .submitted, now: 6)
            #expect(item.item.taskID == TaskID(rawValue: "t"))
            #expect(item.item.manifestURL == "https://m")
            var sighting = TaskSighting(
                submission: id, status: "IN_PROGRESS", completion: 40, hasEnded: false, nextPoll: at(8), reason: "")
            try await bench.store.recordSightings([(item, sighting)], at: at(6))
            #expect(try await bench.store.tasks(of: record.id).map(\.completion) == [40])
            item = try await bench.lease(id, in: .submitted, now: 8)
            let revision = try await bench.store.revision()
            try await bench.store.recordSightings([(item, sighting)], at: at(8))
            #expect(try await bench.store.revision() == revision, "nothing new was seen")
            item = try await bench.lease(id, in: .submitted, now: 8)
            sighting.hasEnded = true
            sighting.status = "COMPLETE"
            try await bench.store.recordSightings([(item, sighting)], at: at(9))
            item = try await bench.lease(id, in: .collecting, now: 9)
            try await bench.store.postpone(item, until: at(10), reason: "results are not there yet", at: at(9))
            item = try await bench.lease(id, in: .collecting, now: 10)
            try await bench.settle(item, now: 10)
            record = try await bench.find("i")
            #expect(record.state == .complete)
            #expect(record.phase == .closing)
            #expect(record.rows.created == 3)
            #expect(try await bench.store.totals().submissions.isEmpty)
            #expect(
                try await bench.store.leaseSubmissions(in: [.settled], for: bench.grant(9_999), limit: 9).isEmpty)
        }
    }

    @Test(
        "An ambiguous submission is looked at again, and can be settled without a task",
        arguments: StoreUnderTest.allCases)
    func ambiguous(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 4)])
            var item = try #require(try await bench.sealed().first)
            let id = item.item.id
            try await bench.store.recordIntent(item, manifestURL: "u", at: at(0))
            try await bench.store.recordAmbiguous(item, nextLook: at(5), reason: "reset", at: at(1))
            #expect(try await bench.find("i").state == .importing)
            item = try await bench.lease(id, in: .ambiguous, now: 5)
            try await bench.settle(item, now: 5) { _, outcome in
                outcome.alreadyPresent = 1
                outcome.again = [.init(rows: RowRuns(1..<4), mayHaveArrived: true)]
            }
            #expect(try await bench.find("i").rows.submitted == 0)
            item = try #require(try await bench.sealed(5).first)
            let again = try #require(try await bench.segments(item).first)
            #expect(again.only == RowRuns(1..<4))
            #expect(again.earlierSends == 1)
            #expect(again.sendRows == 3)
        }
    }

    @Test("What was found before a call is kept until the submission is settled", arguments: StoreUnderTest.allCases)
    func findings(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 4)])
            var item = try #require(try await bench.sealed().first)
            let id = item.item.id
            #expect(try await bench.store.findings(of: id) == nil)
            try await bench.store.recordFindings(item, found: Data("first".utf8), at: at(0))
            try await bench.store.recordFindings(item, found: Data("second".utf8), at: at(0))
            #expect(try await bench.find("i").startedAt == nil)
            try await bench.store.recordIntent(item, manifestURL: nil, at: at(1))
            #expect(try await bench.find("i").startedAt == at(1), "there will be no task to tell of a start")
            try await bench.store.recordAmbiguous(item, nextLook: at(5), reason: "reset", at: at(1))
            let stale = item
            item = try await bench.lease(id, in: .ambiguous, now: 5)
            #expect(try await bench.store.findings(of: id) == Data("second".utf8))
            await #expect(throws: LedgerError.self) {
                try await bench.store.recordFindings(stale, found: Data("third".utf8), at: at(5))
            }
            try await bench.settle(item, now: 6) { _, outcome in outcome.deleted = 4 }
            #expect(try await bench.store.findings(of: id) == nil)
            #expect(try await bench.find("i").rows.deleted == 4)
            #expect(try await bench.find("i").state == .complete)
        }
    }

    @Test(
        "Changes of other imports that were begun earlier are known until they end", arguments: StoreUnderTest.allCases)
    func earlierChanges(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            // Two segments of one import, and one of another, each a submission.
            try await bench.planned("i", [segment(0, 2), segment(2, 2)], key: "k", maximum: 2, operation: "upsert")
            let own = try await bench.sealed()
            try #require(own.count == 2)
            try await bench.planned("j", [segment(0, 2)], now: 1, key: "k", maximum: 2, operation: "upsert")
            let later = try #require(try await bench.sealed(1).first)
            for item in own {
                #expect(
                    try await !bench.store.isPrecededByChanges(item.item), "neither its own import nor what is later")
            }
            #expect(try await bench.store.isPrecededByChanges(later.item))
            for (count, item) in own.enumerated() {
                #expect(try await bench.store.isPrecededByChanges(later.item), "\(count)")
                try await bench.settle(item, now: 2)
            }
            #expect(try await !bench.store.isPrecededByChanges(later.item))
        }
    }

    @Test("Segments come by pages in the order of their numbers", arguments: StoreUnderTest.allCases)
    func pages(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", (0..<5).map { segment($0, 1) })
            let item = try #require(try await bench.sealed().first)
            var after: Int64 = 0
            var rows: [[Int]] = []
            while true {
                let page = try await bench.store.segments(of: item.item.id, after: after, limit: 2)
                guard let last = page.last else { break }
                after = last.id
                rows.append(page.map(\.firstRow))
            }
            #expect(rows == [[0, 1], [2, 3], [4]])
        }
    }
}

@Suite("Settling") struct SettlingTests {
    @Test(
        "An import ends as its rows did",
        arguments: [
            (created: 3, failed: 0, rejected: 0, state: ImportState.complete),
            (created: 2, failed: 1, rejected: 0, state: .completeWithErrors),
            (created: 3, failed: 0, rejected: 1, state: .completeWithErrors),
            (created: 0, failed: 3, rejected: 0, state: .failed),
            (created: 0, failed: 3, rejected: 2, state: .failed),
        ])
    func states(_ row: (created: Int, failed: Int, rejected: Int, state: ImportState)) async throws {
        try await StoreUnderTest.sqlite.run { bench in
            try await bench.planned("i", [segment(0, 3)], rejected: row.rejected)
            try await bench.finishAll { _, outcome in
                outcome.created = row.created
                outcome.failed = row.failed
            }
            let record = try await bench.find("i")
            #expect(record.state == row.state)
            #expect(record.phase == .closing)
            #expect(record.rows.ended == record.rows.total)
        }
    }

    @Test(
        "Every kind of outcome is added up, and the first hundred errors are kept",
        arguments: StoreUnderTest.allCases)
    func counts(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 90), segment(90, 90), segment(180, 90)], maximum: 90)
            try await bench.finishAll { segment, outcome in
                outcome.created = 1
                outcome.updated = 2
                outcome.alreadyPresent = 3
                outcome.deleted = 4
                outcome.failed = 80
                outcome.errors = (0..<60).map { failure("e", row: segment.firstRow + $0) }
                outcome.results = inline(segment.firstRow, "\(segment.firstRow)\n")
            }
            let record = try await bench.find("i")
            #expect(record.rows.created == 3)
            #expect(record.rows.updated == 6)
            #expect(record.rows.alreadyPresent == 9)
            #expect(record.rows.deleted == 12)
            #expect(record.rows.failed == 240)
            #expect(record.rows.submitted == 270)
            #expect(record.errors.count == ErrorEntry.kept)
            #expect(record.errorsTotal == 240)
        }
    }

    @Test(
        "Rows that are sent again keep their import open, and are no longer counted as submitted",
        arguments: StoreUnderTest.allCases)
    func again(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(10, 10, media: [reference("m", size: 1)])])
            try await bench.uploadAll()
            var rows = RowRuns(12..<14)
            rows.append(19)
            try await bench.finishAll { segment, outcome in
                outcome.created = 7
                outcome.again = [.init(rows: rows, mayHaveArrived: false)]
                #expect(segment.only == nil)
            }
            var record = try await bench.find("i")
            #expect(record.phase == .moving)
            #expect(record.openSegments == 1)
            #expect(record.rows.submitted == 7)
            let item = try #require(try await bench.sealed().first)
            #expect(item.item.rows == 3)
            let segment = try #require(try await bench.segments(item).first)
            #expect(segment.only == rows)
            #expect(segment.earlierSends == 0)
            #expect(segment.firstRow == 10)
            #expect(segment.id != segment.origin)
            #expect(try await bench.store.mediaOutcomes(segment: segment.origin).count == 1)
            try await bench.settle(try await bench.collecting(item))
            record = try await bench.find("i")
            #expect(record.rows.submitted == 10)
            #expect(record.rows.created == 10)
            #expect(record.state == .complete)
        }
    }

    @Test("Outcomes that do not fit the submission's segments change nothing", arguments: StoreUnderTest.allCases)
    func incomplete(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 1), segment(1, 1)])
            try await bench.planned("j", [segment(0, 1)], key: "other")
            let items = try await bench.sealed()
            let item = try await bench.collecting(try #require(items.first { $0.item.rows == 2 }))
            let foreign = try await bench.segments(try #require(items.first { $0.item.rows == 1 }))
            let before = try await bench.find("i")
            let ids = try await bench.segments(item).map(\.id)
            for wrong in [[ids[0]], [], [ids[0], ids[0]], [ids[0], 999], ids + foreign.map(\.id)] {
                let outcomes = wrong.map { id in
                    var outcome = SegmentOutcome(segment: id)
                    outcome.created = 1
                    return outcome
                }
                let error = await #expect(throws: LedgerError.self, "\(wrong)") {
                    try await bench.store.settle(item, outcomes: outcomes, status: "", reason: "", at: at(1))
                }
                if case .leaseLost? = error { Issue.record("\(wrong): the lease is held") }
            }
            #expect(try await bench.find("i") == before)
            #expect(try await bench.segments(item).map(\.id) == ids)
            try await bench.settle(item)
            #expect(try await bench.find("i").state == .complete)
        }
    }

    @Test("By which mutation it is handed over is known with the intent", arguments: StoreUnderTest.allCases)
    func ways(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 3)])
            var item = try #require(try await bench.sealed().first)
            #expect(item.item.submitWith == .upsertDataRows)
            item.item.submitWith = .createDataRow
            try await bench.store.recordIntent(item, manifestURL: nil, at: at(1))
            try await bench.store.recordAmbiguous(item, nextLook: at(2), reason: "lost", at: at(1))
            item = try await bench.lease(item.item.id, in: .ambiguous, now: 2)
            #expect(item.item.submitWith == .createDataRow)
            #expect(try await bench.store.tasks(of: ImportID(rawValue: "i")).count == 1)

            let segments = try await bench.store.segments(of: item.item.id, after: 0, limit: 9)
            var outcome = SegmentOutcome(segment: try #require(segments.first).id)
            outcome.created = 2
            outcome.failed = 1
            try await bench.store.settle(item, outcomes: [outcome], status: "CREATED", reason: "", at: at(3))
            let record = try await bench.find("i")
            #expect(record.rows.submitted == 3, "rows count as submitted though there is no task")
            #expect(try await bench.store.tasks(of: record.id).isEmpty, "and no task is shown")
        }
    }
}
