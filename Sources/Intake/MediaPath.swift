internal import Files
internal import SystemPackage

/// A path as a manifest spells it.
enum MediaPath {
    /// - Returns: a relative or absolute path.
    static func parse(_ text: String) throws(MediaRefusal) -> FilePath {
        guard !text.isEmpty else {
            throw MediaRefusal(code: .emptyPath, message: "The path is empty. Name a file.")
        }
        var bytes = Array(text.utf8)
        if let rest = fileURLPath(bytes) {
            guard let path = rest.bytes else {
                throw MediaRefusal(
                    code: .invalidPath, message: "'\(text)' is no file URL of this machine. Write file:///path.")
            }
            bytes = path
        }
        guard !bytes.contains(0), !bytes.isEmpty else {
            throw MediaRefusal(code: .invalidPath, message: "The path has a zero byte in it, or nothing. Name a file.")
        }
        guard bytes.last != UInt8(ascii: "/") else {
            throw MediaRefusal(code: .directory, message: "'\(text)' names a folder. Name a file.")
        }
        return FilePath(bytes: bytes)
    }

    /// - Returns: nil when it is no file URL; bytes nil when it is one that cannot be meant.
    private static func fileURLPath(_ text: [UInt8]) -> (bytes: [UInt8]?, Void)? {
        guard text.count >= 5, text.prefix(5).elementsEqual("file:".utf8) || text.prefix(5).elementsEqual("FILE:".utf8)
        else { return nil }
        var rest = text[5...]
        if rest.starts(with: "//".utf8) {
            rest = rest.dropFirst(2)
            let host = rest.prefix { $0 != UInt8(ascii: "/") }
            guard host.isEmpty || host.elementsEqual("localhost".utf8) else { return (nil, ()) }
            rest = rest.dropFirst(host.count)
            if rest.isEmpty { return (nil, ()) }
        }
        return (PercentEncoding.decode(Array(rest)), ())
    }
}
