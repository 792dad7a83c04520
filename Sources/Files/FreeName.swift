public import SystemPackage

/// Finds a name that nothing has yet.
public enum FreeName {
    /// `path`, or `path` with the first free ` (n)` before its extensions, n from 2.
    ///
    /// Looks at O(log n) names when n are taken: after a few it doubles n, then searches between.
    public static func at<Failure: Error>(
        _ path: FilePath, isTaken: (FilePath) throws(Failure) -> Bool
    ) throws(Failure) -> FilePath {
        guard try isTaken(path) else { return path }
        var taken = 1
        var free = 2
        while try isTaken(numbered(path, free)) {
            taken = free
            free *= 2
        }
        while free - taken > 1 {
            let middle = (free + taken) / 2
            if try isTaken(numbered(path, middle)) { taken = middle } else { free = middle }
        }
        return numbered(path, free)
    }

    /// `rows (2).json.gz` of `rows.json.gz`; a stem that would make the name too long is cut.
    static func numbered(_ path: FilePath, _ number: Int) -> FilePath {
        guard let name = path.lastComponent else { return path }
        let bytes = name.bytes
        let split = extensionStart(of: bytes)
        let suffix = Array(" (\(number))".utf8) + bytes[split...]
        var stem = Array(bytes[..<split].prefix(max(1, 255 - suffix.count)))
        // Not in the middle of a character.
        if stem.count < split {
            while stem.count > 1, bytes[stem.count] & 0xC0 == 0x80 { stem.removeLast() }
        }
        return path.removingLastComponent().pushing(FilePath(bytes: stem + suffix))
    }

    /// Where the extensions begin: the last one, and the one before it when the last is a compression's.
    private static func extensionStart(of name: [UInt8]) -> Int {
        let dot = UInt8(ascii: ".")
        guard let last = name.lastIndex(of: dot), last > 0, name.count - last <= 17 else { return name.count }
        guard name[last...].elementsEqual(".gz".utf8) else { return last }
        guard let before = name[..<last].lastIndex(of: dot), before > 0, last - before <= 9 else { return last }
        return before
    }

}

extension FilePath {
    /// The path with these bytes; what follows a zero byte is left out.
    public init(bytes: some Collection<UInt8>) {
        var characters = bytes.map { CChar(bitPattern: $0) }
        characters.append(0)
        self = characters.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return FilePath() }
            return FilePath(platformString: base)
        }
    }

    /// The path's bytes, without the zero at the end.
    public var bytes: [UInt8] {
        withPlatformString { pointer in
            var length = 0
            while pointer[length] != 0 { length += 1 }
            return Array(UnsafeRawBufferPointer(start: pointer, count: length))
        }
    }
}

extension FilePath.Component {
    /// The name's bytes.
    public var bytes: [UInt8] { FilePath(root: nil, [self]).bytes }
}
