import DataRows
import Foundation
import Ledger
import SystemPackage
import Testing

@Suite("Views") struct ViewsTests {
    @Test("Changes are read by pages, each import once, at its latest change", arguments: StoreUnderTest.allCases)
    func changes(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            for number in 0..<7 { try await bench.open("i\(number)", seen: Double(number)) }
            let middle = try await bench.store.revision()
            for item in try await bench.store.leaseImports(in: .claimed, for: bench.grant(9), limit: 3) {
                try await bench.store.postpone(item, until: at(20), reason: "", at: at(9))
            }
            func changes(after: Int) async throws -> [String] {
                var after = after
                var seen: [String] = []
                while let page = try? await bench.store.imports(changedAfter: after, limit: 2), let last = page.last {
                    after = last.revision
                    seen += page.map(\.id.rawValue)
                }
                #expect(after == (try await bench.store.revision()))
                return seen
            }
            #expect(try await changes(after: 0) == ["i3", "i4", "i5", "i6", "i0", "i1", "i2"])
            #expect(try await changes(after: middle) == ["i0", "i1", "i2"])
        }
    }

    @Test("Imports are listed newest first, by watch, state and age", arguments: StoreUnderTest.allCases)
    func list(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            for number in 0..<4 {
                try await bench.planned(
                    "i\(number)", [], watch: number < 2 ? "v" : "w", now: Double(number), rejected: number % 2)
            }
            func ids(_ filter: ImportFilter) async throws -> [String] {
                try await bench.store.imports(filter).map(\.id.rawValue)
            }
            #expect(try await ids(ImportFilter()) == ["i3", "i2", "i1", "i0"])
            #expect(try await ids(ImportFilter(watch: "v")) == ["i1", "i0"])
            #expect(try await ids(ImportFilter(states: [.rejected])) == ["i3", "i1"])
            #expect(try await ids(ImportFilter(states: [.rejected, .complete], limit: 1)) == ["i3"])
            #expect(try await ids(ImportFilter(seenBefore: at(2))) == ["i1", "i0"])
            let second = try await bench.find("i2").revision
            #expect(try await ids(ImportFilter(before: second)) == ["i1", "i0"])
        }
    }

    @Test("An import is found by its path, with or without the watch", arguments: StoreUnderTest.allCases)
    func path(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            for (id, watch, seen) in [("a", "v", 1.0), ("b", "w", 2), ("c", "w", 3)] {
                try await bench.store.open(
                    [
                        NewImport(
                            id: ImportID(rawValue: id), watch: watch, path: "same.json", claimedPath: "c", bytes: 1,
                            seenAt: at(seen))
                    ], at: at(seen))
            }
            #expect(try await bench.store.find(watch: "w", path: "same.json").map(\.id.rawValue) == ["c", "b"])
            #expect(try await bench.store.find(watch: nil, path: "same.json").map(\.id.rawValue) == ["c", "b", "a"])
            #expect(try await bench.store.find(watch: nil, path: "other.json").isEmpty)
            #expect(try await bench.store.find(ImportID(rawValue: "none")) == nil)
        }
    }

    @Test("Tasks are listed newest first with their manifests, open or ended", arguments: StoreUnderTest.allCases)
    func tasks(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 2)])
            try await bench.finishAll(1)
            try await bench.planned("j", [segment(0, 3)], now: 2)
            try await bench.planned("k", [segment(0, 4)], now: 3)
            _ = try await bench.sealed(3)
            func rows(_ isOpen: Bool?) async throws -> [String] {
                try await bench.store.tasks(isOpen: isOpen, limit: 9).map { task, imports in
                    "\(task.rows) \(imports.map(\.id.rawValue).joined(separator: "+"))"
                }
            }
            #expect(try await rows(nil) == ["7 j+k", "2 i"])
            #expect(try await rows(true) == ["7 j+k"])
            #expect(try await rows(false) == ["2 i"])
            #expect(try await bench.store.tasks(of: ImportID(rawValue: "j")).map(\.rows) == [3])
        }
    }

    @Test("The totals say when the oldest unfinished import of a watch was seen", arguments: StoreUnderTest.allCases)
    func oldest(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [], now: 1)
            try await bench.open("j", seen: 5)
            try await bench.open("k", watch: "v", seen: 7)
            #expect(try await bench.store.totals().oldestUnfinished == ["w": at(1), "v": at(7)])
            try await bench.closeAll(8)
            #expect(try await bench.store.totals().oldestUnfinished == ["w": at(5), "v": at(7)])
        }
    }

    @Test(
        "After any walk, the totals are what counting the imports gives, and each import's counts add up",
        arguments: 0..<12)
    func walk(_ seed: UInt64) async throws {
        try await StoreUnderTest.sqlite.run { bench in
            var walk = Walk(bench: bench, random: SplitMix(state: seed))
            for step in 0..<120 {
                try await walk.step()
                try await walk.check("seed \(seed), step \(step)")
            }
            try await walk.finish()
            try await walk.check("seed \(seed), end")
            let totals = try await bench.store.totals()
            #expect(totals.oldestUnfinished.isEmpty)
            #expect(totals.readySegments == 0)
            #expect(totals.submissions.isEmpty)
        }
    }
}

