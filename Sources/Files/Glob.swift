internal import CLinux
internal import SystemPackage

/// A pattern of file names: `*`, `?` and `[…]`, as in a shell.
///
/// One with a slash in it is matched against the whole relative path, and its `*` does not cross
/// slashes; one without is matched against single names. Bytes are compared, case counts.
public struct Glob: Hashable, Sendable, CustomStringConvertible {
    /// As it was written.
    public let pattern: String
    /// Whether it is matched against relative paths rather than names.
    public let isForPaths: Bool
    private let shape: Shape

    private enum Shape: Hashable { case exact([UInt8]), ending([UInt8]), beginning([UInt8]), other }

    public init(_ pattern: String) {
        self.pattern = pattern
        isForPaths = pattern.utf8.contains(UInt8(ascii: "/"))
        let bytes = Array(pattern.utf8)
        // Most patterns are `*.suffix` or `prefix*`, and need no more than a comparison.
        let isPlain = { (part: ArraySlice<UInt8>) in !part.contains { "*?[\\".utf8.contains($0) } }
        if isForPaths {
            shape = .other
        } else if isPlain(bytes[...]) {
            shape = .exact(bytes)
        } else if bytes.first == UInt8(ascii: "*"), isPlain(bytes.dropFirst()) {
            shape = .ending(Array(bytes.dropFirst()))
        } else if bytes.last == UInt8(ascii: "*"), isPlain(bytes.dropLast()) {
            shape = .beginning(Array(bytes.dropLast()))
        } else {
            shape = .other
        }
    }

    public var description: String { pattern }

    /// Whether a name, or for a pattern with a slash a relative path, matches.
    public func matches(_ bytes: [UInt8]) -> Bool {
        switch shape {
        case .exact(let name): bytes == name
        case .ending(let suffix): bytes.count >= suffix.count && bytes.suffix(suffix.count).elementsEqual(suffix)
        case .beginning(let prefix): bytes.starts(with: prefix)
        case .other:
            FilePath(bytes: bytes).withPlatformString { name in
                pattern.withCString { clinux_glob_matches($0, name, isForPaths ? 1 : 0) == 1 }
            }
        }
    }
}
