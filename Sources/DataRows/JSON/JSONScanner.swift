/// One member of a row's own object: where its key and its value stand in the window.
///
/// `keyStart` is the first byte inside the quotes, `keyEnd` the closing quote.
struct JSONMember {
    var keyStart: Int32
    var keyEnd: Int32
    var valueStart: Int32
    var valueEnd: Int32
    var key: RowKey
}

/// A strict check of one JSON value (RFC 8259, shortest-form UTF-8) in one pass over bytes in memory.
///
/// It only tells *that* a text is wrong; ``JSONSkimmer`` tells where and why. A `\ud800` escape without its
/// partner is let through, as Python's `json` does: it is well-formed text, and the bytes go on as they are.
///
/// Unchecked pointers: this loop sees every byte of every manifest. What makes it safe is that at least
/// ``slack`` zero bytes follow `end`: a zero byte stops every inner loop, so none can run past them.
struct JSONScanner {
    /// How many zero bytes must follow the text.
    static let slack = 16
    /// The text ends before the value does.
    static let incomplete = -2
    /// The text is not JSON.
    static let malformed = -1

    let bytes: UnsafePointer<UInt8>
    let end: Int
    /// Nothing follows `end`, so a number that touches it is whole.
    let isLast: Bool
    /// 1...64.
    let depthLimit: Int

    @inline(__always) private func word(_ at: Int) -> UInt64 {
        UnsafeRawPointer(bytes).loadUnaligned(fromByteOffset: at, as: UInt64.self)
    }

    @inline(__always) func skipSpace(_ at: inout Int) {
        while true {
            let byte = bytes[at]
            if byte > 0x20 { return }
            if byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { at &+= 1 } else { return }
        }
    }

    /// From the byte after the opening quote to the byte after the closing one.
    @inline(__always) func string(_ start: Int) -> Int {
        var at = start
        while true {
            while true {
                // Eight bytes at a time: the high bit of each byte that is a quote, a backslash, below 0x20 or
                // above 0x7f. A borrow can only raise false marks *after* a true one, so the first is true.
                let chunk = word(at)
                let quote = chunk ^ 0x2222_2222_2222_2222
                let backslash = chunk ^ 0x5c5c_5c5c_5c5c_5c5c
                let ones: UInt64 = 0x0101_0101_0101_0101
                var marks = (quote &- ones) & ~quote
                marks |= (backslash &- ones) & ~backslash
                marks |= (chunk &- 0x2020_2020_2020_2020) & ~chunk
                marks = (marks | chunk) & 0x8080_8080_8080_8080
                if marks != 0 {
                    at &+= marks.trailingZeroBitCount &>> 3
                    break
                }
                at &+= 8
            }
            let byte = bytes[at]
            if byte == 0x22, at < end { return at &+ 1 }
            if at >= end { return Self.incomplete }
            if byte == 0x5c {
                let next = escape(at)
                if next < 0 { return next }
                at = next
            } else if byte < 0x20 {
                return Self.malformed
            } else {
                repeat {
                    let next = multibyte(at)
                    if next < 0 { return next }
                    at = next
                } while bytes[at] >= 0x80
            }
        }
    }

    private func escape(_ at: Int) -> Int {
        if at &+ 1 >= end { return Self.incomplete }
        switch bytes[at &+ 1] {
        case 0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74: return at &+ 2
        case 0x75:
            if at &+ 6 > end { return Self.incomplete }
            for k in 2..<6 where hexValue(bytes[at &+ k]) == nil { return Self.malformed }
            return at &+ 6
        default: return Self.malformed
        }
    }

    @inline(__always) private func multibyte(_ at: Int) -> Int {
        let lead = bytes[at]
        if lead < 0xc2 || lead > 0xf4 { return Self.malformed }
        let length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
        if at &+ length > end { return Self.incomplete }
        let second = bytes[at &+ 1]
        if second & 0xc0 != 0x80 { return Self.malformed }
        if length > 2 {
            if bytes[at &+ 2] & 0xc0 != 0x80 { return Self.malformed }
            if length > 3, bytes[at &+ 3] & 0xc0 != 0x80 { return Self.malformed }
            // Longer than need be, a surrogate, or past U+10FFFF.
            if lead == 0xe0, second < 0xa0 { return Self.malformed }
            if lead == 0xed, second > 0x9f { return Self.malformed }
            if lead == 0xf0, second < 0x90 { return Self.malformed }
            if lead == 0xf4, second > 0x8f { return Self.malformed }
        }
        return at &+ length
    }

