import DataRows
import Foundation
import GRDB
import Ledger
import Locking
import SystemPackage
import Testing

@Suite("The ledger's file") struct SQLiteLedgerTests {
    @Test("What was written is there after the file is opened again") func reopen() async throws {
        try await withFolder { folder in
            let path = folder.appending("ledger")
            let first = try SQLiteLedger.open(at: path)
            try await Bench(store: first).planned("i", [segment(0, 3)])
            let record = try await Bench(store: first).find("i")
            try first.close()
            let second = try SQLiteLedger.open(at: path)
            #expect(try await Bench(store: second).find("i") == record)
            try second.close()
        }
    }

    @Test("A commit waits for the disk, new or opened again") func synchronous() async throws {
        try await withFolder { folder in
            for _ in 0..<2 {
                let ledger = try SQLiteLedger.open(at: folder.appending("ledger"))
                #expect(try await ledger.synchronousMode() == 2)
                try ledger.close()
            }
        }
    }

    @Test("It can be looked at while it is written, and is not created by a look") func readOnly() async throws {
        try await withFolder { folder in
            let path = folder.appending("ledger")
            #expect(throws: LedgerError.self) { try SQLiteLedger.openReadOnly(at: path) }
            #expect(!FileManager.default.fileExists(atPath: path.string))
            let writer = try SQLiteLedger.open(at: path)
            let reader = try SQLiteLedger.openReadOnly(at: path)
            try await Bench(store: writer).planned("i", [segment(0, 3)])
            #expect(try await Bench(store: reader).find("i").rows.total == 3)
            let error = await #expect(throws: LedgerError.self) { try await Bench(store: reader).open("j") }
            guard case .unavailable? = error else {
                Issue.record("expected unavailable, got \(String(describing: error))")
                return
            }
            try reader.close()
            try writer.close()
        }
    }

    @Test("A ledger of a newer version is refused, and left as it is") func newer() async throws {
        try await withFolder { folder in
            let path = folder.appending("ledger")
            try SQLiteLedger.open(at: path).close()
            let queue = try DatabaseQueue(path: path.string)
            try await queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('7')") }
            try queue.close()
            for open in [{ try SQLiteLedger.open(at: path) }, { try SQLiteLedger.openReadOnly(at: path) }] {
                #expect(throws: LedgerError.newer(path: path.string, found: "7")) { _ = try open() }
            }
        }
    }

    @Test("A ledger of version 1 is backed up, brought up to date, and goes on") func older() async throws {
        try await withFolder { folder in
            let path = folder.appending("ledger")
            try SQLiteLedger.createOld(at: path, version: "1")
            let old = try DatabaseQueue(path: path.string)
            try await old.write { db in
                try db.execute(
                    sql: """
                        INSERT INTO imports (id, revision, watch, path, claimed_path, bytes, phase, state, errors,
                            errors_total, rows_total, seen_at, updated_at)
                        VALUES ('i', 1, 'w', x'61', x'62', 5, 'closed', 'complete_with_errors',
                            '[{"code":"c","message":"m","row":3}]', 7, 9, 1, 2);
                        UPDATE counters SET value = 1;
                        INSERT INTO contents VALUES (x'0102', 3, 'https://old', 100);
                        """)
            }
            try old.close()

            // Who only looks changes nothing.
            #expect(throws: LedgerError.self) { try SQLiteLedger.openReadOnly(at: path) }
            let ledger = try SQLiteLedger.open(at: path)
            let record = try await Bench(store: ledger).find("i")
            #expect(record.errorsTotal == 7 && record.errors.map(\.row) == [3])
            #expect(record.warningsTotal == 0 && record.warnings.isEmpty)
            // An upload of which the type was not recorded serves any.
            let known = try await ledger.knownContent(
                sha256: [1, 2], bytes: 3, type: "image/png", uploadedAfter: Date(timeIntervalSince1970: 0))
            #expect(known?.url == "https://old")
            #expect(try await ledger.totals().warnings == ["w": 0])
            try await Bench(store: ledger).planned("j", [segment(0, 3)])
            try ledger.close()

            let backup = try DatabaseQueue(path: path.string + ".before-1")
            let (versions, paths) = try await backup.read { db in
                (
                    try String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations"),
                    try String.fetchAll(db, sql: "SELECT id FROM imports")
                )
            }
            #expect(versions == ["1"])
            #expect(paths == ["i"])
            try backup.close()
        }
    }

