internal import DataRows
internal import Glibc

/// The rows that a task created, by their global keys.
///
/// A task has up to some twenty thousand of them, so their names lie in one piece of memory and no row is an object of its
/// own. An open table with linear probing, at most half full; its hash is another one in each process, since keys are chosen
/// by whoever writes manifests.
struct CreatedTable: Sendable {
    /// Where a row's names are: the key, and behind it the id.
    private struct Entry {
        var start: Int
        var keyCount: UInt32
        var idCount: UInt32
    }

    private static let seed = UInt64.random(in: .min ... .max)

    private var bytes: [UInt8] = []
    private var entries: [Entry] = []
    /// Indices of entries, from 1; 0 is free.
    ///
    /// Their number is a power of two.
    private var slots: [UInt32] = []

    var count: Int { entries.count }

    /// Makes room for so many rows more, so that memory need not be taken anew while they are added.
    mutating func reserve(_ rows: Int) {
        // Labelbox's ids have 25 bytes, keys some more.
        bytes.reserveCapacity(bytes.count + rows * 64)
        entries.reserveCapacity(entries.count + rows)
        while (entries.count + rows) * 2 > slots.count { grow() }
    }

    /// Adds a row, unless one with its key is there.
    ///
    /// - Returns: whether it was added.
    mutating func insert(key: UnsafeRawBufferPointer, id: UnsafeRawBufferPointer) -> Bool {
        if (entries.count + 1) * 2 > slots.count { grow() }
        let place = place(of: key)
        guard slots[place] == 0 else { return false }
        entries.append(
            Entry(start: bytes.count, keyCount: UInt32(clamping: key.count), idCount: UInt32(clamping: id.count)))
        bytes.append(contentsOf: key)
        bytes.append(contentsOf: id)
        slots[place] = UInt32(entries.count)
        return true
    }

    /// The id of the row with a key, to be looked at only within `body`; `nil` where there is none.
    func withID<Answer>(ofKey key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Answer) -> Answer? {
        guard !slots.isEmpty, case let slot = slots[place(of: key)], slot != 0 else { return nil }
        let entry = entries[Int(slot) - 1]
        return bytes.withUnsafeBytes { bytes in
            let start = entry.start + Int(entry.keyCount)
            return body(UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(entry.idCount)]))
        }
    }

    /// The slot that holds a key, or the free one where it would be put.
    private func place(of key: UnsafeRawBufferPointer) -> Int {
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: Self.hash(key)) & mask
        return bytes.withUnsafeBytes { bytes in
            while case let slot = slots[place], slot != 0 {
                let entry = entries[Int(slot) - 1]
                if Self.isEqual(
                    UnsafeRawBufferPointer(rebasing: bytes[entry.start..<entry.start + Int(entry.keyCount)]), key)
                {
                    return place
                }
                place = (place + 1) & mask
            }
            return place
        }
    }

    private static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        key.baseAddress.map { RepetitionHash.of($0, key.count, seed: seed) } ?? 0
    }

    private static func isEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        guard let first = left.baseAddress, let second = right.baseAddress else { return true }
        return memcmp(first, second, left.count) == 0
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: max(64, slots.count * 2))
        let mask = slots.count - 1
        bytes.withUnsafeBytes { bytes in
            for (index, entry) in entries.enumerated() {
                let key = UnsafeRawBufferPointer(rebasing: bytes[entry.start..<entry.start + Int(entry.keyCount)])
                var place = Int(truncatingIfNeeded: Self.hash(key)) & mask
                while slots[place] != 0 { place = (place + 1) & mask }
                slots[place] = UInt32(index + 1)
            }
        }
    }
}
