/// Finds rows by their external id, of which many rows may have the same.
///
/// It is made when it is asked for the first time, and afterwards takes in what has been added since: who never asks pays
/// nothing. What is found has to be compared: rows with the same hash, and rows whose id was changed, are in it too.
struct ExternalIDIndex: Sendable {
    /// A row, and the place of the entry before it with the same hash.
    private struct Entry: Sendable {
        var row: Int32
        var earlier: Int32
    }

    private var heads: [UInt64: Int32] = [:]
    private var entries: [Entry] = []
    /// Rows before this one are in it.
    private var known = 0

    /// Takes in the rows that were added since the last time.
    mutating func catchUp(with world: World) {
        while known < world.rows.count {
            add(Int32(known), world)
            known += 1
        }
    }

    /// Takes in a row again whose external id may be another now.
    mutating func changed(_ row: Int32, in world: World) {
        if Int(row) < known { add(row, world) }
    }

    /// The rows that may have this external id, the newest first, each once.
    func candidates(_ text: String) -> [Int32] {
        var text = text
        var next = heads[text.withUTF8 { KeyIndex.hash($0) }] ?? -1
        var found: Set<Int32> = []
        while next >= 0 {
            found.insert(entries[Int(next)].row)
            next = entries[Int(next)].earlier
        }
        return found.sorted(by: >)
    }

    private mutating func add(_ row: Int32, _ world: World) {
        let piece = world.rows[Int(row)].externalID
        guard piece.exists else { return }
        let hash = world.decodedLiteral(piece).withUnsafeBufferPointer { KeyIndex.hash($0) }
        entries.append(Entry(row: row, earlier: heads[hash] ?? -1))
        heads[hash] = Int32(entries.count - 1)
    }
}

extension World {
    /// The rows with this external id that look-ups may know by now, the newest first.
    mutating func rows(externalID: String, now: Moment) -> [Int32] {
        // Moved out while it reads the world, so that neither is copied.
        var index = ExternalIDIndex()
        swap(&index, &externalIDs)
        index.catchUp(with: self)
        swap(&index, &externalIDs)
        return externalIDs.candidates(externalID).filter { number in
            let row = rows[Int(number)]
            return !row.isDeleted && row.created + settings.indexLag <= now
                && self.row(number, hasExternalID: externalID)
        }
    }
}
