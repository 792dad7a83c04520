/// Finds all rows with a name that is not unique: chains of row numbers, eight bytes a row; the names stay in the slabs.
///
/// Rows are taken in when somebody looks, so that an import costs nothing for a lookup that may never come.
struct NameIndex: Sendable {
    /// The newest row of each chain.
    private var heads: [Int32] = Array(repeating: -1, count: 1 << 10)
    /// The next older row of the same chain, for each row.
    private var older: [Int32] = []

    /// How many rows were taken in: those with the lowest numbers.
    var count: Int { older.count }

    /// Takes in the next row; `nil` for one without a name.
    mutating func add(_ hash: UInt64?, hashes: (Int32) -> UInt64?) {
        if older.count >= heads.count * 2 { grow(hashes) }
        let row = Int32(older.count)
        older.append(-1)
        if let hash { link(row, hash) }
    }

    /// Moves a row to another name.
    mutating func change(_ row: Int32, from old: UInt64?, to new: UInt64?) {
        guard Int(row) < older.count, old != new else { return }
        if let old {
            var at = heads[slot(old)]
            if at == row {
                heads[slot(old)] = older[Int(row)]
            } else {
                while at >= 0, older[Int(at)] != row { at = older[Int(at)] }
                if at >= 0 { older[Int(at)] = older[Int(row)] }
            }
        }
        older[Int(row)] = -1
        if let new { link(row, new) }
    }

    /// Rows that may have a name, newest first.
    func forEach(_ hash: UInt64, _ body: (Int32) -> Void) {
        var at = heads[slot(hash)]
        while at >= 0 {
            body(at)
            at = older[Int(at)]
        }
    }

    private func slot(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (heads.count - 1) }

    private mutating func link(_ row: Int32, _ hash: UInt64) {
        older[Int(row)] = heads[slot(hash)]
        heads[slot(hash)] = row
    }

    private mutating func grow(_ hashes: (Int32) -> UInt64?) {
        heads = Array(repeating: -1, count: heads.count * 4)
        for row in older.indices {
            older[row] = -1
            if let hash = hashes(Int32(row)) { link(Int32(row), hash) }
        }
    }
}
