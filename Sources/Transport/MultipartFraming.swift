/// The framing of a `multipart/form-data` body (RFC 7578), written here and not by libcurl's mime API: the length is
/// then known before the first byte, and the bytes are exactly what Labelbox's own client sends.
package enum MultipartFraming {
    /// The body of these parts as stretches of bytes and files.
    ///
    /// `boundary` must not occur in any part; 32 random hex digits do not.
    package static func stretches(of parts: [HTTPRequest.Part], boundary: String) -> [HTTPRequest.Content] {
        var stretches: [HTTPRequest.Content] = []
        // Framing and small contents grow together into one stretch, so that they are copied once.
        var pending: [UInt8] = []
        for part in parts {
            pending += Array(header(of: part, boundary: boundary).utf8)
            switch part.content {
            case .bytes(let bytes) where bytes.count <= 4096:
                pending += bytes
            case .bytes, .file:
                stretches += [.bytes(pending), part.content]
                pending = []
            }
            pending += Array("\r\n".utf8)
        }
        pending += Array("--\(boundary)--\r\n".utf8)
        stretches.append(.bytes(pending))
        return stretches
    }

    /// The value of the request's `Content-Type`.
    static func contentType(boundary: String) -> String { "multipart/form-data; boundary=\(boundary)" }

    /// A boundary that no part contains, to all intents: 128 random bits.
    package static func randomBoundary(using generator: inout some RandomNumberGenerator) -> String {
        // Two words and not 32 digits: each time that the system's generator is asked is a call of the kernel.
        (0..<2).map { _ in
            let digits = String(UInt64.random(in: .min ... .max, using: &generator), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// Whether the part can be framed: its content type is written as it is, so it must stay on its line.
    static func isWellFormed(_ part: HTTPRequest.Part) -> Bool {
        part.contentType.map { HTTPHeader("Content-Type", $0).isWellFormed } ?? true
    }

    private static func header(of part: HTTPRequest.Part, boundary: String) -> String {
        var text = "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(quoted(part.name))\""
        if let filename = part.filename { text += "; filename=\"\(quoted(filename))\"" }
        text += "\r\n"
        if let type = part.contentType { text += "Content-Type: \(type)\r\n" }
        return text + "\r\n"
    }

    /// The escapes of WHATWG's multipart/form-data encoding; a backslash and all else stay, in raw UTF-8.
    private static func quoted(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        // By scalars: "\r\n" is one character, and would slip through a comparison of characters.
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result.append(contentsOf: "%22".unicodeScalars)
            case "\r": result.append(contentsOf: "%0D".unicodeScalars)
            case "\n": result.append(contentsOf: "%0A".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}
