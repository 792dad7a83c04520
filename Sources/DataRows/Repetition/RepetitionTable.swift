/// What is told of a row whose hash was seen before.
enum Repeated {
    /// How many rows with its hash came before.
    case ordinal
    /// The number of the first row with its hash, plus one.
    case firstRow
}

/// Counts how often each hash was seen, for as many hashes as it may hold.
///
/// Open addressing in two flat arrays: 8 bytes a slot that every row touches, 4 that only repetitions touch.
struct RepetitionTable {
    private var hashes: [UInt64]
    /// How often a hash was seen before, or the first row that had it.
    private var repetitions: [UInt32]
    private var used = 0
    private let capacity: Int
    private let told: Repeated

    /// - Parameters:
    ///   - capacity: how many different hashes it takes.
    ///   - told: what is told of a hash that was seen before.
    init(capacity: Int, told: Repeated) {
        self.capacity = max(capacity, 1)
        self.told = told
        hashes = [UInt64](repeating: 0, count: 1024)
        repetitions = [UInt32](repeating: 0, count: 1024)
    }

    /// Takes in one more.
    ///
    /// - Parameters:
    ///   - hash: the row's.
    ///   - row: the row's number, below 2^32 where the first row is told.
    /// - Returns: 0 for a hash that is new, else what is told of it; nil if the table is full and has never seen it.
    mutating func take(_ hash: UInt64, row: UInt64) -> Int? {
        // 0 marks an empty slot; that it is counted as 1 makes a repetition more, and nothing wrong.
        let hash = hash == 0 ? 1 : hash
        let mask = hashes.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let found = hashes[slot]
            if found == hash {
                if told == .firstRow { return Int(repetitions[slot]) + 1 }
                repetitions[slot] &+= 1
                return Int(repetitions[slot])
            }
            if found == 0 { break }
            slot = (slot &+ 1) & mask
        }
        guard used < capacity else { return nil }
        hashes[slot] = hash
        if told == .firstRow { repetitions[slot] = UInt32(truncatingIfNeeded: row) }
        used += 1
        if used * 3 > hashes.count * 2 { grow() }
        return 0
    }

    private mutating func grow() {
        let (oldHashes, oldRepetitions) = (hashes, repetitions)
        hashes = [UInt64](repeating: 0, count: oldHashes.count * 2)
        repetitions = [UInt32](repeating: 0, count: hashes.count)
        let mask = hashes.count - 1
        for (hash, repetition) in zip(oldHashes, oldRepetitions) where hash != 0 {
            var slot = Int(truncatingIfNeeded: hash) & mask
            while hashes[slot] != 0 { slot = (slot &+ 1) & mask }
            hashes[slot] = hash
            repetitions[slot] = repetition
        }
    }
}
