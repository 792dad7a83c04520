internal import CLinux
internal import Glibc
public import SystemPackage

/// A folder into which several users put small files, each whole, for one process to take.
///
/// A file is there once it was renamed in, synced, so what was put survives whoever put it. The sticky bit keeps users
/// from each other's files, and the file's owner tells who put it: only root can give a file to somebody else.
public struct FileSpool: Sendable {
    /// A file that was put.
    public struct Item: Sendable {
        public var name: String
        /// The user that it belongs to.
        public var owner: UInt32
        /// Its content, or why it cannot be taken.
        public var content: Result<[UInt8], FileError>
    }

    public let folder: FilePath

    /// The most bytes of a file.
    private static let largest = 64 << 10
    /// So many names are looked at in one go.
    private static let mostNames = 10_000

    /// Means a folder; nothing is made yet.
    public init(_ folder: FilePath) { self.folder = folder }

    /// Makes the folder, or mends its mode: the group may put files into it, and nobody else.
    public func prepare() throws(FileError) {
        try DurableRename.createFolder(folder)
        guard folder.withPlatformString({ chmod($0, 0o1770) }) == 0 else { throw .last("chmod", folder) }
    }

    /// Puts a file, and returns when it is durable.
    public func put(_ bytes: [UInt8], named name: String) throws(FileError) {
        // Readable for all who get as far: it belongs to a group that need not be the daemon's.
        try AtomicFile.write(
            bytes, to: folder.appending(name), mode: [.ownerReadWrite, .groupRead, .otherRead], durable: true)
    }

    /// Reads what was put, at most `limit` files, in the order of their names.
    public func items(limit: Int) throws(FileError) -> [Item] {
        let walk = try FolderWalk(folder, maximumDepth: 1)
        var names: [String] = []
        while names.count < Self.mostNames, let entry = try walk.next() {
            let name = entry.path.string
            // A folder cannot be taken away like a file, and would be found for ever.
            if Self.isItem(name), entry.kind != .directory { names.append(name) }
        }
        return names.sorted().prefix(limit).compactMap { read($0) }
    }

    /// A name in the folder, as it is seen from outside.
    public struct Sight: Sendable {
        public var name: String
        public var isRegular: Bool
        public var owner: UInt32
        public var group: UInt32
        public var mode: UInt32
        /// How many names the file has.
        public var names: Int
        /// When its content changed last, in seconds since 1970.
        public var changedAt: Int64
        /// Whether it is one of those that ``items(limit:)`` reads.
        public var isItem: Bool
    }

    /// Every name in the folder, at most `limit`, in order; nothing is opened.
    public func sights(limit: Int) throws(FileError) -> [Sight] {
        let walk = try FolderWalk(folder, maximumDepth: 1)
        var sights: [Sight] = []
        while sights.count < limit, let entry = try walk.next() {
            let name = entry.path.string
            var look = stat()
            // Taken by the daemon meanwhile.
            guard folder.appending(name).withPlatformString({ lstat($0, &look) }) == 0 else { continue }
            sights.append(
                Sight(
                    name: name, isRegular: look.st_mode & S_IFMT == S_IFREG, owner: look.st_uid, group: look.st_gid,
                    mode: look.st_mode & 0o7777, names: Int(look.st_nlink), changedAt: Int64(look.st_mtim.tv_sec),
                    isItem: Self.isItem(name) && entry.kind != .directory))
        }
        return sights.sorted { $0.name < $1.name }
    }

    private static func isItem(_ name: String) -> Bool { name.hasSuffix(".json") && !name.hasPrefix(".") }

    /// Removes a file; one that is gone already is as good.
    public func remove(_ name: String) throws(FileError) { try DurableRename.remove(folder.appending(name)) }

    /// Reads one file; `nil` when somebody took it away meanwhile.
    public func read(_ name: String) -> Item? {
        let path = folder.appending(name)
        let file = path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) }
        guard file >= 0 else {
            let error = FileError.last("open", path)
            return error.errno == .noSuchFileOrDirectory ? nil : Item(name: name, owner: 0, content: .failure(error))
        }
        defer { close(file) }
        var look = stat()
        guard fstat(file, &look) == 0 else {
            return Item(name: name, owner: 0, content: .failure(.last("stat", path)))
        }
        // Another name of a file that somebody else wrote would speak for them.
        guard look.st_mode & S_IFMT == S_IFREG, look.st_nlink == 1, look.st_size <= Self.largest else {
            return Item(
                name: name, owner: look.st_uid,
                content: .failure(
                    FileError("read", path, .invalidArgument, hint: "It must be a small file with one name.")))
        }
        var bytes = [UInt8](repeating: 0, count: Int(look.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress.map { $0 + filled }, $0.count - filled, off_t(filled))
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                return Item(name: name, owner: look.st_uid, content: .failure(.last("read", path)))
            }
            if count == 0 { break }
            filled += count
        }
        return Item(name: name, owner: look.st_uid, content: .success(Array(bytes.prefix(filled))))
    }
}
