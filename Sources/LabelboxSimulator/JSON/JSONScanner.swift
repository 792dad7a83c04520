/// Why a text is no JSON, and where.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    package let message: String
    /// Offset in bytes from the start of the text.
    package let offset: Int

    package var description: String { "invalid JSON at byte \(offset): \(message)" }
}

/// A value's place in a JSON text: the bytes from `start`, quotes and braces included.
package struct Span: Equatable, Sendable {
    package var start: Int
    package var count: Int

    package init(start: Int, count: Int) {
        self.start = start
        self.count = count
    }

    package var end: Int { start + count }
    /// A string's bytes without its quotes.
    var unquoted: Span { Span(start: start + 1, count: count - 2) }
}

/// Walks over JSON bytes in one pass and tells where values are, without copying them.
///
/// A chunk of rows is read by this alone: no object is made for a row, and its bytes stay what they were.
package struct JSONScanner {
    package let bytes: UnsafeBufferPointer<UInt8>
    package private(set) var position: Int
    private var depth = 0

    /// Nesting beyond this is refused, so that a hostile text cannot exhaust the stack.
    static let maximumDepth = 256

    package init(_ bytes: UnsafeBufferPointer<UInt8>, from position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    package func error(_ message: String) -> JSONError { JSONError(message: message, offset: position) }

    /// The first byte of the next value or mark, or nil at the end.
    @inline(__always)
    package mutating func peek() -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            if byte > 0x20 || !(byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09) { return byte }
            position += 1
        }
        return nil
    }

    /// Takes one mark, such as a comma.
    @inline(__always)
    private mutating func take(_ mark: UInt8) throws(JSONError) {
        guard peek() == mark else { throw error("expected '\(Character(UnicodeScalar(mark)))'") }
        position += 1
    }

    /// Takes a whole value, whatever it is.
    package mutating func value() throws(JSONError) -> Span {
        guard let first = peek() else { throw error("the text ends where a value should be") }
        let start = position
        switch first {
        case UInt8(ascii: "\""): return try string()
        case UInt8(ascii: "{"): try members { (_, scanner) throws(JSONError) in _ = try scanner.value() }
        case UInt8(ascii: "["): try elements { (scanner) throws(JSONError) in _ = try scanner.value() }
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: try number()
        }
        return Span(start: start, count: position - start)
    }

    /// Takes a string; the span has its quotes.
    package mutating func string() throws(JSONError) -> Span {
        guard peek() == UInt8(ascii: "\"") else { throw error("expected a string") }
        let start = position
        position = PlainText.end(in: bytes, from: position + 1)
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return Span(start: start, count: position - start) }
            if byte == UInt8(ascii: "\\") {
                position += 1
            } else {
                position -= 1
                throw error("a control character in a string")
            }
            position = PlainText.end(in: bytes, from: position)
        }
        throw error("a string has no end")
    }

    /// Takes an object; `body` gets each key and must take its value from the scanner.
    @inline(__always)
    package mutating func members(
        _ body: (_ key: Span, _ scanner: inout JSONScanner) throws(JSONError) -> Void
    ) throws(JSONError) {
        try take(UInt8(ascii: "{"))
        try descend()
        if peek() != UInt8(ascii: "}") {
            while true {
                let key = try string()
                try take(UInt8(ascii: ":"))
                try body(key, &self)
                guard peek() == UInt8(ascii: ",") else { break }
                position += 1
            }
        }
        try take(UInt8(ascii: "}"))
        depth -= 1
    }

    /// Takes an array; `body` must take each element from the scanner.
    @inline(__always)
    package mutating func elements(
        _ body: (_ scanner: inout JSONScanner) throws(JSONError) -> Void
    ) throws(JSONError) {
        try take(UInt8(ascii: "["))
        try descend()
        if peek() != UInt8(ascii: "]") {
            while true {
                try body(&self)
                guard peek() == UInt8(ascii: ",") else { break }
                position += 1
            }
        }
        try take(UInt8(ascii: "]"))
        depth -= 1
    }

    /// Makes sure that nothing but white space is left.
    package mutating func end() throws(JSONError) {
        if peek() != nil { throw error("something follows the value") }
    }

    private mutating func descend() throws(JSONError) {
        depth += 1
        if depth > Self.maximumDepth { throw error("nested more than \(Self.maximumDepth) deep") }
    }

    private mutating func word(_ word: StaticString) throws(JSONError) {
        guard bytes.count - position >= word.utf8CodeUnitCount else { throw error("expected \(word)") }
        for index in 0..<word.utf8CodeUnitCount where bytes[position + index] != word.utf8Start[index] {
            throw error("expected \(word)")
        }
        position += word.utf8CodeUnitCount
    }

    /// Python writes `Infinity` and `NaN` as they are; the service's parser refuses them, and so does this.
    private mutating func number() throws(JSONError) {
        func digit(_ byte: UInt8?) -> Bool { byte.map { $0 >= 0x30 && $0 <= 0x39 } ?? false }
        func current(_ scanner: JSONScanner) -> UInt8? {
            scanner.position < scanner.bytes.count ? scanner.bytes[scanner.position] : nil
        }
        if current(self) == UInt8(ascii: "-") { position += 1 }
        guard digit(current(self)) else { throw error("expected a value") }
        if current(self) == UInt8(ascii: "0") {
            position += 1
            if digit(current(self)) { throw error("a number starts with 0") }
        }
        while digit(current(self)) { position += 1 }
        if current(self) == UInt8(ascii: ".") {
            position += 1
            guard digit(current(self)) else { throw error("a digit is missing after the point") }
            while digit(current(self)) { position += 1 }
        }
        if let mark = current(self), mark | 0x20 == UInt8(ascii: "e") {
            position += 1
            if let sign = current(self), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            guard digit(current(self)) else { throw error("a digit is missing in the exponent") }
            while digit(current(self)) { position += 1 }
        }
    }
}

