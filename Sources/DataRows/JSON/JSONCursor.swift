/// A part of a text that has been found to be JSON: one value, without the spaces around it.
struct JSONSlice {
    let bytes: UnsafePointer<UInt8>
    let start: Int
    let end: Int

    enum Kind { case object, list, string, number, bool, null }

    var kind: Kind {
        switch bytes[start] {
        case 0x7b: .object
        case 0x5b: .list
        case 0x22: .string
        case 0x74, 0x66: .bool
        case 0x6e: .null
        default: .number
        }
    }

    /// Neither a string nor a list nor an object.
    var isScalar: Bool {
        switch kind {
        case .string, .list, .object: false
        case .number, .bool, .null: true
        }
    }

    var count: Int { end - start }
    var raw: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes + start, count: end - start) }

    /// Between the quotes of a string, escapes as written.
    var inner: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes + start + 1, count: end - start - 2) }

    /// The string that it is, escapes resolved; nil if it is no string.
    var string: String? {
        kind == .string ? JSONText.decoded(inner) : nil
    }

    /// Whether it is a string that says this, however it is written.
    @inline(__always) func says(_ text: StaticString) -> Bool {
        if bytes[start] != 0x22 { return false }
        let length = text.utf8CodeUnitCount
        if count == length &+ 2 { return equalBytes(bytes + start + 1, text.utf8Start, length) }
        return count > length &+ 2 && inner.contains(0x5c) && string == text.description
    }

    /// False to Python: null, false, zero, an empty string, list or object.
    var isFalsy: Bool {
        switch kind {
        case .null: return true
        case .bool: return bytes[start] == 0x66
        case .string: return count == 2
        case .object, .list:
            var at = start + 1
            while bytes[at].isJSONSpace { at += 1 }
            return at == end - 1
        case .number:
            for at in start..<end {
                if bytes[at] | 0x20 == 0x65 { break }
                if bytes[at] >= 0x31, bytes[at] <= 0x39 {
                    // `1e-400` is zero to whoever has floating-point numbers.
                    return Double(String(decoding: raw, as: UTF8.self)) == 0
                }
            }
            return true
        }
    }

    /// The elements of a list, in order.
    ///
    /// Nothing for what is no list.
    @inline(__always) func forEachElement(_ body: (_ index: Int, _ element: JSONSlice) throws -> Void) rethrows {
        guard kind == .list else { return }
        var cursor = JSONCursor(bytes: bytes, at: start + 1)
        var index = 0
        while cursor.enter(closing: 0x5d) {
            try body(index, cursor.value())
            index += 1
        }
    }

    /// The members of an object, in order, repeated keys included.
    ///
    /// Nothing for what is no object.
    @inline(__always) func forEachMember(_ body: (_ key: JSONSlice, _ value: JSONSlice) throws -> Void) rethrows {
        guard kind == .object else { return }
        var cursor = JSONCursor(bytes: bytes, at: start + 1)
        while cursor.enter(closing: 0x7d) {
            let key = cursor.value()
            cursor.skipColon()
            try body(key, cursor.value())
        }
    }
}

/// Walks over a text that ``JSONScanner`` has passed; it checks nothing again.
///
/// As there, ``JSONScanner/slack`` bytes that may be read must follow.
struct JSONCursor {
    let bytes: UnsafePointer<UInt8>
    var at: Int

    /// To the next element or member; false at the closing bracket.
    @inline(__always) mutating func enter(closing: UInt8) -> Bool {
        while bytes[at].isJSONSpace || bytes[at] == 0x2c { at += 1 }
        return bytes[at] != closing
    }

    @inline(__always) mutating func skipColon() {
        while bytes[at].isJSONSpace { at += 1 }
        at += 1
        while bytes[at].isJSONSpace { at += 1 }
    }

    mutating func value() -> JSONSlice {
        let start = at
        switch bytes[at] {
        case 0x22: skipString()
        case 0x7b, 0x5b:
            var depth = 0
            repeat {
                switch bytes[at] {
                case 0x22: skipString()
                case 0x7b, 0x5b:
                    depth += 1
                    at += 1
                case 0x7d, 0x5d:
                    depth -= 1
                    at += 1
                default: at += 1
                }
            } while depth > 0
        default:
            while !bytes[at].isJSONSpace, bytes[at] != 0x2c, bytes[at] != 0x7d, bytes[at] != 0x5d, bytes[at] != 0 {
                at += 1
            }
        }
        return JSONSlice(bytes: bytes, start: start, end: at)
    }

    @inline(__always) private mutating func skipString() {
        at &+= 1
        while true {
            // Eight bytes at a time to the next quote or backslash, as the scanner does it.
            let chunk = UnsafeRawPointer(bytes).loadUnaligned(fromByteOffset: at, as: UInt64.self)
            let quote = chunk ^ 0x2222_2222_2222_2222
            let backslash = chunk ^ 0x5c5c_5c5c_5c5c_5c5c
            let ones: UInt64 = 0x0101_0101_0101_0101
            let marks = ((quote &- ones) & ~quote | (backslash &- ones) & ~backslash) & 0x8080_8080_8080_8080
            guard marks != 0 else {
                at &+= 8
                continue
            }
            at &+= marks.trailingZeroBitCount &>> 3
            if bytes[at] == 0x22 { break }
            at &+= 2
        }
        at &+= 1
    }
}
