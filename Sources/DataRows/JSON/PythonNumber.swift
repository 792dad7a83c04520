/// A number as Python's `float` takes it, written as JSON writes numbers.
///
/// Numbers keep the digits that they were written with; `true` is 1; a string may have spaces around the number,
/// a plus sign, underscores between digits, and nothing before or after the point. Infinity and NaN are no numbers of JSON.
struct PythonNumber {
    /// The JSON number.
    let text: [UInt8]

    /// Whose reading of a string it is; they differ in underscores, spaces and digits that are not ASCII.
    enum Dialect {
        /// Python's `float`, for metadata.
        case python
        /// That of the library which checks embeddings.
        case pydantic
    }

    init?(_ value: JSONSlice, as dialect: Dialect = .python) {
        switch value.kind {
        case .number: text = Array(value.raw)
        case .bool: text = [value.bytes[value.start] == 0x74 ? 0x31 : 0x30]
        case .string:
            guard let bytes = JSONText.unescaped(value.inner) else { return nil }
            let plain = dialect == .python ? Self.asciiForPython(bytes) : Self.asciiForPydantic(bytes)
            guard let plain, let text = Self.parse(plain) else { return nil }
            self.text = text
        default: return nil
        }
        guard Self.isFinite(text) else { return nil }
    }

    /// Whether a number of JSON has a place among floating-point numbers, and does not become an infinity.
    static func isFinite(_ text: some RandomAccessCollection<UInt8>) -> Bool {
        // Only an exponent or very many digits reach so far.
        guard text.count > 300 || text.contains(where: { $0 | 0x20 == 0x65 }) else { return true }
        return Double(String(decoding: text, as: UTF8.self))?.isFinite ?? false
    }

    /// A whole number, for clusters: `7`, `7.0` and `1e2`, `true` as 1, and strings like `" 1_000.0 "`.
    static func whole(_ value: JSONSlice) -> [UInt8]? {
        switch value.kind {
        case .bool: return [value.bytes[value.start] == 0x74 ? 0x31 : 0x30]
        case .number:
            let digits = Array(value.raw)
            if digits.allSatisfy({ $0 == 0x2d || ($0 >= 0x30 && $0 <= 0x39) }) { return digits }
            guard let number = Double(String(decoding: digits, as: UTF8.self)), abs(number) < 0x1p63,
                number.rounded(.towardZero) == number
            else { return nil }
            return Array(String(Int64(number)).utf8)
        case .string:
            guard let bytes = JSONText.unescaped(value.inner), let plain = asciiForPydantic(bytes) else { return nil }
            var rest = plain[...]
            let isNegative = rest.first == 0x2d
            if isNegative || rest.first == 0x2b { rest = rest.dropFirst() }
            let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
            rest = rest.dropFirst(digits.count)
            guard !digits.isEmpty, digits.count <= 4300 else { return nil }
            if !rest.isEmpty {
                // Zeros behind the point, at least one, and not grouped by underscores.
                guard rest.first == 0x2e, rest.count > 1, rest.dropFirst().allSatisfy({ $0 == 0x30 }),
                    !bytes.drop(while: { $0 != 0x2e }).contains(0x5f)
                else { return nil }
            }
            let significant = digits.drop { $0 == 0x30 }
            return significant.isEmpty ? [0x30] : (isNegative ? [0x2d] : []) + significant
        default: return nil
        }
    }

    /// As Python's `float` sees a string: digits of all scripts are digits, and spaces spaces; nil if it can be no number.
    private static func asciiForPython(_ bytes: [UInt8]) -> [UInt8]? {
        if bytes.allSatisfy({ $0 < 0x7f }) { return bytes }
        var output: [UInt8] = []
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if scalar.value < 0x7f {
                output.append(UInt8(scalar.value))
            } else if scalar.properties.isWhitespace {
                output.append(0x20)
            } else if scalar.properties.numericType == .decimal, let value = scalar.properties.numericValue {
                output.append(0x30 + UInt8(value))
            } else {
                return nil
            }
        }
        return output
    }

    /// Without the spaces around it, and without underscores, of which no two may stand together or one at an end.
    private static func asciiForPydantic(_ bytes: [UInt8]) -> [UInt8]? {
        var scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars[...]
        while let first = scalars.first, first.properties.isWhitespace { scalars = scalars.dropFirst() }
        while let last = scalars.last, last.properties.isWhitespace { scalars = scalars.dropLast() }
        let trimmed = Array(String(String.UnicodeScalarView(scalars)).utf8)
        guard trimmed.allSatisfy({ $0 < 0x80 && $0 > 0x20 }) else { return nil }
        guard trimmed.contains(0x5f) else { return trimmed }
        guard trimmed.first != 0x5f, trimmed.last != 0x5f,
            !zip(trimmed, trimmed.dropFirst()).contains(where: { $0 == 0x5f && $1 == 0x5f })
        else { return nil }
        return trimmed.filter { $0 != 0x5f }
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
