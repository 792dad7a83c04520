public import Foundation
public import SystemPackage

/// Builds JSON text, member by member, in the order in which it is written.
///
/// Status files are read by people too, so their keys keep the order of the documentation, which `JSONEncoder`
/// cannot do; and absent values are written as `null`, so that a reader finds every key in every file.
public struct JSONWriter {
    /// The text so far.
    public private(set) var bytes: [UInt8] = []
    private var depth = 0
    private var isFirst = true
    /// Members of the outermost object stand on lines of their own.
    private let hasLines: Bool

    /// - Parameter hasLines: whether each member of the outermost object begins a line.
    public init(hasLines: Bool = false) { self.hasLines = hasLines }

    /// Writes an object, whose members `body` adds.
    public mutating func object(_ body: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "{"))
        body(&self)
        close(UInt8(ascii: "}"))
    }

    /// Writes an array of values.
    public mutating func array<Element>(_ elements: some Sequence<Element>, _ body: (inout JSONWriter, Element) -> Void)
    {
        open(UInt8(ascii: "["))
        for element in elements {
            separate()
            body(&self, element)
        }
        close(UInt8(ascii: "]"))
    }

    /// Adds a member to the object at hand.
    public mutating func member(_ key: String, _ value: some JSONWritable) {
        member(key) { value.write(to: &$0) }
    }

    /// Adds a member whose value `body` writes.
    public mutating func member(_ key: String, _ body: (inout JSONWriter) -> Void) {
        separate()
        if hasLines && depth == 1 { bytes.append(contentsOf: [UInt8(ascii: "\n"), 0x20, 0x20]) }
        string(key)
        bytes.append(UInt8(ascii: ":"))
        if hasLines { bytes.append(0x20) }
        body(&self)
    }

    /// Writes a string.
    public mutating func string(_ text: String) { JSONWriter.append(text, to: &bytes) }

    /// Writes text that is JSON already.
    public mutating func raw(_ text: some Sequence<UInt8>) { bytes.append(contentsOf: text) }

    /// Appends a string with its quotes to `bytes`, escaping what JSON wants escaped and what a terminal acts on.
    public static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        if text.utf8.contains(where: { $0 >= 0x80 }) {
            for scalar in text.unicodeScalars {
                if !scalar.isASCII, HarmlessText.isHidden(scalar) {
                    for unit in UTF16.encode(scalar) ?? .init() {
                        let digits = String(unit, radix: 16)
                        bytes.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
                    }
                } else {
                    appendEscaped(UTF8.encode(scalar) ?? .init(), to: &bytes)
                }
            }
        } else {
            appendEscaped(text.utf8, to: &bytes)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func appendEscaped(_ utf8: some Sequence<UInt8>, to bytes: inout [UInt8]) {
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
            case UInt8(ascii: "\r"): bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "r")])
            case UInt8(ascii: "\t"): bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "t")])
            // DEL is legal in JSON, but a terminal acts on it.
            case 0..<0x20, 0x7F: bytes.append(contentsOf: "\\u00\(hex(byte >> 4))\(hex(byte & 15))".utf8)
            default: bytes.append(byte)
            }
        }
    }

    private static func hex(_ digit: UInt8) -> Character {
        Character(Unicode.Scalar(digit < 10 ? 48 + digit : 87 + digit))
    }

    private mutating func open(_ bracket: UInt8) {
        bytes.append(bracket)
        depth += 1
        isFirst = true
    }

    private mutating func close(_ bracket: UInt8) {
        depth -= 1
        if hasLines && depth == 0 { bytes.append(UInt8(ascii: "\n")) }
        bytes.append(bracket)
        isFirst = false
    }

    private mutating func separate() {
        if !isFirst {
            bytes.append(UInt8(ascii: ","))
            if hasLines && depth > 1 { bytes.append(0x20) }
        }
        isFirst = false
    }
}

/// What ``JSONWriter`` can write.
public protocol JSONWritable {
    /// Writes the value as JSON.
    func write(to json: inout JSONWriter)
}

extension JSONWritable {
    /// The value as the bytes of a file: members on lines of their own, and a line break at the end.
    public var fileBytes: [UInt8] {
        var json = JSONWriter(hasLines: true)
        write(to: &json)
        return json.bytes + [UInt8(ascii: "\n")]
    }

    /// The value on one line.
    public var jsonLine: [UInt8] {
        var json = JSONWriter()
        write(to: &json)
        return json.bytes
    }
}

extension String: JSONWritable {
    public func write(to json: inout JSONWriter) { json.string(self) }
}

extension Int: JSONWritable {
    public func write(to json: inout JSONWriter) { json.raw(String(self).utf8) }
}

extension Int64: JSONWritable {
    public func write(to json: inout JSONWriter) { json.raw(String(self).utf8) }
}

extension Bool: JSONWritable {
    public func write(to json: inout JSONWriter) { json.raw((self ? "true" : "false").utf8) }
}

extension Double: JSONWritable {
    public func write(to json: inout JSONWriter) {
        // JSON has no word for infinity and not-a-number.
        guard isFinite else { return json.raw("null".utf8) }
        json.raw((self == rounded() && magnitude < 1e15 ? String(Int(self)) : String(self)).utf8)
    }
}

extension Date: JSONWritable {
    public func write(to json: inout JSONWriter) { json.string(Timestamp.text(self)) }
}

extension FilePath: JSONWritable {
    public func write(to json: inout JSONWriter) { json.string(string) }
}

extension Optional: JSONWritable where Wrapped: JSONWritable {
    public func write(to json: inout JSONWriter) {
        if let self { self.write(to: &json) } else { json.raw("null".utf8) }
    }
}

extension Array: JSONWritable where Element: JSONWritable {
    public func write(to json: inout JSONWriter) { json.array(self) { $1.write(to: &$0) } }
}