/// The generator of Steele, Lea and Flood (2014): the same walk for the same seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Steps of the pipeline in a random order.
private struct Walk {
    let bench: Bench
    var random: SplitMix
    var now = 0.0
    var opened = 0

    mutating func step() async throws {
        now += Double.random(in: 0..<3, using: &random)
        switch Int.random(in: 0..<9, using: &random) {
        case 0, 1:
            try await bench.open("i\(opened)", watch: ["v", "w"].randomElement(using: &random) ?? "", seen: now)
            opened += 1
        case 2: try await plan(limit: 2)
        case 3: try await media(limit: 3)
        case 4: _ = try await bench.store.seal(limit: 2, at: at(now))
        case 5: try await submit(limit: 2)
        case 6: try await poll(limit: 2)
        case 7: try await collect(limit: 2)
        default: try await close(limit: 2)
        }
    }

    /// Goes on until nothing is left to do.
    mutating func finish() async throws {
        for _ in 0..<100 where try await !bench.store.totals().oldestUnfinished.isEmpty {
            now += 1000
            try await plan(limit: 99)
            try await media(limit: 99)
            _ = try await bench.store.seal(limit: 99, at: at(now))
            try await submit(limit: 99)
            try await poll(limit: 99)
            try await collect(limit: 99)
            try await close(limit: 99)
        }
    }

    mutating func plan(limit: Int) async throws {
        for item in try await bench.store.leaseImports(in: .claimed, for: bench.grant(now), limit: limit) {
            let segments = (0..<Int.random(in: 0..<4, using: &random)).map { number in
                let media = (0..<Int.random(in: 0..<3, using: &random)).map { _ in
                    let name = "m\(Int.random(in: 0..<6, using: &random))"
                    return reference(name, size: Bool.random(using: &random) ? 3 : nil)
                }
                return segment(number * 10, 10, valid: Int.random(in: 0...10, using: &random), media: media)
            }
            var plan = bench.plan(
                segments, rejected: Int.random(in: 0..<3, using: &random),
                key: ["k", "l"].randomElement(using: &random) ?? "", maximum: 15,
                linger: Double.random(in: 0..<9, using: &random), holds: Int.random(in: 0..<4, using: &random) == 0)
            let roll = Int.random(in: 0..<10, using: &random)
            if roll == 0 { plan.ending = (.rejected, "no") }
            if roll == 1 {
                try await bench.store.postpone(item, until: at(now + 5), reason: "later", at: at(now))
                continue
            }
            let early = Int.random(in: 0...segments.count, using: &random)
            plan.segments = Array(segments.dropFirst(early))
            try await bench.store.recordSegments(Array(segments.prefix(early)), of: item, isFirst: true, at: at(now))
            try await bench.store.recordPlan(plan, of: item, isFirst: false, at: at(now))
        }
    }

    mutating func media(limit: Int) async throws {
        for item in try await bench.store.leaseMedia(for: bench.grant(now), limit: limit) {
            if item.item.identity == nil {
                try await bench.store.recordFound(item, identity: identity(3), at: at(now))
            }
            switch Int.random(in: 0..<6, using: &random) {
            case 0: try await bench.store.recordFailed(item, failure: failure("x"), at: at(now))
            case 1:
                try await bench.store.postpone(
                    item, until: at(now + 4), isAwaited: Bool.random(using: &random), at: at(now))
            default:
                var done = content(item, at: at(now))
                done.bytes = 3
                try await bench.store.recordUploaded(item, content: done, warning: nil, at: at(now))
            }
        }
        let leaving = try await bench.store.leaseLeavingMedia(for: bench.grant(now), limit: limit)
        try await bench.store.recordMediaGone(leaving, at: at(now))
    }

