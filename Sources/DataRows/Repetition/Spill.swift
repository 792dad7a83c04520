internal import SystemPackage

/// Rows that memory has no room for, in one nameless file, divided by some bits of their hashes into shares
/// that can be counted one after the other.
final class Spill {
    static let shares = 64
    private static let blockPairs = 1024

    /// Which six bits of the hash decide.
    let level: Int
    private let file: PairFile
    private var pending: [[Pair]]
    private var blocks: [[Range<Int64>]]

    init(_ path: FilePath, level: Int) throws {
        self.level = level
        file = try PairFile(path, isNameless: true)
        pending = Array(repeating: [], count: Self.shares)
        blocks = Array(repeating: [], count: Self.shares)
    }

    func add(_ pair: Pair) throws {
        // The highest bits: the table takes the lowest.
        let share = Int((pair.first << UInt64(level * 6)) >> 58)
        pending[share].append(pair)
        if pending[share].count == Self.blockPairs { try write(share) }
    }

    private func write(_ share: Int) throws {
        blocks[share].append(try file.append(pending[share]))
        pending[share].removeAll(keepingCapacity: true)
    }

    func flush() throws {
        for share in 0..<Self.shares {
            if !pending[share].isEmpty { try write(share) }
            pending[share] = []
        }
    }

    /// The rows of one share, in order.
    func forEach(in share: Int, _ body: (Pair) throws -> Void) throws {
        for block in blocks[share] {
            let count = Int(block.upperBound - block.lowerBound) / PairFile.width
            for pair in try PairFile.read(file.descriptor, from: block.lowerBound, limit: count) { try body(pair) }
        }
    }
}
