internal import SystemPackage

/// Rows that memory has no room for, in one nameless file, divided by some bits of their hashes into shares
/// that can be counted one after the other.
final class Spill {
    static let shares = 64
    private static let blockPairs = 1024

    /// Which six bits of the hash decide.
    let level: Int
    private let file: PairFile
    /// A block for each share, in one piece: this sees every row.
    private let pending: UnsafeMutablePointer<Pair>
    private let counts: UnsafeMutablePointer<Int>
    private var blocks: [[Range<Int64>]]

    init(_ path: FilePath, level: Int) throws {
        file = try PairFile(path, isNameless: true)
        self.level = level
        pending = .allocate(capacity: Self.shares * Self.blockPairs)
        counts = .allocate(capacity: Self.shares)
        counts.initialize(repeating: 0, count: Self.shares)
        blocks = Array(repeating: [], count: Self.shares)
    }

    deinit {
        pending.deallocate()
        counts.deallocate()
    }

    @inline(__always) func add(_ pair: Pair) throws {
        // The highest bits: the table takes the lowest.
        let share = Int((pair.first &<< UInt64(level &* 6)) &>> 58)
        let count = counts[share]
        (pending + (share &* Self.blockPairs &+ count)).initialize(to: pair)
        counts[share] = count &+ 1
        if count &+ 1 == Self.blockPairs { try write(share) }
    }

    private func write(_ share: Int) throws {
        let block = UnsafeBufferPointer(start: pending + share * Self.blockPairs, count: counts[share])
        blocks[share].append(try file.append(Array(block)))
        counts[share] = 0
    }

    func flush() throws {
        for share in 0..<Self.shares where counts[share] > 0 { try write(share) }
    }

    /// How many rows one share has, once all are written.
    func count(of share: Int) -> Int {
        blocks[share].reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) / PairFile.width }
    }

    /// The rows of one share, in order.
    func forEach(in share: Int, _ body: (Pair) throws -> Void) throws {
        for block in blocks[share] {
            let count = Int(block.upperBound - block.lowerBound) / PairFile.width
            for pair in try PairFile.read(file.descriptor, from: block.lowerBound, limit: count) { try body(pair) }
        }
    }
}
