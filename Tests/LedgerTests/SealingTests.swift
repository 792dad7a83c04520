import DataRows
import Foundation
import Ledger
import Testing

@Suite("Sealing") struct SealingTests {
    @Test(
        "Full submissions are sealed at once, the rest when nothing was added for the linger",
        arguments: StoreUnderTest.allCases)
    func fills(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", (0..<5).map { segment($0 * 40, 40) }, linger: 10)
            let sealing = try await bench.store.seal(limit: 9, at: at(0))
            #expect(sealing.sealed == 2)
            #expect(sealing.next == at(10))
            #expect(try await bench.store.seal(limit: 9, at: at(9.9)).sealed == 0)
            #expect(
                try await bench.store.seal(limit: 9, at: at(10))
                    == {
                        var s = Sealing(); s.sealed = 1; return s
                    }())
            let items = try await bench.sealed(10)
            #expect(items.map(\.item.rows).sorted() == [40, 80, 80])
        }
    }

    @Test("A segment larger than a task is sealed alone", arguments: StoreUnderTest.allCases)
    func large(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 500), segment(500, 1)])
            #expect(try await bench.sealed().map(\.item.rows).sorted() == [1, 500])
        }
    }

    @Test(
        "Rows that are added put the submission off, but not beyond ten times the linger",
        arguments: StoreUnderTest.allCases)
    func quietTime(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            for step in 0..<20 {
                let now = Double(step) * 9
                try await bench.planned("i\(step)", [segment(0, 1)], now: now, linger: 10)
                let sealing = try await bench.store.seal(limit: 9, at: at(now))
                #expect(sealing.sealed == (step == 12 ? 1 : 0), "at \(now) s")
                if sealing.sealed == 0 {
                    let first = step > 12 ? 117.0 : 0
                    #expect(sealing.next == at(min(now + 10, first + 100)))
                }
            }
        }
    }

    @Test("Isolated rows go at once and apart from all others", arguments: StoreUnderTest.allCases)
    func isolation(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 10)], linger: 10)
            let sealed = try #require(try await bench.sealed(10).first)
            try await bench.settle(try await bench.collecting(sealed, now: 10), now: 10) { _, outcome in
                outcome.again = [
                    .init(rows: RowRuns(0..<5), isolation: "x", mayHaveArrived: false),
                    .init(rows: RowRuns(5..<9), isolation: "y", mayHaveArrived: false),
                    .init(rows: RowRuns(9..<10), mayHaveArrived: true),
                ]
            }
            try await bench.planned("j", [segment(0, 3)], now: 10, linger: 10)
            let sealing = try await bench.store.seal(limit: 9, at: at(10))
            #expect(sealing.sealed == 2)
            #expect(sealing.next == at(20))
            let items = try await bench.sealed(20)
            #expect(Set(items.map { "\($0.item.isolation ?? "-") \($0.item.rows)" }) == ["x 5", "y 4", "- 4"])
        }
    }

    @Test("Imports share a submission, one entry for each in their tasks", arguments: StoreUnderTest.allCases)
    func shared(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            for number in 1...3 { try await bench.planned("i\(number)", [segment(0, number)]) }
            try await bench.planned("apart", [segment(0, 1)], key: "other")
            let items = try await bench.sealed()
            #expect(items.map(\.item.rows).sorted() == [1, 6])
            for number in 1...3 {
                let tasks = try await bench.store.tasks(of: ImportID(rawValue: "i\(number)"))
                #expect(tasks.map(\.rows) == [number])
                #expect(tasks.map(\.phase) == [.sealed])
            }
        }
    }

    @Test("Sealing stops at the limit and says that more is due now", arguments: StoreUnderTest.allCases)
    func limit(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", (0..<5).map { segment($0, 1) }, maximum: 1)
            let first = try await bench.store.seal(limit: 3, at: at(0))
            #expect(first.sealed == 3)
            #expect(first.next == at(0))
            let second = try await bench.store.seal(limit: 3, at: at(0))
            #expect(second.sealed == 2)
            #expect(second.next == nil)
        }
    }

    @Test("A segment without a row to send is not left behind", arguments: StoreUnderTest.allCases)
    func empty(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            try await bench.planned("i", [segment(0, 4, valid: 0)], rejected: 4, linger: 10)
            #expect(try await bench.store.seal(limit: 3, at: at(0)).next == at(10))
            #expect(try await bench.store.seal(limit: 3, at: at(10)).sealed == 1)
        }
    }
}
