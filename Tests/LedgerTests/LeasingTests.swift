import DataRows
import Foundation
import Ledger
import SystemPackage
import Testing

@Suite("Opening and leasing") struct LeasingTests {
    @Test("Opening an import twice leaves the first as it is", arguments: StoreUnderTest.allCases)
    func openTwice(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 3)])
            let before = try await bench.find("i")
            try await bench.open("i", watch: "elsewhere", seen: 9)
            #expect(try await bench.find("i") == before)
            #expect(try await bench.store.totals().imports == ["w": [.queued: 1]])
        }
    }

    @Test("Each import is leased to one owner, oldest first, up to the limit", arguments: StoreUnderTest.allCases)
    func oneOwner(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            for (id, seen) in [("c", 3.0), ("a", 1), ("b", 2)] { try await bench.open(id, seen: seen) }
            let mine = try await bench.store.leaseImports(in: .claimed, for: bench.grant(5), limit: 2)
            let theirs = try await bench.store.leaseImports(
                in: .claimed, for: bench.grant(5, to: bench.other), limit: 9)
            #expect(mine.map(\.item.id.rawValue) == ["a", "b"])
            #expect(theirs.map(\.item.id.rawValue) == ["c"])
        }
    }

    @Test("Concurrent owners never lease the same item", arguments: StoreUnderTest.allCases)
    func concurrentOwners(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            for number in 0..<60 { try await bench.open("i\(number)") }
            let leased = try await withThrowingTaskGroup(of: [String].self) { group in
                for owner in 0..<12 {
                    group.addTask {
                        try await bench.store.leaseImports(
                            in: .claimed, for: bench.grant(to: LeaseOwner(rawValue: "o\(owner)")), limit: 7
                        ).map(\.item.id.rawValue)
                    }
                }
                return try await group.reduce(into: [String]()) { $0 += $1 }
            }
            #expect(leased.count == 60)
            #expect(Set(leased).count == 60)
        }
    }

    @Test(
        "An expired lease is taken with a greater fence, and its old holder changes nothing",
        arguments: StoreUnderTest.allCases)
    func expiredImport(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let old = try await bench.claim("i")
            #expect(
                try await bench.store.leaseImports(in: .claimed, for: bench.grant(59, to: bench.other), limit: 1)
                    .isEmpty)
            let new = try #require(
                try await bench.store.leaseImports(in: .claimed, for: bench.grant(61, to: bench.other), limit: 1).first)
            #expect(new.lease.fence == old.lease.fence + 1)
            let before = try await bench.find("i")
            let closing = Closing(item: old, results: nil, failedRows: nil, destination: "x", releasesMedia: true)
            await bench.throwsLeaseLost {
                try await bench.store.recordPlan(bench.plan([segment(0, 1)]), of: old, isFirst: true, at: at(62))
            }
            await bench.throwsLeaseLost {
                try await bench.store.recordSegments([segment(0, 1)], of: old, isFirst: true, at: at(62))
            }
            await bench.throwsLeaseLost {
                try await bench.store.postpone(old, until: at(99), reason: "r", at: at(62))
            }
            await bench.throwsLeaseLost { try await bench.store.recordDestinations([closing], at: at(62)) }
            await bench.throwsLeaseLost { try await bench.store.recordClosed([closing], at: at(62)) }
            #expect(try await bench.find("i") == before)
            #expect(try await bench.store.revision() == before.revision)
        }
    }

    @Test("An owner that takes its own expired lease again has a new fence", arguments: StoreUnderTest.allCases)
    func sameOwner(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let old = try await bench.claim("i")
            let new = try #require(
                try await bench.store.leaseImports(in: .claimed, for: bench.grant(61), limit: 1).first)
            #expect(new.lease.fence > old.lease.fence)
            await bench.throwsLeaseLost {
                try await bench.store.postpone(old, until: at(99), reason: "r", at: at(62))
            }
        }
    }

    @Test("The old holder of a media file changes nothing", arguments: StoreUnderTest.allCases)
    func expiredMedia(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 1, media: [reference("m", size: 5)])])
            let old = try #require(try await bench.leaseMedia(0).first)
            let new = try #require(
                try await bench.store.leaseMedia(for: bench.grant(61, to: bench.other), limit: 1).first)
            let before = try await bench.find("i")
            let store = bench.store
            await bench.throwsLeaseLost {
                try await store.recordUploaded(old, content: content(old), warning: nil, at: at(62))
            }
            await bench.throwsLeaseLost { try await store.recordFailed(old, failure: failure("x"), at: at(62)) }
            await bench.throwsLeaseLost { try await store.recordFound(old, identity: identity(9), at: at(62)) }
            await bench.throwsLeaseLost {
                try await store.postpone(old, until: at(99), isAwaited: true, at: at(62))
            }
            await bench.throwsLeaseLost { try await store.recordMediaDestinations([(old, "x")], at: at(62)) }
            await bench.throwsLeaseLost { try await store.recordMediaGone([old], at: at(62)) }
            #expect(try await bench.find("i") == before)
            #expect(
                try await store.knownContent(sha256: content(old).sha256, bytes: 5, type: "t", uploadedAfter: at(-9))
                    == nil)
            try await store.recordUploaded(new, content: content(new), warning: nil, at: at(62))
        }
    }

    @Test("The old holder of a submission changes nothing", arguments: StoreUnderTest.allCases)
    func expiredSubmission(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 2)])
            let old = try #require(try await bench.sealed().first)
            let new = try #require(
                try await bench.store.leaseSubmissions(in: [.sealed], for: bench.grant(61, to: bench.other), limit: 1)
                    .first)
            let before = try await bench.find("i")
            let tasks = try await bench.store.tasks(of: before.id)
            let store = bench.store
            let sighting = TaskSighting(
                submission: old.item.id, status: "s", completion: 1, hasEnded: true, nextPoll: at(62), reason: "")
            await bench.throwsLeaseLost { try await store.recordIntent(old, manifestURL: "u", at: at(62)) }
            await bench.throwsLeaseLost {
                try await store.recordNotSubmitted(old, until: at(62), reason: "", at: at(62))
            }
            await bench.throwsLeaseLost {
                try await store.recordTask(
                    old, task: TaskID(rawValue: "t"), status: "s", nextPoll: at(62), at: at(62))
            }
            await bench.throwsLeaseLost {
                try await store.recordAmbiguous(old, nextLook: at(62), reason: "", at: at(62))
            }
            await bench.throwsLeaseLost { try await store.recordSightings([(old, sighting)], at: at(62)) }
            await bench.throwsLeaseLost { try await store.postpone(old, until: at(62), reason: "", at: at(62)) }
            await bench.throwsLeaseLost { try await bench.settle(old, now: 62) }
            #expect(try await bench.find("i") == before)
            #expect(try await store.tasks(of: before.id) == tasks)
            try await store.recordIntent(new, manifestURL: "u", at: at(62))
        }
    }

    @Test("Renewed leases last, those of other owners expire", arguments: StoreUnderTest.allCases)
    func renew(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.open("a")
            let mine = try #require(
                try await bench.store.leaseImports(in: .claimed, for: bench.grant(), limit: 1).first)
            try await bench.open("b")
            _ = try await bench.store.leaseImports(in: .claimed, for: bench.grant(to: bench.other), limit: 1)
            try await bench.store.renewLeases(of: bench.owner, until: at(120))
            let taken = try await bench.store.leaseImports(
                in: .claimed, for: bench.grant(90, to: LeaseOwner(rawValue: "c")), limit: 9)
            #expect(taken.map(\.item.id.rawValue) == ["b"])
            try await bench.store.postpone(mine, until: at(91), reason: "", at: at(91))
        }
    }

    @Test("A postponed import is not leased before it is due", arguments: StoreUnderTest.allCases)
    func postponed(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let item = try await bench.claim("i")
            try await bench.store.postpone(item, until: at(10), reason: "later", at: at(1))
            #expect(try await bench.store.leaseImports(in: .claimed, for: bench.grant(9.5), limit: 1).isEmpty)
            let again = try #require(
                try await bench.store.leaseImports(in: .claimed, for: bench.grant(10), limit: 1).first)
            #expect(again.item.attempts == 1)
            #expect(again.item.delay == "later")
            #expect(again.item.reason == "", "why it ended is another matter")
        }
    }

    @Test("Recovery releases what others held and makes everything due", arguments: StoreUnderTest.allCases)
    func recoverLeases(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let item = try await bench.claim("late")
            try await bench.store.postpone(item, until: at(9_999), reason: "", at: at(0))
            _ = try await bench.claim("held")
            try await bench.planned(
                "media", [segment(0, 1, media: [reference("a", size: 1), reference("b", size: 1)])])
            let media = try await bench.leaseMedia()
            try await bench.store.postpone(media[0], until: at(9_999), isAwaited: true, at: at(0))
            try await bench.planned("ready", [segment(0, 1)], now: 500, linger: 5)

            let recovery = try await bench.store.recover(as: bench.other, at: at(1))
            #expect(recovery.unfinishedImports == 4)
            #expect(recovery.openSubmissions == 0)
            let grant = bench.grant(1, to: bench.other)
            #expect(
                try await bench.store.leaseImports(in: .claimed, for: grant, limit: 9).map(\.item.id.rawValue).sorted()
                    == ["held", "late"])
            #expect(try await bench.store.leaseMedia(for: grant, limit: 9).count == 2)
            #expect(try await bench.store.seal(limit: 1, at: at(1)).next == at(6))
        }
    }

    @Test(
        "After a start every wait and every doubt counts from then, wherever the calendar's clock has leapt to",
        arguments: StoreUnderTest.allCases, [-900_000.0, 30, 900_000])
    func clockLeaps(_ store: StoreUnderTest, to now: Double) async throws {
        try await store.run { bench in
            try await bench.planned("media", [segment(0, 1, media: [reference("a", size: nil)])])
            for (number, id) in ["doubtful", "called", "running"].enumerated() {
                try await bench.planned(id, [segment(0, 1)], key: "k\(number)")
            }
            var names: [SubmissionID: String] = [:]
            for item in try await bench.sealed() {
                let id = try await bench.segments(item)[0].importID.rawValue
                names[item.item.id] = id
                try await bench.store.recordIntent(item, manifestURL: "u", at: at(0))
                if id == "doubtful" {
                    try await bench.store.recordAmbiguous(item, nextLook: at(5), reason: "lost", at: at(0))
                } else if id == "running" {
                    try await bench.store.recordTask(
                        item, task: TaskID(rawValue: "t"), status: "s", nextPoll: at(5), at: at(0))
                }
            }
            _ = try await bench.store.recover(as: bench.other, at: at(now))
            let grant = LeaseGrant(owner: bench.other, now: at(now), until: at(now + 60))
            let doubts = try await bench.store.leaseSubmissions(in: [.ambiguous], for: grant, limit: 9)
            #expect(Set(doubts.map { names[$0.item.id] }) == ["doubtful", "called"])
            #expect(doubts.allSatisfy { $0.item.submittedAt == at(now) })
            let running = try await bench.store.leaseSubmissions(in: [.submitted], for: grant, limit: 9)
            #expect(running.map(\.item.submittedAt) == [at(min(now, 0))], "its age is told, and never less than none")
            let media = try await bench.store.leaseMedia(for: grant, limit: 9)
            #expect(media.map(\.item.since) == [at(now)])
        }
    }

    @Test("Recovery keeps the leases of the owner that recovers", arguments: StoreUnderTest.allCases)
    func recoverOwn(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let item = try await bench.claim("i")
            _ = try await bench.store.recover(as: bench.owner, at: at(1))
            try await bench.store.postpone(item, until: at(2), reason: "", at: at(2))
        }
    }

    @Test("Recovery makes ambiguous what was being submitted, and nothing else", arguments: StoreUnderTest.allCases)
    func recoverSubmitting(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            for (number, id) in ["calling", "built", "polled"].enumerated() {
                try await bench.planned(id, [segment(0, 1)], key: "k\(number)")
            }
            let items = try await bench.sealed()
            var calling: SubmissionID?
            for item in items {
                let id = try await bench.segments(item)[0].importID.rawValue
                if id != "built" { try await bench.store.recordIntent(item, manifestURL: "u", at: at(0)) }
                if id == "polled" {
                    try await bench.store.recordTask(
                        item, task: TaskID(rawValue: "t"), status: "s", nextPoll: at(9_999), at: at(0))
                }
                if id == "calling" { calling = item.item.id }
            }
            let recovery = try await bench.store.recover(as: bench.other, at: at(1))
            #expect(recovery.openSubmissions == 3)
            #expect(recovery.ambiguousSubmissions == 1)
            #expect(try await bench.store.totals().submissions == [.ambiguous: 1, .sealed: 1, .submitted: 1])
            let grant = bench.grant(1, to: bench.other)
            let ambiguous = try await bench.store.leaseSubmissions(in: [.ambiguous], for: grant, limit: 9)
            #expect(ambiguous.map(\.item.id) == [try #require(calling)])
            #expect(try await bench.store.leaseSubmissions(in: [.submitted], for: grant, limit: 9).count == 1)
        }
    }
}
