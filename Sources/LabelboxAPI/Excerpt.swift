/// The beginning of an answer, fit for a log.
enum Excerpt {
    /// How many bytes are shown.
    static let byteCount = 200

    /// The first bytes as text; control characters and what is not UTF-8 are written as escapes.
    static func of(_ body: [UInt8]) -> String {
        var text = String.UnicodeScalarView()
        for scalar in String(decoding: body.prefix(byteCount), as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\n": text.append(contentsOf: "\\n".unicodeScalars)
            case "\r": text.append(contentsOf: "\\r".unicodeScalars)
            case "\t": text.append(contentsOf: "\\t".unicodeScalars)
            case "\0"..<" ", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}", "\u{202A}"..."\u{202E}",
                "\u{2066}"..."\u{2069}":
                text.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            default: text.append(scalar)
            }
        }
        return String(text)
    }
}
