/// What Labelbox takes as a global key: up to 200 characters without spaces at its ends and without two in a row.
enum GlobalKeyRules {
    static let longest = 200

    /// A hash of the text that the key stands for, however it is written.
    @inline(__always) static func hash(_ value: JSONSlice) -> UInt64 {
        let inner = value.inner
        guard let start = inner.baseAddress else { return 0 }
        if !hasEscape(value) { return RepetitionHash.ofText(start, inner.count) }
        return decodedHash(inner)
    }

    @inline(never) private static func decodedHash(_ inner: UnsafeRawBufferPointer) -> UInt64 {
        var text = JSONText.unescapedLossily(inner)
        let count = text.count
        text += [UInt8](repeating: 0, count: JSONScanner.slack)
        return text.withUnsafeBytes { $0.baseAddress.map { RepetitionHash.ofText($0, count) } ?? 0 }
    }

    @inline(__always) private static func hasEscape(_ value: JSONSlice) -> Bool {
        var at = value.start &+ 1
        let ones: UInt64 = 0x0101_0101_0101_0101
        var marks: UInt64 = 0
        while at &+ 8 < value.end {
            let backslash =
                UnsafeRawPointer(value.bytes).loadUnaligned(fromByteOffset: at, as: UInt64.self) ^ 0x5c5c_5c5c_5c5c_5c5c
            marks |= (backslash &- ones) & ~backslash
            at &+= 8
        }
        while at < value.end {
            if value.bytes[at] == 0x5c { return true }
            at &+= 1
        }
        return marks & 0x8080_8080_8080_8080 != 0
    }

    /// Whether there is nothing to look closer at: a text of a good length, without a space or an escape, all ASCII.
    @inline(__always) static func isPlain(_ value: JSONSlice) -> Bool {
        guard value.bytes[value.start] == 0x22, value.count > 2, value.count <= longest &+ 2 else { return false }
        var at = value.start &+ 1
        let end = value.end &- 1
        let ones: UInt64 = 0x0101_0101_0101_0101
        while at < end {
            // Eight bytes at a time; those past the end are made to count as plain.
            var chunk = UnsafeRawPointer(value.bytes).loadUnaligned(fromByteOffset: at, as: UInt64.self)
            let count = end &- at
            if count < 8 {
                let past = ~0 &<< UInt64(count &* 8)
                chunk = chunk & ~past | 0x7f7f_7f7f_7f7f_7f7f & past
            }
            let space = chunk ^ 0x2020_2020_2020_2020
            let backslash = chunk ^ 0x5c5c_5c5c_5c5c_5c5c
            let marks = (space &- ones) & ~space | (backslash &- ones) & ~backslash | chunk
            if marks & 0x8080_8080_8080_8080 != 0 { return false }
            at &+= 8
        }
        return true
    }

    /// Says what is wrong with a key, or odd about it.
    ///
    /// Characters are Unicode scalars: a server that counts in another way counts more, of which a warning tells.
    static func check(_ value: JSONSlice, _ pointer: String, _ reporter: inout RowReporter) {
        guard value.kind == .string else {
            return reporter.report(
                value, pointer, "invalid_global_key", "the global key is not a string: put it in quotes")
        }
        let text = String(decoding: JSONText.unescapedLossily(value.inner), as: UTF8.self)
        let scalars = text.unicodeScalars
        if let problem = problem(scalars) {
            return reporter.report(value, pointer, "invalid_global_key", problem)
        }
        if text.utf16.count > longest {
            reporter.warn(
                value, pointer, "long_global_key",
                "the global key has \(scalars.count) characters, which are \(text.utf16.count) where each beyond U+FFFF counts "
                    + "as two; Labelbox takes \(longest) and may count so")
        }
        if hasOddSpaces(scalars) {
            reporter.warn(
                value, pointer, "odd_global_key_space",
                "the global key has spaces other than U+0020 at an end or beside another; Labelbox may refuse or change it"
            )
        }
    }

    private static func problem(_ scalars: String.UnicodeScalarView) -> String? {
        if scalars.isEmpty { return "the global key is empty: write 1 to \(longest) characters, or leave the key out" }
        if scalars.count > longest { return "the global key has \(scalars.count) characters: shorten it to \(longest)" }
        if scalars.first == " " { return "the global key begins with a space: remove it" }
        if scalars.last == " " { return "the global key ends with a space: remove it" }
        var last: Unicode.Scalar = "x"
        for scalar in scalars {
            if scalar == " ", last == " " { return "the global key has two spaces in a row: leave one" }
            last = scalar
        }
        return nil
    }

    /// White space of any other kind (tabs, line breaks, U+00A0, U+3000, U+FEFF, …) where a plain space must not be.
    private static func hasOddSpaces(_ scalars: String.UnicodeScalarView) -> Bool {
        func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace || scalar == "\u{feff}" }
        if let first = scalars.first, isSpace(first) { return true }
        if let last = scalars.last, isSpace(last) { return true }
        var wasSpace = false
        for scalar in scalars {
            let isSpace = isSpace(scalar)
            if isSpace, wasSpace { return true }
            wasSpace = isSpace
        }
        return false
    }
}