    @inline(__always) private func digits(_ at: inout Int) -> Bool {
        let start = at
        while bytes[at] &- 0x30 < 10 { at &+= 1 }
        return at > start
    }

    /// From the first character of a number to the byte after it.
    @inline(__always) func number(_ start: Int) -> Int {
        var at = start
        if bytes[at] == 0x2d { at &+= 1 }
        if bytes[at] == 0x30 {
            at &+= 1
        } else if !digits(&at) {
            return at >= end ? Self.incomplete : Self.malformed
        }
        if bytes[at] == 0x2e {
            at &+= 1
            if !digits(&at) { return at >= end ? Self.incomplete : Self.malformed }
        }
        if bytes[at] | 0x20 == 0x65 {
            at &+= 1
            if bytes[at] == 0x2b || bytes[at] == 0x2d { at &+= 1 }
            if !digits(&at) { return at >= end ? Self.incomplete : Self.malformed }
        }
        return at >= end && !isLast ? Self.incomplete : at
    }

    @inline(__always) private func literal(_ at: Int, _ length: Int, _ tail: UInt32) -> Int {
        if at &+ length > end { return Self.incomplete }
        let last = UnsafeRawPointer(bytes).loadUnaligned(fromByteOffset: at &+ length &- 4, as: UInt32.self)
        return last == tail ? at &+ length : Self.malformed
    }

    /// A key with its colon, from where its quote should stand.
    @inline(__always) private func key(_ at: Int, _ keyStart: inout Int, _ keyEnd: inout Int) -> Int {
        if bytes[at] != 0x22 { return at >= end ? Self.incomplete : Self.malformed }
        var after = string(at &+ 1)
        if after < 0 { return after }
        keyStart = at &+ 1
        keyEnd = after &- 1
        skipSpace(&after)
        if bytes[after] != 0x3a { return after >= end ? Self.incomplete : Self.malformed }
        return after &+ 1
    }

    /// Checks the value that begins at `start` (not a space) and notes the members of its outermost object.
    ///
    /// - Returns: the index after the value, ``incomplete`` or ``malformed``.
    @inline(__always) func value(at start: Int, members: inout JSONMembers) -> Int {
        var at = start
        var objects: UInt64 = 0  // one bit a level: 1 object, 0 list
        var depth = 0
        var keyStart = 0
        var keyEnd = 0
        var outerKeyStart = 0
        var outerKeyEnd = 0
        var valueStart = 0
        members.removeAll()
        while true {
            skipSpace(&at)
            if depth == 1 {
                valueStart = at
                outerKeyStart = keyStart
                outerKeyEnd = keyEnd
            }
            switch bytes[at] {
            case 0x22: at = string(at &+ 1)
            case 0x7b:
                if depth == depthLimit { return Self.malformed }
                objects = objects &<< 1 | 1
                depth &+= 1
                at &+= 1
                skipSpace(&at)
                if bytes[at] != 0x7d {
                    at = key(at, &keyStart, &keyEnd)
                    if at < 0 { return at }
                    continue
                }
                at &+= 1
                depth &-= 1
                objects &>>= 1
            case 0x5b:
                if depth == depthLimit { return Self.malformed }
                objects &<<= 1
                depth &+= 1
                at &+= 1
                skipSpace(&at)
                if bytes[at] != 0x5d { continue }
                at &+= 1
                depth &-= 1
                objects &>>= 1
            case 0x2d, 0x30...0x39: at = number(at)
            case 0x74: at = literal(at, 4, 0x6575_7274)
            case 0x6e: at = literal(at, 4, 0x6c6c_756e)
            case 0x66: at = literal(at, 5, 0x6573_6c61)
            default: return at >= end ? Self.incomplete : Self.malformed
            }
            if at < 0 { return at }
            // A value has ended: close what it closes, or go on to the next.
            while true {
                if depth == 0 { return at }
                let isObject = objects & 1 == 1
                if depth == 1, isObject {
                    members.append(outerKeyStart, outerKeyEnd, valueStart, at)
                }
                skipSpace(&at)
                let byte = bytes[at]
                if byte == 0x2c {
                    at &+= 1
                    if isObject {
                        skipSpace(&at)
                        at = key(at, &keyStart, &keyEnd)
                        if at < 0 { return at }
                    }
                    break
                }
                if byte != (isObject ? 0x7d : 0x5d) { return at >= end ? Self.incomplete : Self.malformed }
                at &+= 1
                depth &-= 1
                objects &>>= 1
            }
        }
    }
}

