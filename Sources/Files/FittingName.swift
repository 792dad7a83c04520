public import SystemPackage

/// Makes the names of files that belong to another file, which may have a name as long as names can be.
public enum FittingName {
    /// `NAME_MAX` of every file system that Linux writes to.
    static let longest = 255

    /// `name` and then `suffix`; where that would have more than 255 bytes, the name is cut and ends in `~` and 16 hex
    /// digits of the FNV-1a hash of all of it.
    ///
    /// - Parameters:
    ///   - name: A file's name, without slashes.
    ///   - suffix: At most 200 bytes.
    /// - Returns: The same for the same name, and another for another.
    public static func of(_ name: [UInt8], suffix: [UInt8]) -> [UInt8] {
        if name.count + suffix.count <= longest { return name + suffix }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        let mark = Array("~\(String(repeating: "0", count: 16 - digits.count))\(digits)".utf8)
        var end = max(0, min(name.count, longest - suffix.count - mark.count))
        // Do not cut a character in two.
        while end > 0, name[end] & 0xC0 == 0x80 { end -= 1 }
        return name[..<end] + mark + suffix
    }
}

extension FilePath {
    /// The path with `suffix` at the end of its last name, which is cut where it would become too long.
    public func appendingToName(_ suffix: String) -> FilePath {
        guard let name = lastComponent else { return self }
        let fitting = FittingName.of(name.bytes, suffix: Array(suffix.utf8))
        return removingLastComponent().appending(FilePath(bytes: fitting).components)
    }
}