extension JSONScanner {
    /// Whether the string at `key` reads `name` (which has nothing to escape).
    @inline(__always)
    func matches(_ key: Span, _ name: StaticString) -> Bool {
        guard key.count == name.utf8CodeUnitCount + 2 else { return false }
        for index in 0..<name.utf8CodeUnitCount where bytes[key.start + 1 + index] != name.utf8Start[index] {
            return false
        }
        return true
    }

    func slice(_ span: Span) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: bytes[span.start..<span.end])
    }

    func isString(_ span: Span) -> Bool { span.count > 0 && bytes[span.start] == UInt8(ascii: "\"") }

    func isNull(_ span: Span) -> Bool { span.count == 4 && bytes[span.start] == UInt8(ascii: "n") }
}

/// The text of a JSON string with its escapes resolved, as UTF-8 bytes.
///
/// A lone surrogate becomes the three bytes that UTF-8 would give it, so that two different strings stay different.
package func decodedString(_ raw: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(raw.count)
    var index = 0
    func hex(at start: Int) -> UInt32? {
        guard start + 4 <= raw.count else { return nil }
        var value: UInt32 = 0
        for byte in raw[start..<start + 4] {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
    while index < raw.count {
        let byte = raw[index]
        index += 1
        guard byte == UInt8(ascii: "\\"), index < raw.count else {
            result.append(byte)
            continue
        }
        let escape = raw[index]
        index += 1
        switch escape {
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "u"):
            guard var scalar = hex(at: index) else {
                result.append(escape)
                continue
            }
            index += 4
            if (0xD800..<0xDC00).contains(scalar), index + 6 <= raw.count, raw[index] == UInt8(ascii: "\\"),
                raw[index + 1] == UInt8(ascii: "u"), let low = hex(at: index + 2), (0xDC00..<0xE000).contains(low)
            {
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
                index += 6
            }
            appendUTF8(scalar, to: &result)
        default: result.append(escape)
        }
    }
    return result
}

func appendUTF8(_ scalar: UInt32, to bytes: inout [UInt8]) {
    switch scalar {
    case ..<0x80: bytes.append(UInt8(scalar))
    case ..<0x800: bytes += [UInt8(0xC0 | scalar >> 6), UInt8(0x80 | scalar & 0x3F)]
    case ..<0x10000:
        bytes += [UInt8(0xE0 | scalar >> 12), UInt8(0x80 | scalar >> 6 & 0x3F), UInt8(0x80 | scalar & 0x3F)]
    default:
        bytes += [
            UInt8(0xF0 | scalar >> 18), UInt8(0x80 | scalar >> 12 & 0x3F), UInt8(0x80 | scalar >> 6 & 0x3F),
            UInt8(0x80 | scalar & 0x3F),
        ]
    }
}