    @Test("A file that is no ledger is said to be damaged") func corrupt() async throws {
        try await withFolder { folder in
            let path = folder.appending("ledger")
            try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: path.string))
            let error = #expect(throws: LedgerError.self) { _ = try SQLiteLedger.open(at: path) }
            guard case .corrupt? = error else {
                Issue.record("expected corrupt, got \(String(describing: error))")
                return
            }
        }
    }

    @Test("A damaged page is found when it is read") func damaged() async throws {
        try await withFolder { folder in
            let path = folder.appending("ledger")
            let ledger = try SQLiteLedger.open(at: path)
            for number in 0..<400 { try await Bench(store: ledger).open("i\(number)") }
            try ledger.close()
            let handle = try #require(FileHandle(forUpdatingAtPath: path.string))
            let end = try handle.seekToEnd()
            try handle.seek(toOffset: 4096)
            try handle.write(contentsOf: Data(repeating: 0xFF, count: Int(end) - 4096))
            try handle.close()
            let error = await #expect(throws: LedgerError.self) {
                let ledger = try SQLiteLedger.open(at: path)
                _ = try await ledger.imports(ImportFilter())
            }
            guard case .corrupt? = error else {
                Issue.record("expected corrupt, got \(String(describing: error))")
                return
            }
        }
    }

    // MARK: Commits

    @Test("Steps that wait together share commits") func shared() async throws {
        try await withFolder { folder in
            let statements = Locked<[String]>([])
            let ledger = try SQLiteLedger.open(at: folder.appending("ledger")) { sql in
                statements.withLock { $0.append(sql) }
            }
            statements.withLock { $0 = [] }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<500 { group.addTask { try await Bench(store: ledger).open("i\(number)") } }
                try await group.waitForAll()
            }
            let commits = statements.withLock { $0.count { $0.hasPrefix("COMMIT") } }
            #expect(commits > 0)
            #expect(commits < 250)
            #expect(try await ledger.totals().imports == ["w": [.queued: 500]])
            try ledger.close()
        }
    }

    @Test("A step that fails takes none of its commit with it", .timeLimit(.minutes(1))) func failing() async throws {
        try await withFolder { folder in
            let ledger = try SQLiteLedger.open(at: folder.appending("ledger"))
            let bench = Bench(store: ledger)
            let lost = try await bench.claim("lost")
            let plan = bench.plan([segment(0, 1, media: [reference("m", size: 1)])])
            _ = try await ledger.leaseImports(in: .claimed, for: bench.grant(61, to: bench.other), limit: 1)
            let failures = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<300 {
                    group.addTask {
                        guard number.isMultiple(of: 3) else {
                            try await bench.open("i\(number)")
                            return 0
                        }
                        do {
                            try await ledger.recordPlan(plan, of: lost, isFirst: true, at: at(62))
                            return 0
                        } catch LedgerError.leaseLost {
                            return 1
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(failures == 100)
            #expect(try await ledger.totals().imports == ["w": [.queued: 201]])
            #expect(try await ledger.totals().media.isEmpty)
            try ledger.close()
        }
    }

    // MARK: Plans of queries

    @Test("No step reads history") func plans() async throws {
        try await withFolder { folder in
            let path = folder.appending("ledger")
            let statements = Locked<Set<String>>([])
            let ledger = try SQLiteLedger.open(at: path) { sql in
                statements.withLock { _ = $0.insert(sql) }
            }
            statements.withLock { $0 = [] }
            try await everyStep(Bench(store: ledger))
            try ledger.close()
            let words = ["SELECT", "UPDATE", "INSERT", "DELETE", "WITH"]
            let steps = statements.withLock { all in
                all.filter { sql in words.contains { sql.hasPrefix($0) } }
            }
            #expect(steps.count > 60)
            let queue = try DatabaseQueue(path: path.string)
            try await queue.read { db in
                let partial = try String.fetchAll(
                    db, sql: "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '% WHERE %'")
                #expect(partial.count > 6)
                for sql in steps {
                    let explanation = try db.makeStatement(sql: "EXPLAIN QUERY PLAN \(sql)")
                    explanation.setUncheckedArguments([])  // The plan depends on the schema alone.
                    for row in try Row.fetchAll(explanation) {
                        let detail: String = row["detail"]
                        let names = detail.split(separator: " ").map(String.init)
                        guard names.first == "SCAN", names.count > 1 else { continue }
                        // Tallies and pauses have a row for each watch, a thousand requests are kept; the others are made by the statement itself.
                        let isSmall =
                            names[1].hasSuffix("tallies") || names[1].hasPrefix("(")
                            || ["CONSTANT", "named", "counted", "mine", "pauses", "requests"].contains(names[1])
                        #expect(isSmall || names.contains(where: partial.contains), "\(detail): \(sql)")
                    }
                }
            }
            try queue.close()
        }
    }

    /// Each step at least once; the lists for people alone are left out, since those read what they are asked for.
    private func everyStep(_ bench: Bench) async throws {
        let store = bench.store
        _ = try await store.recover(as: bench.owner, at: at(0))
        let asked = OperatorRequest(id: "r", verb: .pause, watch: "v", askedAt: at(0))
        try await store.take([(asked, Operator(uid: 1, name: "a"))], at: at(0))
        let request = try #require(try await store.openRequests(limit: 1).first)
        try await store.pause(request, outcome: "", at: at(0))
        _ = try await store.pauses()
        try await bench.planned("cancelled", [segment(0, 2, media: [reference("c", size: 1)]), segment(2, 2)])
        _ = try await bench.leaseMedia()
        _ = try await bench.sealed()
        _ = try await store.cancel(ImportID(rawValue: "cancelled"), reason: "r", at: at(0))
        try await bench.open("unread")
        _ = try await store.cancel(ImportID(rawValue: "unread"), reason: "r", at: at(0))
        _ = try await store.mediaPutAway(of: ImportID(rawValue: "cancelled"))
        try await store.forgetMediaPutAway(of: ImportID(rawValue: "cancelled"))
        try await bench.closeAll()
        for item in try await store.leaseLeavingMedia(for: bench.grant(), limit: 9) {
            try await store.recordMediaDestinations([(item, "failed/c")], at: at(0))
            try await store.recordMediaGone([item], at: at(0))
        }
        try await store.resume(request, outcome: "", at: at(0))
        let files = [reference("m", size: 1), reference("n", size: nil), reference("x", size: 1)]
        let item = try await bench.claim("i")
        _ = try await store.hasUnplannedImports(watch: "w")
        try await store.recordSegments([segment(0, 9)], of: item, isFirst: true, at: at(0))
        try await store.recordPlan(bench.plan([segment(9, 9, media: files)]), of: item, isFirst: false, at: at(0))
        try await store.recordPlan(
            bench.plan([], rejected: 1, holds: true), of: try await bench.claim("none"), isFirst: true, at: at(0))
        var ending = bench.plan([])
        ending.ending = (.rejected, "")
        ending.problemsPart = inline(0, "")
        try await store.recordPlan(ending, of: try await bench.claim("bad"), isFirst: true, at: at(0))
        try await bench.planned("held", [segment(0, 1, media: [files[2]])], holds: true)
        try await store.wakeMedia(watch: "w", paths: ["n"], at: at(0))
        for item in try await bench.leaseMedia() {
            switch item.item.path {
            case "m": try await store.recordUploaded(item, content: content(item), warning: nil, at: at(0))
            case "x": try await store.recordFailed(item, failure: failure("x"), at: at(0))
            default:
                try await store.recordFound(item, identity: identity(1), at: at(0))
                try await store.postpone(item, until: at(0), isAwaited: true, at: at(0))
            }
        }
        try await bench.uploadAll()
        _ = try await store.knownContent(sha256: [1], bytes: 1, type: "t", uploadedAfter: at(0))
        _ = try await store.namedPaths(watch: "w", among: ["m"])
        try await store.renewLeases(of: bench.owner, until: at(50))
        let submission = try #require(try await bench.sealed().first)
        try await store.recordIntent(submission, manifestURL: "u", at: at(0))
        try await store.recordAmbiguous(submission, nextLook: at(0), reason: "", at: at(0))
        var again = try await bench.lease(submission.item.id, in: .ambiguous)
        try await store.recordNotSubmitted(again, until: at(0), reason: "", at: at(0))
        again = try await bench.lease(submission.item.id, in: .sealed)
        again = try await bench.collecting(again)
        for segment in try await bench.segments(again) { _ = try await store.mediaOutcomes(segment: segment.origin) }
        _ = try await store.totals()
        try await bench.settle(again) { segment, outcome in
            outcome.failed = segment.sendRows - 1
            outcome.errors = [failure("e")]
            outcome.results = inline(segment.firstRow, "")
            outcome.again = [
                .init(
                    rows: RowRuns(segment.firstRow..<segment.firstRow + 1), isolation: "x\(segment.id)",
                    mayHaveArrived: true)
            ]
        }
        try await bench.finishAll()
        _ = try await store.resultsParts(of: item.item.id)
        try await bench.closeAll()
        let leaving = try await store.leaseLeavingMedia(for: bench.grant(), limit: 9)
        #expect(leaving.count == 3)
        try await store.recordMediaDestinations(leaving.map { ($0, "a") }, at: at(0))
        try await store.recordMediaGone(leaving, at: at(0))
        _ = try await store.imports(changedAfter: 0, limit: 9)
        _ = try await store.find(item.item.id)
        _ = try await store.find(watch: "w", path: "p")
        _ = try await store.find(watch: nil, path: "p")
        _ = try await store.tasks(of: item.item.id)
        _ = try await store.missingMedia(of: item.item.id, limit: 9)
        _ = try await store.revision()
    }
}