    mutating func submit(limit: Int) async throws {
        let phases: [SubmissionPhase] = [.sealed, .ambiguous]
        for item in try await bench.store.leaseSubmissions(in: phases, for: bench.grant(now), limit: limit) {
            let roll = Int.random(in: 0..<6, using: &random)
            if item.item.phase == .ambiguous, roll < 3 {
                try await settle(item)
                continue
            }
            try await bench.store.recordIntent(item, manifestURL: "u", at: at(now))
            switch roll {
            case 0: try await bench.store.recordNotSubmitted(item, until: at(now + 1), reason: "", at: at(now))
            case 1: try await bench.store.recordAmbiguous(item, nextLook: at(now + 1), reason: "", at: at(now))
            default:
                try await bench.store.recordTask(
                    item, task: TaskID(rawValue: "t-\(item.item.id)"), status: "s", nextPoll: at(now), at: at(now))
            }
        }
    }

    mutating func poll(limit: Int) async throws {
        let items = try await bench.store.leaseSubmissions(in: [.submitted], for: bench.grant(now), limit: limit)
        let sightings = items.map { item in
            (
                item,
                TaskSighting(
                    submission: item.item.id, status: "s", completion: 5, hasEnded: Bool.random(using: &random),
                    nextPoll: at(now), reason: "")
            )
        }
        try await bench.store.recordSightings(sightings, at: at(now))
    }

    mutating func collect(limit: Int) async throws {
        for item in try await bench.store.leaseSubmissions(in: [.collecting], for: bench.grant(now), limit: limit) {
            try await settle(item)
        }
    }

    private mutating func settle(_ item: Leased<SubmissionRecord>) async throws {
        var outcomes: [SegmentOutcome] = []
        for segment in try await bench.segments(item) {
            var outcome = SegmentOutcome(segment: segment.id)
            let rows = segment.only ?? RowRuns(segment.firstRow..<segment.firstRow + segment.sendRows)
            let (ended, again) = rows.split(at: Int.random(in: 0...rows.count, using: &random))
            outcome.created = Int.random(in: 0...ended.count, using: &random)
            outcome.failed = ended.count - outcome.created
            if !again.isEmpty {
                let isolation = Bool.random(using: &random) ? "x\(segment.id)" : nil
                outcome.again = [
                    .init(rows: again, isolation: isolation, mayHaveArrived: Bool.random(using: &random))
                ]
            }
            outcomes.append(outcome)
        }
        try await bench.store.settle(item, outcomes: outcomes, status: "s", reason: "", at: at(now))
    }

    mutating func close(limit: Int) async throws {
        for item in try await bench.store.leaseImports(in: .closing, for: bench.grant(now), limit: limit) {
            let closing = Closing(
                item: item, results: nil, failedRows: nil, destination: nil,
                releasesMedia: Bool.random(using: &random))
            try await bench.store.recordClosed([closing], at: at(now))
        }
    }

    /// Counts everything anew from the imports themselves.
    func check(_ place: String) async throws {
        var imports: [String: [ImportState: Int]] = [:]
        var rows: [String: RowCounts] = [:]
        var oldest: [String: Date] = [:]
        for record in try await bench.store.imports(ImportFilter(limit: 10_000)) {
            imports[record.watch, default: [:]][record.state, default: 0] += 1
            var sum = rows[record.watch] ?? RowCounts()
            sum.total += record.rows.total
            sum.rejected += record.rows.rejected
            sum.submitted += record.rows.submitted
            sum.created += record.rows.created
            sum.failed += record.rows.failed
            rows[record.watch] = sum
            if record.phase != .closed {
                oldest[record.watch] = min(oldest[record.watch] ?? .distantFuture, record.seenAt)
            }
            let comment = Comment(rawValue: "\(place): \(record)")
            #expect(record.rows.ended <= record.rows.total, comment)
            #expect(record.rows.submitted >= 0, comment)
            #expect(record.openSegments >= 0, comment)
            #expect(record.openMedia >= 0 && record.openMedia <= record.media.files, comment)
            #expect(record.media.uploadedFiles <= record.media.files - record.openMedia, comment)
            #expect(record.media.uploadedBytes <= record.media.bytes, comment)
            #expect(record.phase != .moving || record.openSegments > 0, comment)
            let missing = try await bench.store.missingMedia(of: record.id, limit: 99)
            #expect((record.state == .waitingForMedia) == (record.phase == .moving && !missing.isEmpty), comment)
            if record.phase == .closing, record.state != .rejected {
                #expect(record.rows.ended == record.rows.total, comment)
            }
        }
        let totals = try await bench.store.totals()
        #expect(totals.imports == imports, Comment(rawValue: place))
        #expect(totals.rows == rows, Comment(rawValue: place))
        #expect(totals.oldestUnfinished == oldest, Comment(rawValue: place))
    }
}
