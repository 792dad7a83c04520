/// Cuts GraphQL text into tokens; white space, commas and comments fall away.
struct Lexer {
    enum Token: Equatable {
        case name(String)
        /// One of `! $ ( ) : = @ [ ] { } | &`, or `...`.
        case mark(String)
        case number(String)
        case string(String)
        case end

        var text: String {
            switch self {
            case .name(let text), .mark(let text), .number(let text): "\"\(text)\""
            case .string(let text): "string \"\(text)\""
            case .end: "<EOF>"
            }
        }
    }

    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var lineStart = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    private func at(_ offset: Int) -> UInt8 { position + offset < bytes.count ? bytes[position + offset] : 0 }

    private func failure(_ message: String) -> GraphQLError {
        GraphQLError(.parseFailed, "Syntax Error: \(message)", at: place)
    }

    private var place: Place { Place(line: line, column: position - lineStart + 1) }

    mutating func next() throws(GraphQLError) -> (Token, Place) {
        skipIgnored()
        let start = place
        guard position < bytes.count else { return (.end, start) }
        let byte = bytes[position]
        switch byte {
        case UInt8(ascii: "_"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
            return (.name(take { $0.isNameByte }), start)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return (.number(try number()), start)
        case UInt8(ascii: "\""):
            let isBlock = at(1) == UInt8(ascii: "\"") && at(2) == UInt8(ascii: "\"")
            return (.string(isBlock ? try blockString() : try string()), start)
        case UInt8(ascii: "."):
            guard at(1) == byte, at(2) == byte else { throw failure("Unexpected \".\".") }
            position += 3
            return (.mark("..."), start)
        case _ where "!$():=@[]{}|&".utf8.contains(byte):
            position += 1
            return (.mark(String(UnicodeScalar(byte))), start)
        default:
            throw failure("Unexpected character: \"\(Character(UnicodeScalar(byte)))\".")
        }
    }

    private mutating func skipIgnored() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x0A:
                line += 1
                lineStart = position + 1
                position += 1
            case 0x20, 0x09, 0x0D, UInt8(ascii: ","): position += 1
            case 0xEF where at(1) == 0xBB && at(2) == 0xBF: position += 3
            case UInt8(ascii: "#"): while position < bytes.count, bytes[position] != 0x0A { position += 1 }
            default: return
            }
        }
    }

    private mutating func take(_ belongs: (UInt8) -> Bool) -> String {
        let start = position
        while position < bytes.count, belongs(bytes[position]) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func number() throws(GraphQLError) -> String {
        let start = position
        let text = take {
            $0.isNameByte || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: ".")
        }
        guard let value = try? JSONValue(parsing: text.utf8), case .number = value else {
            position = start
            throw failure("Invalid number \"\(text)\".")
        }
        return text
    }

    private mutating func string() throws(GraphQLError) -> String {
        let start = position
        position += 1
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            if bytes[position] == 0x0A || bytes[position] == 0x0D { throw failure("Unterminated string.") }
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < bytes.count else { throw failure("Unterminated string.") }
        position += 1
        let decoded = bytes.withUnsafeBufferPointer { decodedString(.init(rebasing: $0[start + 1..<position - 1])) }
        return String(decoding: decoded, as: UTF8.self)
    }

    private mutating func blockString() throws(GraphQLError) -> String {
        position += 3
        let start = position
        let quote = UInt8(ascii: "\"")
        while position < bytes.count {
            if bytes[position] == quote, at(1) == quote, at(2) == quote, bytes[position - 1] != UInt8(ascii: "\\") {
                let text = String(decoding: bytes[start..<position], as: UTF8.self)
                position += 3
                return Self.dedented(text.replacing("\\\"\"\"", with: "\"\"\""))
            }
            if bytes[position] == 0x0A {
                line += 1
                lineStart = position + 1
            }
            position += 1
        }
        throw failure("Unterminated string.")
    }

    /// Takes away the indentation that all lines but the first share, and blank lines at both ends.
    private static func dedented(_ text: String) -> String {
        var lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }.map(String.init)
        func indent(_ line: String) -> Int { line.prefix { $0 == " " || $0 == "\t" }.count }
        let common = lines.dropFirst().filter { indent($0) < $0.count }.map(indent).min() ?? 0
        for index in lines.indices.dropFirst() { lines[index] = String(lines[index].dropFirst(common)) }
        while let first = lines.first, indent(first) == first.count { lines.removeFirst() }
        while let last = lines.last, indent(last) == last.count { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}

extension UInt8 {
    fileprivate var isNameByte: Bool {
        switch self {
        case UInt8(ascii: "_"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }
}
