/// JSON text in the making: bytes appended to bytes.
package struct JSONOutput: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init(reserving capacity: Int = 1024) { bytes.reserveCapacity(capacity) }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    @inline(__always)
    mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
    @inline(__always)
    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }
    @inline(__always)
    mutating func raw(_ text: UnsafeBufferPointer<UInt8>) { bytes.append(contentsOf: text) }
    mutating func raw(_ text: [UInt8]) { bytes.append(contentsOf: text) }
    mutating func byte(_ byte: UInt8) { bytes.append(byte) }
    mutating func identifier(_ prefix: StaticString, _ number: Int) { Identifier.append(prefix, number, to: &bytes) }
    mutating func removeLast() { bytes.removeLast() }
    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// A string literal of a text.
    mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { string($0) }
    }

    /// A string literal of UTF-8 bytes, which are copied at once when nothing is to be escaped.
    mutating func string(_ text: UnsafeBufferPointer<UInt8>) {
        bytes.append(UInt8(ascii: "\""))
        var clean = 0
        var index = PlainText.end(in: text, from: 0, or: 0xED)
        while index < text.count {
            let byte = text[index]
            if byte == 0xED {
                // A lone surrogate, which only an escape can carry.
                if index + 2 < text.count, text[index + 1] >= 0xA0 {
                    raw(UnsafeBufferPointer(rebasing: text[clean..<index]))
                    let unit = 0xD000 | UInt32(text[index + 1] & 0x3F) << 6 | UInt32(text[index + 2] & 0x3F)
                    raw("\\u" + String(unit, radix: 16))
                    clean = index + 3
                }
                index = PlainText.end(in: text, from: min(text.count, max(clean, index + 1)), or: 0xED)
                continue
            }
            raw(UnsafeBufferPointer(rebasing: text[clean..<index]))
            clean = index + 1
            switch byte {
            case UInt8(ascii: "\""): raw("\\\"")
            case UInt8(ascii: "\\"): raw("\\\\")
            case 0x0A: raw("\\n")
            case 0x0D: raw("\\r")
            case 0x09: raw("\\t")
            default: raw("\\u00" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16))
            }
            index = PlainText.end(in: text, from: clean, or: 0xED)
        }
        raw(UnsafeBufferPointer(rebasing: text[clean...]))
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func value(_ value: JSONValue) {
        switch value {
        case .null: raw("null")
        case .bool(let flag): raw(flag ? "true" : "false")
        case .number(let text): raw(text)
        case .string(let text): string(text)
        case .list(let elements):
            raw("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { raw(",") }
                self.value(element)
            }
            raw("]")
        case .object(let members):
            raw("{")
            for (index, member) in members.enumerated() {
                if index > 0 { raw(",") }
                string(member.key)
                raw(":")
                self.value(member.value)
            }
            raw("}")
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByArrayLiteral, ExpressibleByBooleanLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .number(String(value)) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
    package init(arrayLiteral elements: JSONValue...) { self = .list(elements) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }

    package init(_ value: Int) { self = .number(String(value)) }

    /// The value as JSON text.
    package var text: String {
        var output = JSONOutput()
        output.value(self)
        return output.text
    }
}
