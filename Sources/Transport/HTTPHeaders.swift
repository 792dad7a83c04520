/// One line of an HTTP header.
public struct HTTPHeader: Hashable, Sendable {
    public var name: String
    public var value: String

    /// Creates a header line.
    ///
    /// Names compare without regard to case.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Whether the line can be written without ending early or starting another one.
    ///
    /// The name must be a token (RFC 9110, 5.6.2), the value free of control characters but the tab.
    var isWellFormed: Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
            && value.utf8.allSatisfy { $0 == 9 || ($0 >= 32 && $0 != 127) }
    }
}

/// The header of an answer, in the order in which it arrived.
public struct HTTPHeaders: Sendable, RandomAccessCollection {
    private var lines: [HTTPHeader]

    /// Creates a header of these lines.
    public init(_ lines: [HTTPHeader] = []) { self.lines = lines }

    public var startIndex: Int { lines.startIndex }
    public var endIndex: Int { lines.endIndex }
    public subscript(position: Int) -> HTTPHeader { lines[position] }

    /// The value of the first line with this name, whatever its case.
    public subscript(name: String) -> String? {
        let wanted = name.lowercased()
        return lines.first { $0.name.lowercased() == wanted }?.value
    }

    mutating func append(_ line: HTTPHeader) { lines.append(line) }

    mutating func removeAll() { lines.removeAll(keepingCapacity: true) }
}
