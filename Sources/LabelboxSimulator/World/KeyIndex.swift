internal import Glibc

/// Finds a row by its global key: a table of row numbers; the keys stay in the slabs.
///
/// A slot has half of its key's hash beside the row, so that other rows' keys, which are nowhere near, are hardly ever looked at.
struct KeyIndex: Sendable {
    private struct Slot {
        var tag: UInt32
        var row: Int32

        static let empty = Slot(tag: 0, row: -1)
        var isEmpty: Bool { row == -1 }
        static let removed: Int32 = -2
    }

    private var slots: [Slot]
    /// Slots that were ever taken since the table was made, removed ones included.
    private var taken = 0
    private(set) var count = 0

    init() { slots = Array(repeating: .empty, count: 1 << 10) }

    typealias Keys = (Int32) -> UnsafeBufferPointer<UInt8>

    @inline(__always)
    func find(_ key: UnsafeBufferPointer<UInt8>, keys: Keys) -> Int32? {
        place(of: key, keys: keys).map { slots[$0].row }
    }

    /// Adds a row whose key is in no other row.
    @inline(__always)
    mutating func add(_ row: Int32, key: UnsafeBufferPointer<UInt8>) {
        if (taken + 1) * 8 > slots.count * 5 { grow() }
        put(Slot(tag: Self.tag(key), row: row))
        count += 1
    }

    mutating func remove(_ key: UnsafeBufferPointer<UInt8>, keys: Keys) {
        guard let place = place(of: key, keys: keys) else { return }
        slots[place].row = Slot.removed
        count -= 1
    }

    @inline(__always)
    private func place(of key: UnsafeBufferPointer<UInt8>, keys: Keys) -> Int? {
        let mask = slots.count - 1
        let tag = Self.tag(key)
        var place = Int(tag) & mask
        while case let slot = slots[place], !slot.isEmpty {
            if slot.tag == tag, slot.row >= 0, Self.same(keys(slot.row), key) { return place }
            place = (place + 1) & mask
        }
        return nil
    }

    @inline(__always)
    private mutating func put(_ slot: Slot) {
        let mask = slots.count - 1
        var place = Int(slot.tag) & mask
        while !slots[place].isEmpty { place = (place + 1) & mask }
        slots[place] = slot
        taken += 1
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: .empty, count: max(1 << 10, (count + 1) * 4).nextPowerOfTwo)
        taken = 0
        for slot in old where slot.row >= 0 { put(slot) }
    }

    @inline(__always)
    private static func tag(_ key: UnsafeBufferPointer<UInt8>) -> UInt32 { UInt32(truncatingIfNeeded: hash(key)) }

    static func same(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
        guard a.count == b.count, let first = a.baseAddress, let second = b.baseAddress else {
            return a.count == b.count
        }
        return memcmp(first, second, a.count) == 0
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
