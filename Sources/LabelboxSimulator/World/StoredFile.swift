/// An upload that was received.
struct StoredFile: Sendable {
    let id: String
    let name: String
    let contentType: String
    let bytes: Int
    /// Hex digits of the content's SHA-256.
    let sha256: String
    /// The first bytes, for a look at what was sent.
    let head: [UInt8]
    /// Where the content is; nil when it was discarded.
    let path: String?

    /// The name's text with what a URL cannot carry written as `%XX`.
    var pathComponent: String {
        var result = ""
        for byte in name.utf8 {
            let scalar = UnicodeScalar(byte)
            if byte < 0x80,
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil || "-._~".utf8.contains(byte)
            {
                result.unicodeScalars.append(scalar)
            } else {
                result += "%" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result.isEmpty ? "file" : result
    }
}

extension World {
    func url(of file: StoredFile) -> String { "\(baseURL)/files/\(file.id)/\(file.pathComponent)?alt=media" }

    /// The file that one of our URLs names.
    func file(at url: String) -> StoredFile? {
        let prefix = "\(baseURL)/files/"
        guard url.hasPrefix(prefix) else { return nil }
        return files[String(url.dropFirst(prefix.count).prefix { $0 != "/" && $0 != "?" })]
    }
}
