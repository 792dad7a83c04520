/// Counts how often each hash was seen, for as many hashes as it may hold.
///
/// Open addressing in two flat arrays: 8 bytes a slot that every row touches, 4 that only repetitions touch.
struct RepetitionTable {
    private var hashes: [UInt64]
    private var repetitions: [UInt32]
    private var used = 0
    private let capacity: Int

    /// - Parameter capacity: how many different hashes it takes.
    init(capacity: Int) {
        self.capacity = max(capacity, 1)
        hashes = [UInt64](repeating: 0, count: 1024)
        repetitions = [UInt32](repeating: 0, count: 1024)
    }

    /// Counts one more.
    ///
    /// - Returns: how often it was seen before; nil if the table is full and has never seen it.
    mutating func count(_ hash: UInt64) -> Int? {
        // 0 marks an empty slot; that it is counted as 1 makes a repetition more, and nothing wrong.
        let hash = hash == 0 ? 1 : hash
        let mask = hashes.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let found = hashes[slot]
            if found == hash {
                repetitions[slot] &+= 1
                return Int(repetitions[slot])
            }
            if found == 0 { break }
            slot = (slot &+ 1) & mask
        }
        guard used < capacity else { return nil }
        hashes[slot] = hash
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
