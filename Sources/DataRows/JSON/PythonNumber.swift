/// A number as Python's `float` takes it, written as JSON writes numbers.
///
/// Numbers keep the digits that they were written with; `true` is 1; a string may have spaces around the number,
/// a plus sign, underscores between digits, and nothing before or after the point. Infinity and NaN are no numbers of JSON.
struct PythonNumber {
    /// The JSON number.
    let text: [UInt8]

    init?(_ value: JSONSlice) {
        switch value.kind {
        case .number: text = Array(value.raw)
        case .bool: text = [value.bytes[value.start] == 0x74 ? 0x31 : 0x30]
        case .string:
            guard let bytes = JSONText.unescaped(value.inner), let text = Self.parse(bytes) else { return nil }
            self.text = text
        default: return nil
        }
    }

    /// A whole number: `7`, and `7.0` as 7.
    static func whole(_ value: JSONSlice) -> [UInt8]? {
        guard value.kind == .number else { return nil }
        var digits = Array(value.raw)
        if let point = digits.firstIndex(of: 0x2e) {
            guard digits[(point + 1)...].allSatisfy({ $0 == 0x30 }) else { return nil }
            digits.removeSubrange(point...)
        }
        return digits.allSatisfy { $0 == 0x2d || ($0 >= 0x30 && $0 <= 0x39) } ? digits : nil
    }

    private static func parse(_ bytes: [UInt8]) -> [UInt8]? {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0d) }
        var rest = bytes[...]
        while let first = rest.first, isSpace(first) { rest = rest.dropFirst() }
        while let last = rest.last, isSpace(last) { rest = rest.dropLast() }
        var output: [UInt8] = []
        if let sign = rest.first, sign == 0x2b || sign == 0x2d {
            if sign == 0x2d { output.append(sign) }
            rest = rest.dropFirst()
        }
        func digits() -> [UInt8]? {
            var found: [UInt8] = []
            var wasDigit = false
            while let byte = rest.first {
                if byte >= 0x30, byte <= 0x39 {
                    found.append(byte)
                    wasDigit = true
                } else if byte == 0x5f {
                    // One underscore, between two digits.
                    guard wasDigit, let next = rest.dropFirst().first, next >= 0x30, next <= 0x39 else { return nil }
                    wasDigit = false
                } else {
                    break
                }
                rest = rest.dropFirst()
            }
            return found
        }
        guard let integer = digits() else { return nil }
        var fraction: [UInt8] = []
        if rest.first == 0x2e {
            rest = rest.dropFirst()
            guard let found = digits() else { return nil }
            fraction = found
        }
        guard !integer.isEmpty || !fraction.isEmpty else { return nil }
        let significant = integer.drop { $0 == 0x30 }
        output += significant.isEmpty ? [0x30] : Array(significant)
        if !fraction.isEmpty { output += [0x2e] + fraction }
        if let mark = rest.first, mark | 0x20 == 0x65 {
            rest = rest.dropFirst()
            output.append(0x65)
            if let sign = rest.first, sign == 0x2b || sign == 0x2d {
                output.append(sign)
                rest = rest.dropFirst()
            }
            guard let exponent = digits(), !exponent.isEmpty else { return nil }
            output += exponent
        }
        return rest.isEmpty ? output : nil
    }
}
