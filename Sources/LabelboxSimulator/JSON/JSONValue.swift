/// A small JSON text as a tree: requests, manifests and arguments, never rows.
package indirect enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// As it was written.
    case number(String)
    case string(String)
    case list([JSONValue])
    case object([Member])

    package struct Member: Sendable, Equatable {
        package let key: String
        package var value: JSONValue
        package init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// Reads a whole text.
    package init(parsing bytes: some Collection<UInt8>) throws(JSONError) {
        let copy = [UInt8](bytes)
        let parsed = copy.withUnsafeBufferPointer { buffer in
            Result { () throws(JSONError) in
                var scanner = JSONScanner(buffer)
                let value = try JSONValue(&scanner)
                try scanner.end()
                return value
            }
        }
        self = try parsed.get()
    }

    /// Reads the scanner's next value.
    init(_ scanner: inout JSONScanner) throws(JSONError) {
        switch scanner.peek() {
        case UInt8(ascii: "{"):
            var members: [Member] = []
            try scanner.members { (key, scanner) throws(JSONError) in
                let name = String(decoding: decodedString(scanner.slice(key.unquoted)), as: UTF8.self)
                members.append(Member(name, try JSONValue(&scanner)))
            }
            self = .object(members)
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try scanner.elements { (scanner) throws(JSONError) in elements.append(try JSONValue(&scanner)) }
            self = .list(elements)
        case UInt8(ascii: "\""):
            let span = try scanner.string()
            self = .string(String(decoding: decodedString(scanner.slice(span.unquoted)), as: UTF8.self))
        default:
            let text = String(decoding: scanner.slice(try scanner.value()), as: UTF8.self)
            switch text {
            case "true": self = .bool(true)
            case "false": self = .bool(false)
            case "null": self = .null
            default: self = .number(text)
            }
        }
    }

    /// A member of an object; of several with the same key, the last.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }

    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var list: [JSONValue]? { if case .list(let elements) = self { elements } else { nil } }
    package var int: Int? { if case .number(let text) = self { Int(text) } else { nil } }
    package var double: Double? { if case .number(let text) = self { Double(text) } else { nil } }
    package var isNull: Bool { self == .null }
}
