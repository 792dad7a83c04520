import Foundation
import Ledger
import SystemPackage
import Testing

@Suite("Runs of rows") struct RowRunsTests {
    static let sets: [Set<Int>] = (0..<200).map { seed in
        var random = SplitMix(state: UInt64(seed))
        let span = Int.random(in: 1...60, using: &random)
        return Set((0..<Int.random(in: 0...50, using: &random)).map { _ in Int.random(in: 0..<span, using: &random) })
    }

    private func runs(_ set: some Sequence<Int>) -> RowRuns {
        set.sorted().reduce(into: RowRuns()) { $0.append($1) }
    }

    @Test("A set of runs is the set of rows that were added", arguments: sets)
    func set(_ rows: Set<Int>) {
        let runs = runs(rows)
        #expect(runs.count == rows.count)
        #expect(runs.isEmpty == rows.isEmpty)
        for row in -2..<64 { #expect(runs.contains(row) == rows.contains(row), "row \(row)") }
        for (one, next) in zip(runs.runs, runs.runs.dropFirst()) { #expect(one.upperBound < next.lowerBound) }
        #expect(runs.runs.allSatisfy { !$0.isEmpty })
    }

    @Test("What is written is read again", arguments: sets)
    func codec(_ rows: Set<Int>) {
        let runs = runs(rows)
        #expect(RowRuns(encoded: runs.encoded) == runs)
    }

    @Test("A split gives the first rows and the others", arguments: sets)
    func split(_ rows: Set<Int>) {
        let sorted = rows.sorted()
        for count in -1...rows.count + 1 {
            let (first, rest) = runs(rows).split(at: count)
            #expect(first == runs(sorted.prefix(max(0, count))))
            #expect(rest == runs(sorted.dropFirst(max(0, count))))
        }
    }

    @Test(
        "Runs are written as people would",
        arguments: [
            ("", []), ("4-4", [4]), ("4-7", [4, 5, 6, 7]), ("4-7,9-9", [4, 5, 6, 7, 9]), ("0-0,2-2", [0, 2]),
        ])
    func words(_ text: String, _ rows: [Int]) {
        #expect(runs(rows).encoded == text)
        #expect(RowRuns(encoded: text) == runs(rows))
    }

    @Test("A row that is added twice is there once") func twice() {
        #expect(runs([3, 3, 4, 4, 4]).runs == [3..<5])
        #expect(RowRuns(2..<2).isEmpty)
        #expect(RowRuns(2..<5) == runs([2, 3, 4]))
    }

    @Test(
        "What is no list of ascending runs is not read",
        arguments: [
            "x", "4", "4-", "-4", "7-4", "4-7,", ",", "4-7,5-9", "4-7,8-9", "9-9,1-2", "4-7-9", "4--7", "a-4-7",
            "4-7;9-9",
            "0-9223372036854775807", "0-99999999999999999999",
        ])
    func malformed(_ text: String) {
        #expect(RowRuns(encoded: text) == nil)
    }
}

@Suite("Bytes of paths") struct PathBytesTests {
    @Test(
        "A path's bytes are kept, whatever they are",
        arguments: [
            [0x61], [0x61, 0x2F, 0xFF, 0xFE], [0xC3, 0x28], [0xED, 0xA0, 0x80], [0x80], [0xF0, 0x9F, 0x92, 0xA9],
            [0x0A, 0x20],
            [],
        ] as [[UInt8]])
    func roundTrip(_ bytes: [UInt8]) {
        #expect(FilePath(rawBytes: bytes).rawBytes == bytes)
    }

    @Test(
        "Paths that differ only in bytes which are no text are different paths in the ledger",
        arguments: StoreUnderTest.allCases)
    func stored(_ store: StoreUnderTest) async throws {
        try await store.run { bench in
            let one = FilePath(rawBytes: [0x61, 0xFF])
            let two = FilePath(rawBytes: [0x61, 0xFE])
            let media = [one, two].map {
                MediaReference(name: "\($0.rawBytes)", root: 0, path: $0, identity: identity(1))
            }
            try await bench.planned("i", [segment(0, 1, media: media)])
            #expect(try await bench.leaseMedia().map(\.item.path) == [one, two])
            #expect(try await bench.store.namedPaths(watch: "w", among: [one]) == [one])
        }
    }
}
