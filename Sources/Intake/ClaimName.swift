package import DataRows
internal import Files
package import SystemPackage

/// The name of a claimed file, from which the import and the dropped path can be read again.
///
/// `<import>.<dropped path>` with `%`, `/` and, in the import, `.` escaped as in a URL: one flat folder,
/// so that thousands of claims are synced at once. A name that would be too long for a file system is
/// spread over folders instead: `<import>/<dropped path>`.
package enum ClaimName {
    private static let longest = 255
    private static let dot = UInt8(ascii: ".")
    private static let slash = UInt8(ascii: "/")
    private static let percent = UInt8(ascii: "%")

    /// The path in the folder of claims.
    package static func encode(_ id: ImportID, _ relativePath: FilePath) -> FilePath {
        let head = escape(Array(id.rawValue.utf8), [percent, slash, dot])
        let name = head + [dot] + escape(relativePath.bytes, [percent, slash])
        if name.count <= longest { return FilePath(bytes: name) }
        return FilePath(bytes: head).pushing(relativePath)
    }

    /// nil for what is no claim.
    package static func decode(_ path: FilePath) -> (id: ImportID, relativePath: FilePath)? {
        guard let first = path.components.first else { return nil }
        let name = first.bytes
        if path.components.count > 1 {
            guard let id = unescape(name), !name.contains(dot) else { return nil }
            let rest = FilePath(root: nil, path.components.dropFirst())
            return (ImportID(rawValue: String(decoding: id, as: UTF8.self)), rest)
        }
        guard let cut = name.firstIndex(of: dot), cut > 0, cut + 1 < name.count else { return nil }
        guard let id = unescape(Array(name[..<cut])), let rest = unescape(Array(name[(cut + 1)...])) else { return nil }
        // Nothing that was dropped has such a path: it is not our work.
        guard rest.first != slash else { return nil }
        return (ImportID(rawValue: String(decoding: id, as: UTF8.self)), FilePath(bytes: rest))
    }

    private static func escape(_ bytes: [UInt8], _ special: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + 16)
        for byte in bytes {
            if special.contains(byte) {
                result += [percent, hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            } else {
                result.append(byte)
            }
        }
        return result
    }

    private static let hex = Array("0123456789ABCDEF".utf8)

    private static func unescape(_ bytes: [UInt8]) -> [UInt8]? { PercentEncoding.decode(bytes) }
}

/// `%41` for `A`, as in URLs.
enum PercentEncoding {
    /// nil when a `%` is not followed by two hexadecimal digits, or stands for a zero byte.
    static func decode(_ bytes: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var at = 0
        while at < bytes.count {
            guard bytes[at] == UInt8(ascii: "%") else {
                result.append(bytes[at])
                at += 1
                continue
            }
            guard at + 2 < bytes.count, let high = digit(bytes[at + 1]), let low = digit(bytes[at + 2]) else {
                return nil
            }
            guard high * 16 + low != 0 else { return nil }
            result.append(high * 16 + low)
            at += 3
        }
        return result
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
