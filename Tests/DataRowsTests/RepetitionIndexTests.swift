import DataRows
import SystemPackage
import Testing

@Suite struct Repetitions {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// What the index should say, by a dictionary of everything.
    private func naive(_ hashes: [UInt64]) -> [Int: Int] {
        var seen: [UInt64: Int] = [:]
        var ordinals: [Int: Int] = [:]
        for (row, hash) in hashes.enumerated() {
            let earlier = seen[hash, default: 0]
            if earlier > 0 { ordinals[row] = earlier }
            seen[hash] = earlier + 1
        }
        return ordinals
    }

    private func index(_ hashes: [UInt64], memoryRows: Int) throws -> RepetitionIndex? {
        var builder = RepetitionIndexBuilder(at: scratch.path.appending("index"), memoryRows: memoryRows)
        for (row, hash) in hashes.enumerated() { try builder.add(row: row, hash: hash) }
        return try builder.finish()
    }

    static let shapes: [(rows: Int, distinct: UInt64, memoryRows: Int, seed: UInt64)] = [
        (0, 1, 16, 1), (1, 1, 16, 1), (1000, 1, 16, 2), (1000, 10, 16, 3), (1000, 500, 16, 4), (5000, 4000, 16, 5),
        (5000, 100_000, 64, 6), (20_000, 15_000, 1000, 7), (20_000, 15_000, 100_000, 8), (9000, 2, 100, 9),
        (30_000, 20_000, 100, 10),
    ]

    @Test(arguments: shapes)
    func ordinalsAreThoseOfTheNaiveCount(_ shape: (rows: Int, distinct: UInt64, memoryRows: Int, seed: UInt64)) throws {
        var random = SeededRandom(shape.seed)
        let hashes = (0..<shape.rows).map { _ in
            // Spread over all bits, 0 among them.
            (random.next() % shape.distinct) &* 0x9e37_79b9_7f4a_7c15
        }
        let expected = naive(hashes)
        let index = try index(hashes, memoryRows: shape.memoryRows)
        #expect(try index?.ordinals(for: 0..<shape.rows) ?? [:] == expected)
        #expect(index?.count ?? 0 == expected.count)
        for _ in 0..<20 {
            let low = Int(random.next() % UInt64(shape.rows + 1))
            let high = low + Int(random.next() % UInt64(shape.rows - low + 1))
            #expect(try index?.ordinals(for: low..<high) ?? [:] == expected.filter { (low..<high).contains($0.key) })
        }
    }

    @Test func withoutRepetitionsThereIsNoFile() throws {
        #expect(try index([1, 2, 3], memoryRows: 16) == nil)
        #expect(try scratch.names() == [])
    }

    @Test func anIndexIsFoundAgainAndNothingElseIsLeft() throws {
        _ = try index((0..<1000).map { $0 % 300 &* 0x9e37_79b9_7f4a_7c15 }, memoryRows: 16)
        #expect(try scratch.names() == ["index"])
        let again = try RepetitionIndex(at: scratch.path.appending("index"))
        #expect(try again.ordinals(for: 299..<303) == [300: 1, 301: 1, 302: 1])
        // An index that has become empty removes the old one.
        _ = try index([1, 2], memoryRows: 16)
        #expect(try scratch.names() == [])
    }

    @Test func anUnfinishedIndexLeavesNothing() throws {
        do {
            var builder = RepetitionIndexBuilder(at: scratch.path.appending("index"), memoryRows: 16)
            for row in 0..<10_000 { try builder.add(row: row, hash: UInt64(row % 2)) }
        }
        #expect(try scratch.names() == [])
    }

    @Test func aDamagedIndexIsNotBelieved() throws {
        for bytes in [[], Array("drrep".utf8), [UInt8](repeating: 0, count: 32)] {
            _ = try scratch.manifest(bytes, "index.json")
            #expect(throws: DamagedIndex.self) { try RepetitionIndex(at: scratch.path.appending("index.json")) }
        }
        _ = try index([5, 5, 5], memoryRows: 16)
        let path = scratch.path.appending("index")
        let whole = try FileDescriptor.open(path, .readWrite)
        try whole.resize(to: 40)
        try whole.close()
        #expect(throws: DamagedIndex.self) { try RepetitionIndex(at: path) }
    }

    @Test func identicalRowsOfAManifestGetDistinctKeys() throws {
        let row = #"{"row_data":"t"}"#
        let manifest = try scratch.manifest([row, #"{"row_data":"u"}"#, row, row].joined(separator: "\n"), "a.jsonl")
        var builder = RepetitionIndexBuilder(at: scratch.path.appending("index"))
        for row in try Survey(manifest).rows { try builder.add(row: row.index, hash: row.repetitionHash) }
        let index = try builder.finish()
        let ordinals = try #require(index).ordinals(for: 0..<4)
        #expect(ordinals == [2: 1, 3: 2])
        let found = try splice(manifest, policy: RowPolicy()) { RowAddition(ordinal: ordinals[$0] ?? 0) }
        #expect(Set(found.identities.map { found.chunk.string(in: $0.globalKey ?? 0..<0) }).count == 4)
    }

    @Test func theHashTellsRowsApart() throws {
        // Every length around the words it is read in, and every single changed byte.
        var hashes: Set<UInt64> = []
        var count = 0
        for length in 1...70 {
            let text = String(repeating: "x", count: length)
            for at in -1..<length {
                var bytes = Array(text.utf8)
                if at >= 0 { bytes[at] = 0x79 }
                let manifest = try scratch.manifest([0x5b, 0x22] + bytes + [0x22, 0x5d], "a.json")
                hashes.insert(try Survey(manifest).rows[0].repetitionHash)
                count += 1
            }
        }
        #expect(hashes.count == count)
    }
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
