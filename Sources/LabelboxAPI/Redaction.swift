internal import Glibc

/// Takes a secret out of what a server or proxy has echoed.
enum Redaction {
    /// What stands in its place.
    static let mark = Array("[key]".utf8)

    /// The bytes without `secret`; they are passed on as they are where it does not occur.
    static func hiding(_ secret: String, in bytes: [UInt8]) -> [UInt8] {
        let secret = Array(secret.utf8)
        guard !secret.isEmpty, var place = index(of: secret, in: bytes, from: 0) else { return bytes }
        var clean: [UInt8] = []
        clean.reserveCapacity(bytes.count)
        var start = 0
        while true {
            clean += bytes[start..<place]
            clean += mark
            start = place + secret.count
            guard let next = index(of: secret, in: bytes, from: start) else { break }
            place = next
        }
        return clean + bytes[start...]
    }

    private static func index(of pattern: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return nil }
            var at = start
            while at + pattern.count <= bytes.count,
                let found = memchr(base + at, CInt(pattern[0]), bytes.count - pattern.count - at + 1)
            {
                at = UnsafeRawPointer(found) - base
                if memcmp(found, pattern, pattern.count) == 0 { return at }
                at += 1
            }
            return nil
        }
    }
}
