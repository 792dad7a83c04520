/// Strings of JSON as bytes: written with escapes, read without.
public enum JSONText {
    /// Appends a JSON string of these UTF-8 bytes, with its quotes; all but quotes, backslashes and control
    /// characters goes out as it is.
    public static func appendString(_ utf8: some Collection<UInt8>, to output: inout [UInt8]) {
        output.append(0x22)
        appendEscaped(utf8, to: &output)
        output.append(0x22)
    }

    /// Appends the inside of a JSON string.
    public static func appendEscaped(_ utf8: some Collection<UInt8>, to output: inout [UInt8]) {
        // Through a pointer: from another module a collection is asked for one byte after the other.
        if utf8.withContiguousStorageIfAvailable({ appendEscaped(UnsafeRawBufferPointer($0), to: &output) }) == nil {
            Array(utf8).withUnsafeBytes { appendEscaped($0, to: &output) }
        }
    }

    private static func appendEscaped(_ utf8: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        var plain = 0
        for (index, byte) in utf8.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5c {
            output.append(contentsOf: UnsafeRawBufferPointer(rebasing: utf8[plain..<index]))
            plain = index + 1
            switch byte {
            case 0x22: output += [0x5c, 0x22]
            case 0x5c: output += [0x5c, 0x5c]
            case 0x0a: output += [0x5c, 0x6e]
            case 0x0d: output += [0x5c, 0x72]
            case 0x09: output += [0x5c, 0x74]
            default: output += [0x5c, 0x75, 0x30, 0x30, 0x30 + (byte >> 4), hexDigit(byte & 15)]
            }
        }
        output.append(contentsOf: UnsafeRawBufferPointer(rebasing: utf8[plain...]))
    }

    /// The UTF-8 bytes that the inside of a JSON string stands for; nil for a surrogate without its partner.
    public static func unescaped(_ inner: UnsafeRawBufferPointer) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(inner.count)
        return forEachPiece(inner, lenient: false) { output.append(contentsOf: $0) } ? output : nil
    }

    /// Like ``unescaped(_:)``, with U+FFFD for a surrogate without its partner.
    public static func unescapedLossily(_ inner: UnsafeRawBufferPointer) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(inner.count)
        _ = forEachPiece(inner, lenient: true) { output.append(contentsOf: $0) }
        return output
    }

    /// The inside of a JSON string as a `String`; nil for a surrogate without its partner.
    public static func decoded(_ inner: UnsafeRawBufferPointer) -> String? {
        if !inner.contains(0x5c) { return String(decoding: inner, as: UTF8.self) }
        return unescaped(inner).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func forEachPiece(
        _ inner: UnsafeRawBufferPointer, lenient: Bool, _ body: (UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        var at = 0
        var plain = 0
        while at < inner.count {
            guard inner[at] == 0x5c, at + 1 < inner.count else {
                at += 1
                continue
            }
            if plain < at { body(UnsafeRawBufferPointer(rebasing: inner[plain..<at])) }
            guard let (scalar, next) = escape(inner, at) ?? (lenient ? ("\u{fffd}", min(at + 6, inner.count)) : nil)
            else { return false }
            withUnsafeBytes(of: UTF8.encode(scalar)?.withUTF8Tuple ?? (0xef, 0xbf, 0xbd, 0)) { bytes in
                body(UnsafeRawBufferPointer(rebasing: bytes[0..<UTF8.width(scalar)]))
            }
            at = next
            plain = next
        }
        if plain < inner.count { body(UnsafeRawBufferPointer(rebasing: inner[plain...])) }
        return true
    }

    private static func escape(_ inner: UnsafeRawBufferPointer, _ at: Int) -> (Unicode.Scalar, Int)? {
        switch inner[at + 1] {
        case 0x62: return ("\u{8}", at + 2)
        case 0x66: return ("\u{c}", at + 2)
        case 0x6e: return ("\n", at + 2)
        case 0x72: return ("\r", at + 2)
        case 0x74: return ("\t", at + 2)
        case 0x75:
            guard let first = codeUnit(inner, at) else { return nil }
            if let scalar = Unicode.Scalar(first) { return (scalar, at + 6) }
            guard first < 0xdc00, let second = codeUnit(inner, at + 6), second >= 0xdc00, second < 0xe000 else {
                return nil
            }
            return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00)).map { ($0, at + 12) }
        default: return (Unicode.Scalar(inner[at + 1]), at + 2)
        }
    }

    /// The UTF-16 code unit of the `\uXXXX` at `at`.
    static func codeUnit(_ inner: UnsafeRawBufferPointer, _ at: Int) -> UInt32? {
        guard at + 6 <= inner.count, inner[at] == 0x5c, inner[at + 1] == 0x75 else { return nil }
        var unit: UInt32 = 0
        for k in 2..<6 {
            guard let digit = hexValue(inner[at + k]) else { return nil }
            unit = unit << 4 | digit
        }
        return unit
    }

    /// A key as it stands in a JSON pointer (RFC 6901), from its bytes inside the quotes.
    static func pointerToken(_ inner: [UInt8]) -> String {
        let key = inner.withUnsafeBytes { String(decoding: unescapedLossily($0), as: UTF8.self) }
        return pointerToken(key)
    }

    static func pointerToken(_ key: String) -> String {
        guard key.utf8.contains(where: { $0 == 0x7e || $0 == 0x2f }) else { return key }
        var token = ""
        for character in key.unicodeScalars {
            switch character {
            case "~": token += "~0"
            case "/": token += "~1"
            default: token.unicodeScalars.append(character)
            }
        }
        return token
    }

    static func hexDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }
}

extension UTF8.EncodedScalar {
    fileprivate var withUTF8Tuple: (UInt8, UInt8, UInt8, UInt8) {
        var bytes: (UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &bytes) { target in
            for (index, byte) in self.enumerated() { target[index] = byte }
        }
        return bytes
    }
}
