/// A reader of JSON as RFC 8259 has it, written for comparison: plain recursion, nothing shared with the project's own.
struct StrictJSON {
    /// A value, with its place and how deep it is nested.
    struct Value {
        enum Content {
            case object([(key: [UInt16], value: Value)])
            case list([Value])
            case string([UInt16])
            case number
            case word
        }

        let content: Content
        let range: Range<Int>
        /// 0 for what holds nothing, 1 for `[]`.
        let depth: Int

        var members: [(key: [UInt16], value: Value)] {
            if case .object(let members) = content { members } else { [] }
        }

        var elements: [Value]? { if case .list(let elements) = content { elements } else { nil } }
        var string: [UInt16]? { if case .string(let units) = content { units } else { nil } }

        /// The last member with this key.
        subscript(key: String) -> Value? {
            let units = Array(key.utf16)
            return members.last { $0.key == units }?.value
        }

        /// Whether half of a pair of surrogates stands alone somewhere in it.
        var hasLoneSurrogate: Bool {
            switch content {
            case .object(let members): members.contains { Self.isLone($0.key) || $0.value.hasLoneSurrogate }
            case .list(let elements): elements.contains(where: \.hasLoneSurrogate)
            case .string(let units): Self.isLone(units)
            case .number, .word: false
            }
        }

        private static func isLone(_ units: [UInt16]) -> Bool {
            var at = 0
            while at < units.count {
                if UTF16.isLeadSurrogate(units[at]) {
                    guard at + 1 < units.count, UTF16.isTrailSurrogate(units[at + 1]) else { return true }
                    at += 2
                } else {
                    if UTF16.isTrailSurrogate(units[at]) { return true }
                    at += 1
                }
            }
            return false
        }
    }

    private struct Malformed: Error {}

    private let text: [UInt8]
    private var at: Int

    private init(_ text: [UInt8], from start: Int) {
        self.text = text
        at = start
    }

    /// The value that is all of the text; nil if it is not JSON.
    static func parse(_ text: some Collection<UInt8>) -> Value? {
        var reader = StrictJSON(Array(text), from: 0)
        guard let value = try? reader.value() else { return nil }
        reader.skipSpace()
        return reader.at == reader.text.count ? value : nil
    }

    /// The values that stand on lines; nil if some of it is not JSON or two share a line.
    static func parseLines(_ text: some Collection<UInt8>) -> [Value]? {
        var reader = StrictJSON(Array(text), from: 0)
        var values: [Value] = []
        while true {
            let end = reader.at
            reader.skipSpace()
            if reader.at == reader.text.count { return values }
            let between = reader.text[end..<reader.at]
            guard values.isEmpty || between.contains(0x0a) || between.contains(0x0d) else { return nil }
            guard let value = try? reader.value() else { return nil }
            values.append(value)
        }
    }

    private mutating func skipSpace() {
        while at < text.count, [0x20, 0x09, 0x0a, 0x0d].contains(text[at]) { at += 1 }
    }

    private func peek() -> UInt8? { at < text.count ? text[at] : nil }

    private mutating func take(_ byte: UInt8) throws(Malformed) {
        guard peek() == byte else { throw Malformed() }
        at += 1
    }

    private mutating func value() throws(Malformed) -> Value {
        skipSpace()
        let start = at
        var depth = 0
        let content: Value.Content
        switch peek() {
        case 0x7b:
            at += 1
            var members: [(key: [UInt16], value: Value)] = []
            skipSpace()
            if peek() != 0x7d {
                while true {
                    skipSpace()
                    let key = try string()
                    skipSpace()
                    try take(0x3a)
                    let value = try value()
                    depth = max(depth, value.depth)
                    members.append((key, value))
                    skipSpace()
                    if peek() != 0x2c { break }
                    at += 1
                }
            }
            try take(0x7d)
            depth += 1
            content = .object(members)
        case 0x5b:
            at += 1
            var elements: [Value] = []
            skipSpace()
            if peek() != 0x5d {
                while true {
                    let value = try value()
                    depth = max(depth, value.depth)
                    elements.append(value)
                    skipSpace()
                    if peek() != 0x2c { break }
                    at += 1
                }
            }
            try take(0x5d)
            depth += 1
            content = .list(elements)
        case 0x22: content = .string(try string())
        case 0x74:
            try word("true")
            content = .word
        case 0x66:
            try word("false")
            content = .word
        case 0x6e:
            try word("null")
            content = .word
        default:
            try number()
            content = .number
        }
        return Value(content: content, range: start..<at, depth: depth)
    }

    private mutating func word(_ word: StaticString) throws(Malformed) {
        for index in 0..<word.utf8CodeUnitCount { try take(word.utf8Start[index]) }
    }

    private mutating func digits() throws(Malformed) {
        guard let byte = peek(), (0x30...0x39).contains(byte) else { throw Malformed() }
        while let byte = peek(), (0x30...0x39).contains(byte) { at += 1 }
    }

    private mutating func number() throws(Malformed) {
        if peek() == 0x2d { at += 1 }
        if peek() == 0x30 { at += 1 } else { try digits() }
        if peek() == 0x2e {
            at += 1
            try digits()
        }
        if peek() == 0x65 || peek() == 0x45 {
            at += 1
            if peek() == 0x2b || peek() == 0x2d { at += 1 }
            try digits()
        }
    }

    private mutating func string() throws(Malformed) -> [UInt16] {
        try take(0x22)
        var units: [UInt16] = []
        while let byte = peek() {
            switch byte {
            case 0x22:
                at += 1
                return units
            case 0x5c: units.append(try escape())
            case 0..<0x20: throw Malformed()
            case 0x20..<0x80:
                units.append(UInt16(byte))
                at += 1
            default:
                // The standard library's own decoder judges what is not ASCII.
                let length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
                guard at + length <= text.count,
                    let character = String(validating: text[at..<at + length], as: UTF8.self),
                    character.unicodeScalars.count == 1
                else { throw Malformed() }
                units += character.utf16
                at += length
            }
        }
        throw Malformed()
    }

    private mutating func escape() throws(Malformed) -> UInt16 {
        guard at + 1 < text.count else { throw Malformed() }
        let letter = text[at + 1]
        at += 2
        switch letter {
        case 0x22, 0x5c, 0x2f: return UInt16(letter)
        case 0x62: return 8
        case 0x66: return 12
        case 0x6e: return 10
        case 0x72: return 13
        case 0x74: return 9
        case 0x75:
            var unit: UInt16 = 0
            for _ in 0..<4 {
                guard let digit = peek().flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
                    throw Malformed()
                }
                unit = unit << 4 | UInt16(digit)
                at += 1
            }
            return unit
        default: throw Malformed()
        }
    }
}
