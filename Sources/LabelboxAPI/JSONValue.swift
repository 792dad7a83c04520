/// A JSON value of an answer or of a request's variables.
///
/// Numbers keep the digits that they were written with, objects the order of their keys.
package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])
    /// A list of objects of one shape, where ``JSONParser`` was asked to pack them; ``array`` has them one by one.
    case packed(PackedObjects)

    /// One key of an object, and what it holds.
    package struct Member: Sendable, Equatable {
        package var key: String
        package var value: JSONValue

        package init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// The value of a key; nil where there is none, and where this is no object.
    ///
    /// Linear: the objects of answers have a handful of keys.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    package var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    package var array: [JSONValue]? {
        switch self {
        case .array(let elements): elements
        case .packed(let objects): (0..<objects.count).map(objects.value)
        default: nil
        }
    }

    package var isObject: Bool {
        guard case .object = self else { return false }
        return true
    }

    package var isNull: Bool {
        guard case .null = self else { return false }
        return true
    }

    /// A number, or a string that holds one: servers send both.
    package var double: Double? {
        switch self {
        case .number(let digits), .string(let digits): Double(digits)
        default: nil
        }
    }

    /// The same for whole numbers.
    package var int: Int? {
        switch self {
        case .number(let digits), .string(let digits): Int(digits) ?? Double(digits).flatMap { Int(exactly: $0) }
        default: nil
        }
    }

    /// The text of a string, nil for null, and JSON for anything else.
    ///
    /// For fields such as `rowData` and `errors`, which hold now text, now an object.
    package var text: String? {
        switch self {
        case .null: nil
        case .string(let text): text
        default: json
        }
    }

    /// The value as JSON text.
    package var json: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the value as JSON text in UTF-8.
    package func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .number(let digits): bytes += digits.utf8
        case .string(let text): Self.write(text, to: &bytes)
        case .array, .packed:
            bytes.append(UInt8(ascii: "["))
            for (index, element) in (array ?? []).enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.write(member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): bytes += "\\n".utf8
            case 0..<32:
                bytes += "\\u00".utf8
                bytes += [hexDigit(byte >> 4), hexDigit(byte & 15)]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}

extension JSONValue: Equatable {
    package static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        case (.array, .array), (.array, .packed), (.packed, .array), (.packed, .packed): left.array == right.array
        default: false
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral, ExpressibleByBooleanLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .number(String(value)) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(elements.map(Member.init)) }
    package init(nilLiteral: ()) { self = .null }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}