/// The members of one object, in memory that is used again for the next.
///
/// Whoever makes it must end it with ``deallocate()``; copies are views of the same memory.
struct JSONMembers {
    /// More members than any row can have by its rules; what is beyond is counted, not kept.
    static let capacity = 1024

    let list: UnsafeMutablePointer<JSONMember>
    /// For each ``RowKey``: the member that has its value, or -1.
    ///
    /// Set by ``identify(in:)``.
    let slots: UnsafeMutablePointer<Int32>
    /// How many there were; only the first ``capacity`` are in `list`.
    private(set) var total = 0
    /// The keys and slots are those of the members in `list`.
    private var isIdentified = false

    /// How many there are in `list`.
    var count: Int { min(total, Self.capacity) }

    init() {
        list = .allocate(capacity: Self.capacity)
        slots = .allocate(capacity: RowKey.allCases.count)
        slots.initialize(repeating: -1, count: RowKey.allCases.count)
    }

    func deallocate() {
        list.deallocate()
        slots.deallocate()
    }

    /// Finds out which keys the members have.
    ///
    /// The last of several with one key counts, and one with null counts as absent.
    @inline(__always) mutating func identify(in bytes: UnsafePointer<UInt8>) {
        if isIdentified { return }
        isIdentified = true
        slots.update(repeating: -1, count: RowKey.allCases.count)
        for index in 0..<count {
            let member = list[index]
            let start = Int(member.keyStart)
            let length = Int(member.keyEnd &- member.keyStart)
            var key = RowKey(bytes + start, length)
            if key == .unknown { key = Self.decodedKey(bytes + start, length) }
            list[index].key = key
            let isNull = bytes[Int(member.valueStart)] == 0x6e
            slots[Int(key.rawValue)] = isNull && key != .unknown ? -1 : Int32(truncatingIfNeeded: index)
        }
    }

    /// A key that is written with escapes.
    private static func decodedKey(_ bytes: UnsafePointer<UInt8>, _ length: Int) -> RowKey {
        let inner = UnsafeRawBufferPointer(start: bytes, count: length)
        guard inner.contains(0x5c), let plain = JSONText.unescaped(inner), !plain.isEmpty else { return .unknown }
        return plain.withUnsafeBufferPointer { plain in
            plain.baseAddress.map { RowKey($0, plain.count) } ?? .unknown
        }
    }

    /// The value of a key; nil when it is absent or null.
    @inline(__always) func value(_ key: RowKey, in bytes: UnsafePointer<UInt8>) -> JSONSlice? {
        let index = slots[Int(key.rawValue)]
        if index < 0 { return nil }
        let member = list[Int(index)]
        return JSONSlice(bytes: bytes, start: Int(member.valueStart), end: Int(member.valueEnd))
    }

    @inline(__always) mutating func removeAll() {
        total = 0
        isIdentified = false
    }

    /// Puts a member elsewhere, which keeps its key.
    @inline(__always)
    func move(_ index: Int, _ keyStart: Int32, _ keyEnd: Int32, _ valueStart: Int32, _ valueEnd: Int32) {
        list[index].keyStart = keyStart
        list[index].keyEnd = keyEnd
        list[index].valueStart = valueStart
        list[index].valueEnd = valueEnd
    }

    @inline(__always)
    mutating func append(_ keyStart: Int, _ keyEnd: Int, _ valueStart: Int, _ valueEnd: Int) {
        if total < Self.capacity {
            // Windows are far smaller than 2 GiB.
            (list + total).initialize(
                to: JSONMember(
                    keyStart: Int32(truncatingIfNeeded: keyStart), keyEnd: Int32(truncatingIfNeeded: keyEnd),
                    valueStart: Int32(truncatingIfNeeded: valueStart), valueEnd: Int32(truncatingIfNeeded: valueEnd),
                    key: .unknown))
        }
        total &+= 1
    }
}

/// The value of a hexadecimal digit.
@inline(__always) func hexValue(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x30...0x39: UInt32(byte &- 0x30)
    case 0x41...0x46: UInt32(byte &- 0x37)
    case 0x61...0x66: UInt32(byte &- 0x57)
    default: nil
    }
}
