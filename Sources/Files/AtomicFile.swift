internal import CLinux
internal import Glibc
public import SystemPackage

/// Files that appear whole or not at all.
public enum AtomicFile {
    /// Puts `bytes` at `path` so that every reader sees the old file or the new one.
    ///
    /// * `making`: as for `writer`.
    /// * `mode`: the new file's permission bits, whatever the umask.
    /// * `durable`: whether the new file survives a power cut when this returns: the content is synced
    ///   before the rename and the folder after it.
    /// * Throws `FileError`. The file at `path` is then untouched, unless only the last sync failed.
    public static func write(
        _ bytes: some Collection<UInt8>, to path: FilePath, making: FilePath? = nil,
        mode: FilePermissions = .ownerReadWriteGroupRead, durable: Bool, disk: DiskSync = DiskSync()
    ) throws(FileError) {
        let file = try writer(to: path, making: making, mode: mode, buffer: 0, disk: disk)
        try file.append(bytes)
        try file.commit(durable: durable)
    }

    /// A file that is written in pieces and appears at `path` with `commit`.
    ///
    /// * `making`: the folder that it is in until then, where a crash leaves it for a sweep; beside `path` where that is
    ///   not given, or lies on another file system.
    /// * `buffer`: how many bytes are gathered before each write.
    public static func writer(
        to path: FilePath, making: FilePath? = nil, mode: FilePermissions = .ownerReadWriteGroupRead,
        buffer: Int = 64 * 1024, disk: DiskSync = DiskSync()
    ) throws(FileError) -> AtomicFileWriter {
        try AtomicFileWriter(path: path, making: making, mode: mode, capacity: buffer, disk: disk)
    }
}

/// A file in the making.
///
/// Without a `commit` nothing appears: dropping the last reference discards it.
public final class AtomicFileWriter {
    private let path: FilePath
    private let temporary: FilePath
    private let capacity: Int
    private let disk: DiskSync
    private var descriptor: CInt
    private var pending: [UInt8] = []
    /// Bytes appended so far.
    public private(set) var count: Int64 = 0

    init(
        path: FilePath, making: FilePath?, mode: FilePermissions, capacity: Int, disk: DiskSync
    ) throws(FileError) {
        self.path = path
        self.capacity = capacity
        self.disk = disk
        // rename(2) is atomic only within one file system.
        if let making, try FileLook.at(making).identity.device == FileLook.at(path.parent).identity.device {
            temporary = TemporaryName.fresh(beside: making.appending("any"))
        } else {
            temporary = TemporaryName.fresh(beside: path)
        }
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        descriptor = temporary.withPlatformString { open($0, flags, mode.rawValue) }
        guard descriptor >= 0 else { throw .last("create", temporary) }
        guard fchmod(descriptor, mode.rawValue) == 0 else {
            let error = FileError.last("chmod", temporary)
            discard()
            throw error
        }
    }

    deinit { discard() }

    /// The open file, for calls that write to it themselves.
    var rawDescriptor: CInt { descriptor }

    /// Appends bytes.
    ///
    /// After a failure the file can only be discarded.
    public func append(_ bytes: some Collection<UInt8>) throws(FileError) {
        count += Int64(bytes.count)
        if pending.count + bytes.count <= capacity {
            pending.append(contentsOf: bytes)
            return
        }
        try flush()
        switch bytes.withContiguousStorageIfAvailable({ write(UnsafeRawBufferPointer($0)) }) {
        case true?: return
        case false?: throw .last("write", temporary)
        case nil:
            pending.append(contentsOf: bytes)
            try flush()
        }
    }

    /// Makes the file appear at its path, replacing what is there.
    public func commit(durable: Bool) throws(FileError) {
        try commit(durable: durable, replacing: true)
    }

    /// Makes the file appear; without `replacing`, fails with `.fileExists` where the name is taken.
    func commit(durable: Bool, replacing: Bool, syncFolder: Bool = true) throws(FileError) {
        try flush()
        if durable { try disk.file(FileDescriptor(rawValue: descriptor), path: temporary) }
        if replacing {
            guard rename(temporary, path) == 0 else { throw .last("rename", path) }
        } else {
            try DurableRename.renameWithoutReplacing(temporary, path)
        }
        close(descriptor)
        descriptor = -1
        if durable && syncFolder { try disk.folder(path.parent) }
    }

    /// Gives the file up.
    ///
    /// Harmless after a commit.
    public func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        _ = temporary.withPlatformString { unlink($0) }
    }

    /// Writes what is still in the buffer.
    func flush() throws(FileError) {
        guard pending.withUnsafeBytes({ write($0) }) else { throw .last("write", temporary) }
        pending.removeAll(keepingCapacity: true)
    }

    /// Says whether it succeeded rather than throwing: an error thrown, typed, inside the closures above was
    /// seen where there was none, with the optimizer of Swift 6.3.1.
    private func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        precondition(descriptor >= 0, "a committed or discarded file takes no more bytes")
        return clinux_write_all(descriptor, bytes.baseAddress, bytes.count) == 0
    }

    private func rename(_ from: FilePath, _ to: FilePath) -> CInt {
        from.withPlatformString { from in to.withPlatformString { Glibc.rename(from, $0) } }
    }
}

extension FilePermissions {
    /// 0640: the owner reads and writes, the group reads.
    public static var ownerReadWriteGroupRead: FilePermissions { [.ownerReadWrite, .groupRead] }
}
