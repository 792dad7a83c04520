import DataRows
import Dispatch
import Foundation
import GRDB
import Ledger
import Locking
import SystemPackage
import Testing

@Suite("Views of the ledger") struct ViewQueueTests {
    @Test("A view sees what was written before it was asked for, however many wait with it", .timeLimit(.minutes(1)))
    func fresh() async throws {
        try await withFolder { folder in
            let ledger = try SQLiteLedger.open(at: folder.appending("ledger"))
            let bench = Bench(store: ledger)
            let unseen = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<64 {
                    group.addTask {
                        var unseen = 0
                        for step in 0..<20 {
                            let id = "i\(number)-\(step)"
                            try await bench.open(id)
                            if try await ledger.find(ImportID(rawValue: id)) == nil { unseen += 1 }
                        }
                        return unseen
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(unseen == 0)
            try ledger.close()
        }
    }

    @Test("A view that was asked for while another is read sees what was written in between", .timeLimit(.minutes(1)))
    func freshWhileBusy() async throws {
        try await withFolder { folder in
            let pool = try DatabasePool(path: folder.appending("views.sqlite").string)
            try await pool.write { try $0.execute(sql: "CREATE TABLE steps (number INTEGER)") }
            // One connection, so that who comes later has to wait for it.
            let views = ViewQueue(reader: pool, connections: 1)
            let (isReading, mayEnd) = (AsyncStream<Void>.makeStream(), DispatchSemaphore(value: 0))
            let count: @Sendable (Database) throws -> Int? = { try Int.fetchOne($0, sql: "SELECT count(*) FROM steps") }
            async let first = views.perform { db in
                // The transaction has its moment from the first look on.
                let before = try count(db)
                isReading.continuation.yield()
                mayEnd.wait()
                return [before, try count(db)]
            }
            for await _ in isReading.stream { break }
            try await pool.write { try $0.execute(sql: "INSERT INTO steps VALUES (1)") }
            async let second = views.perform(count)
            while views.waitingCount == 0 { await Task.yield() }
            mayEnd.signal()
            #expect(try await first == [0, 0], "a view is of one moment")
            #expect(try await second == 1)
            try pool.close()
        }
    }

    @Test("Views that wait together share a transaction, and each gets its own answer") func shared() async throws {
        try await withFolder { folder in
            let begun = Locked(0)
            let ledger = try SQLiteLedger.open(at: folder.appending("ledger")) { sql in
                if sql.hasPrefix("BEGIN DEFERRED") { begun.withLock { $0 += 1 } }
            }
            let bench = Bench(store: ledger)
            for number in 0..<50 { try await bench.open("i\(number)") }
            begun.withLock { $0 = 0 }
            let right = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<500 {
                    let id = ImportID(rawValue: "i\(number % 50)")
                    group.addTask { try await ledger.find(id)?.id == id }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(right == 500)
            #expect(begun.withLock { $0 } > 0)
            #expect(begun.withLock { $0 } < 250)
            try ledger.close()
        }
    }

    @Test("A view that fails takes no other with it", .timeLimit(.minutes(1))) func failing() async throws {
        try await withFolder { folder in
            let path = folder.appending("ledger")
            let ledger = try SQLiteLedger.open(at: path)
            let bench = Bench(store: ledger)
            for number in 0..<10 { try await bench.open("i\(number)") }
            let other = try DatabaseQueue(path: path.string)
            try await other.write { try $0.execute(sql: "UPDATE imports SET state = 'odd' WHERE id = 'i3'") }
            let failures = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<300 {
                    group.addTask {
                        do {
                            let found = try await ledger.find(ImportID(rawValue: "i\(number % 10)"))
                            return found == nil ? 1_000 : 0
                        } catch LedgerError.corrupt {
                            return 1
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(failures == 30)
            try other.close()
            try ledger.close()
        }
    }

    @Test("Who is called off asks for nothing") func cancelled() async throws {
        try await withFolder { folder in
            let ledger = try SQLiteLedger.open(at: folder.appending("ledger"))
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await ledger.revision()
            }
            await #expect(throws: (any Error).self) { _ = try await task.value }
            #expect(try await ledger.revision() == 0)
            try ledger.close()
        }
    }
}
