internal import Glibc
public import SystemPackage

/// What tells one state of one file from another without reading it.
///
/// Never the name of a file across time: inode numbers are used again. Two equal identities mean
/// "unchanged since the last look", and that is all.
public struct FileIdentity: Hashable, Codable, Sendable {
    public let device: UInt64
    public let inode: UInt64
    /// In bytes.
    public let size: Int64
    /// When the content last changed, in nanoseconds since 1970; whoever owns the file can set it.
    public let modified: Int64
    /// When content or attributes last changed, in nanoseconds since 1970.
    ///
    /// A rename changes it too.
    public let changed: Int64

    public init(device: UInt64, inode: UInt64, size: Int64, modified: Int64, changed: Int64) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
    }

    /// Whether both are the same file with, as far as anyone can tell, the same content.
    ///
    /// Leaves `changed` out: a rename, a link or a `chmod` between the looks is no harm.
    public func hasSameContent(as other: FileIdentity) -> Bool {
        device == other.device && inode == other.inode && size == other.size && modified == other.modified
    }

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = Self.nanoseconds(status.st_mtim)
        changed = Self.nanoseconds(status.st_ctim)
    }

    /// Wraps around: anyone may give a file a time that no `Int64` holds, and times are only compared for equality.
    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}

/// What a name stands for.
public enum FileKind: String, Hashable, Sendable {
    case regular, directory, link, fifo, socket, device, unknown

    init(mode: mode_t) {
        self =
            switch mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .link
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFCHR, S_IFBLK: .device
            default: .unknown
            }
    }
}

/// One look at a name.
public struct FileLook: Hashable, Sendable {
    public let kind: FileKind
    public let identity: FileIdentity

    init(_ status: stat) {
        kind = FileKind(mode: status.st_mode)
        identity = FileIdentity(status)
    }

    /// Looks at what `path` names; a link in the last place is itself, not its target.
    ///
    /// - Throws: `FileError`, with `.noSuchFileOrDirectory` where there is nothing.
    public static func at(_ path: FilePath) throws(FileError) -> FileLook {
        FileLook(try status(of: path))
    }

    /// Whether anything has this name; a dangling link counts.
    public static func exists(_ path: FilePath) throws(FileError) -> Bool {
        do {
            _ = try status(of: path)
            return true
        } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory {
            return false
        }
    }

    static func status(of path: FilePath) throws(FileError) -> stat {
        var status = stat()
        guard path.withPlatformString({ lstat($0, &status) }) == 0 else { throw .last("stat", path) }
        return status
    }
}
