/// Reads a JSON text (RFC 8259) whole.
///
/// Own, because a page of results has thousands of rows and Foundation takes some 15 times as long over them.
package struct JSONParser {
    /// What is wrong, and at which byte.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let offset: Int
        package let description: String

        package init(offset: Int, description: String) {
            self.offset = offset
            self.description = description
        }
    }

    /// Deeper answers are refused; Labelbox's are some ten levels deep.
    private static let maximumDepth = 64

    private let bytes: UnsafeBufferPointer<UInt8>
    private let packsLists: Bool
    private var position = 0

    /// The value that `bytes` hold; with `packingLists`, lists of objects of one shape become ``JSONValue/packed(_:)``.
    package static func parse(_ bytes: [UInt8], packingLists: Bool = false) throws(Failure) -> JSONValue {
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<JSONValue, Failure> in
            var parser = JSONParser(bytes: buffer, packsLists: packingLists)
            do throws(Failure) { return .success(try parser.document()) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private init(bytes: UnsafeBufferPointer<UInt8>, packsLists: Bool) {
        self.bytes = bytes
        self.packsLists = packsLists
    }

    private mutating func document() throws(Failure) -> JSONValue {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { position = 3 }
        let value = try value(depth: 0)
        skipBlanks()
        if position < bytes.count { throw failure("more after the end of the value") }
        return value
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONValue {
        skipBlanks()
        guard position < bytes.count else { throw failure("the text ends where a value should be") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(Failure) -> JSONValue {
        if depth >= Self.maximumDepth { throw failure("nested too deeply") }
        position += 1
        var members: [JSONValue.Member] = []
        skipBlanks()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipBlanks()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                throw failure("a key is missing")
            }
            let key = try string()
            skipBlanks()
            guard take(UInt8(ascii: ":")) else { throw failure("a colon is missing") }
            members.append(JSONValue.Member(key, try value(depth: depth + 1)))
            skipBlanks()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw failure("an object does not end") }
        }
    }

    private mutating func array(depth: Int) throws(Failure) -> JSONValue {
        if depth >= Self.maximumDepth { throw failure("nested too deeply") }
        position += 1
        var elements: [JSONValue] = []
        skipBlanks()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        if packsLists, let (packed, isWhole) = try packedObjects(depth: depth + 1) {
            if isWhole { return .packed(packed) }
            // The next is of another shape: a list like any other, then.
            elements = (0..<packed.count).map(packed.value)
        }
        while true {
            elements.append(try value(depth: depth + 1))
            skipBlanks()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw failure("an array does not end") }
        }
    }

    private mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        skipPlain()
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
                position += 1
                return text
            case UInt8(ascii: "\\"): return try stringWithEscapes(from: start)
            case 0..<32: throw failure("a control character in a string")
            default: position += 1
            }
        }
        throw failure("a string does not end")
    }

    /// Goes on over eight bytes at a time, as long as they are printable ASCII without quotes and backslashes.
    private mutating func skipPlain() {
        let text = UnsafeRawBufferPointer(bytes)
        let (ones, tops): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        while position + 8 <= text.count {
            let word = text.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let quotes = word ^ (ones &* 0x22)
            let backslashes = word ^ (ones &* 0x5c)
            // A byte that is zero borrows from its top bit; those over 127 have it anyway.
            let special = (quotes &- ones) | (backslashes &- ones) | (word &- ones &* 0x20) | word
            if special & tops != 0 { return }
            position += 8
        }
    }

    // MARK: Lists of objects of one shape

    /// As many objects of one shape as there are from here on, and whether they are the rest of the list; nil if it is none.
    ///
    /// Then it stands behind the list, or where the next element has to begin.
    private mutating func packedObjects(depth: Int) throws(Failure) -> (PackedObjects, isWhole: Bool)? {
        guard depth < Self.maximumDepth, let keys = try keysOfFlatObject() else { return nil }
        var objects = PackedObjects(keys: keys, written: bytes.count - position)
        while true {
            let (start, count) = (position, objects.count)
            guard try appendFlatObject(to: &objects) else {
                objects.removeAll(after: count)
                position = start
                return count > 0 ? (objects, false) : nil
            }
            skipBlanks()
            if take(UInt8(ascii: "]")) { return (objects, true) }
            guard take(UInt8(ascii: ",")) else { throw failure("an array does not end") }
            skipBlanks()
        }
    }

    /// The keys of the object that begins here, if there are some and only text and null in it; nothing is passed over.
    private func keysOfFlatObject() throws(Failure) -> [String]? {
        var ahead = self
        guard ahead.take(UInt8(ascii: "{")) else { return nil }
        var keys: [String] = []
        while true {
            ahead.skipBlanks()
            guard ahead.position < bytes.count, bytes[ahead.position] == UInt8(ascii: "\"") else { return nil }
            keys.append(try ahead.string())
            ahead.skipBlanks()
            guard ahead.take(UInt8(ascii: ":")) else { return nil }
            ahead.skipBlanks()
            guard ahead.position < bytes.count else { return nil }
            switch bytes[ahead.position] {
            case UInt8(ascii: "\""): _ = try ahead.string()
            case UInt8(ascii: "n"): _ = try ahead.word("null", .null)
            default: return nil
            }
            ahead.skipBlanks()
            if ahead.take(UInt8(ascii: "}")) { return keys }
            guard ahead.take(UInt8(ascii: ",")) else { return nil }
        }
    }

    /// Adds the object that begins here; false where it is of another shape, or is something else.
    private mutating func appendFlatObject(to objects: inout PackedObjects) throws(Failure) -> Bool {
        guard take(UInt8(ascii: "{")) else { return false }
        for (index, key) in objects.keys.enumerated() {
            if index > 0 {
                skipBlanks()
                guard take(UInt8(ascii: ",")) else { return false }
            }
            skipBlanks()
            guard takeKey(key) else { return false }
            skipBlanks()
            guard take(UInt8(ascii: ":")) else { return false }
            skipBlanks()
            guard position < bytes.count else { return false }
            switch bytes[position] {
            case UInt8(ascii: "\""): try appendText(to: &objects)
            case UInt8(ascii: "n"):
                _ = try word("null", .null)
                objects.append(nil)
            default: return false
            }
        }
        skipBlanks()
        return take(UInt8(ascii: "}"))
    }

    /// Goes past a key that is written as it is, without escapes.
    private mutating func takeKey(_ key: String) -> Bool {
        guard take(UInt8(ascii: "\"")) else { return false }
        var key = key
        let isThere = key.withUTF8 { key in
            position + key.count < bytes.count && bytes[position + key.count] == UInt8(ascii: "\"")
                && UnsafeBufferPointer(rebasing: bytes[position..<position + key.count]).elementsEqual(key)
        }
        if isThere { position += key.utf8.count + 1 }
        return isThere
    }

    private mutating func appendText(to objects: inout PackedObjects) throws(Failure) {
        let start = position
        position += 1
        skipPlain()
        while position < bytes.count, case let byte = bytes[position], byte != UInt8(ascii: "\\"), byte >= 32,
            byte < 128
        {
            guard byte == UInt8(ascii: "\"") else {
                position += 1
                continue
            }
            objects.append(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[start + 1..<position])))
            position += 1
            return
        }
        // Escapes, or what need not be UTF-8: by the way of all texts.
        position = start
        var text = try string()
        text.withUTF8 { objects.append(UnsafeRawBufferPointer($0)) }
    }

    private mutating func stringWithEscapes(from start: Int) throws(Failure) -> String {
        var text = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<32: throw failure("a control character in a string")
            default: text.append(byte)
            }
        }
        throw failure("a string does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
        guard position < bytes.count else { throw failure("a string does not end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "u"):
            var unit = try hexUnit()
            if unit & 0xFC00 == 0xD800, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            {
                let before = position
                position += 2
                let low = try hexUnit()
                if low & 0xFC00 == 0xDC00 {
                    unit = 0x10000 + (unit & 0x3FF) << 10 + low & 0x3FF
                } else {
                    position = before
                }
            }
            // Half of a surrogate pair is no character: U+FFFD, as in any text that lost something.
            text += String(Character(Unicode.Scalar(unit) ?? "\u{FFFD}")).utf8
        default: throw failure("an escape that JSON does not have")
        }
    }

    private mutating func hexUnit() throws(Failure) -> UInt32 {
        guard position + 4 <= bytes.count else { throw failure("an escape does not end") }
        var unit: UInt32 = 0
        for _ in 0..<4 {
            let byte = bytes[position]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw failure("an escape without four hex digits")
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }

    private mutating func number() throws(Failure) -> JSONValue {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        return .number(String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self))
    }

    private mutating func digits() throws(Failure) {
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
        if position == start { throw failure("no JSON value") }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        let count = word.utf8CodeUnitCount
        guard position + count <= bytes.count,
            UnsafeBufferPointer(start: word.utf8Start, count: count).elementsEqual(bytes[position..<position + count])
        else { throw failure("no JSON value") }
        position += count
        return value
    }

    private mutating func skipBlanks() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private func failure(_ description: String) -> Failure { Failure(offset: position, description: description) }
}
