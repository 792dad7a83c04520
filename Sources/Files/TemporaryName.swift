internal import Glibc
public import SystemPackage

/// Names of files in the making.
public enum TemporaryName {
    /// The end of every such name; a drop folder never takes a file with it.
    public static let suffix = ".datarowd-tmp"

    /// A name in the folder of `path` that nobody else has.
    ///
    /// It does not contain the final name, so it is never too long for the file system.
    static func fresh(beside path: FilePath) -> FilePath {
        let random = String(UInt64.random(in: .min ... .max), radix: 16)
        return path.removingLastComponent().appending(".\(random)\(suffix)")
    }

    /// Removes what a crash left in `folder` itself, not below it.
    ///
    /// Call it only while holding the lock that keeps other writers away.
    /// - Returns: how many files were removed.
    @discardableResult
    public static func sweep(_ folder: FilePath) throws(FileError) -> Int {
        let walk = try FolderWalk(folder, maximumDepth: 1)
        var removed = 0
        while let entry = try walk.next() {
            guard entry.kind == .regular, entry.path.string.hasSuffix(suffix) else { continue }
            let path = folder.pushing(entry.path)
            guard path.withPlatformString({ unlink($0) }) == 0 || errno == ENOENT else { throw .last("remove", path) }
            removed += 1
        }
        return removed
    }
}
