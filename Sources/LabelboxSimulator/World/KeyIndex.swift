/// Finds a row by its global key: a table of row numbers, four bytes a slot; the keys stay in the slabs.
struct KeyIndex: Sendable {
    private var slots: [Int32]
    /// Slots that were ever taken since the table was made, removed ones included.
    private var taken = 0
    private(set) var count = 0
    private static let empty: Int32 = -1
    private static let removed: Int32 = -2

    init() { slots = Array(repeating: Self.empty, count: 1 << 10) }

    typealias Keys = (Int32) -> UnsafeBufferPointer<UInt8>

    @inline(__always)
    func find(_ key: UnsafeBufferPointer<UInt8>, keys: Keys) -> Int32? {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: Self.hash(key)) & mask
        while slots[slot] != Self.empty {
            let row = slots[slot]
            if row >= 0, Self.same(keys(row), key) { return row }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// Adds a row whose key is in no other row.
    @inline(__always)
    mutating func add(_ row: Int32, key: UnsafeBufferPointer<UInt8>, keys: Keys) {
        if (taken + 1) * 8 > slots.count * 5 { grow(keys: keys) }
        place(row, hash: Self.hash(key))
        count += 1
    }

    mutating func remove(_ key: UnsafeBufferPointer<UInt8>, keys: Keys) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: Self.hash(key)) & mask
        while slots[slot] != Self.empty {
            if slots[slot] >= 0, Self.same(keys(slots[slot]), key) {
                slots[slot] = Self.removed
                count -= 1
                return
            }
            slot = (slot + 1) & mask
        }
    }

    @inline(__always)
    private mutating func place(_ row: Int32, hash: UInt64) {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != Self.empty { slot = (slot + 1) & mask }
        slots[slot] = row
        taken += 1
    }

    private mutating func grow(keys: Keys) {
        let old = slots
        slots = Array(repeating: Self.empty, count: max(1 << 10, (count + 1) * 4).nextPowerOfTwo)
        taken = 0
        for row in old where row >= 0 { place(row, hash: Self.hash(keys(row))) }
    }

    static func same(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
        a.count == b.count && a.elementsEqual(b)
    }

    /// Eight bytes at a step, mixed by multiplication.
    @inline(__always)
    static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
        func mix(_ word: UInt64) {
            let product = (hash ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
            hash = product.high ^ product.low
        }
        let raw = UnsafeRawBufferPointer(bytes)
        var index = 0
        while index + 8 <= raw.count {
            mix(raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            index += 8
        }
        var tail: UInt64 = 0
        while index < raw.count {
            tail = tail << 8 | UInt64(raw[index])
            index += 1
        }
        mix(tail)
        return hash
    }
}

extension Int {
    fileprivate var nextPowerOfTwo: Int { 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
