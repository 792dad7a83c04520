internal import CLinux
internal import Glibc
public import SystemPackage

/// Moves files so that they are at one place or the other, also after a power cut.
public enum DurableRename {
    /// Moves a file, across file systems too.
    ///
    /// Across file systems the content is copied in constant memory, made durable under a temporary name,
    /// given its name, and only then is the source removed; mode and modification time are kept.
    ///
    /// * `replacing`: whether what has the name `to` may be overwritten.
    /// * `folders`: gathers the folders to sync, so that a batch syncs each once; without it both folders
    ///   are synced before this returns.
    /// * Throws `FileError`; `.fileExists` when the name is taken and `replacing` is false.
    public static func move(
        from: FilePath, to: FilePath, replacing: Bool, folders: FolderSync? = nil, disk: DiskSync = DiskSync()
    ) throws(FileError) {
        let sync = folders ?? FolderSync(disk: disk)
        do {
            if replacing {
                try rename(from, to)
            } else {
                try renameWithoutReplacing(from, to)
            }
        } catch  where error.errno == .improperLink {
            try copy(from: from, to: to, replacing: replacing, disk: disk)
            guard from.withPlatformString({ unlink($0) }) == 0 || errno == ENOENT else { throw .last("remove", from) }
        }
        sync.add(to.parent)
        sync.addLeft(from.parent)
        if folders == nil { try sync.commit() }
    }

    /// Moves a file to `to`, or to `to` with ` (2)`, ` (3)`… before its extensions where that is taken.
    ///
    /// Nothing is ever overwritten.
    /// - Returns: where the file is now.
    public static func moveToFreeName(
        from: FilePath, to: FilePath, folders: FolderSync? = nil, disk: DiskSync = DiskSync()
    ) throws(FileError) -> FilePath {
        while true {
            let target = try FreeName.at(to) { path throws(FileError) in try FileLook.exists(path) }
            do {
                try move(from: from, to: target, replacing: false, folders: folders, disk: disk)
                return target
            } catch  where error.errno == .fileExists {
                continue  // somebody took the name since we looked
            }
        }
    }

    /// Copies a regular file durably; the source stays.
    ///
    /// Mode and modification time are kept.
    ///
    /// - Throws: `FileError`; `.resourceTemporarilyUnavailable` when the source changed while it was copied.
    public static func copy(
        from: FilePath, to: FilePath, replacing: Bool, disk: DiskSync = DiskSync()
    ) throws(FileError) {
        try copy(try OpenFile.reading(from), to: to, replacing: replacing, disk: disk)
    }

    /// Copies an open file durably.
    ///
    /// Mode and modification time are kept.
    ///
    /// - Throws: `FileError`; `.resourceTemporarilyUnavailable` when the source changed while it was copied.
    public static func copy(
        _ source: OpenFile, to: FilePath, replacing: Bool, disk: DiskSync = DiskSync()
    ) throws(FileError) {
        let before = try source.status()
        let target = try AtomicFile.writer(to: to, mode: FilePermissions(rawValue: before.st_mode & 0o777), disk: disk)
        try copyContent(of: source, to: target)
        guard FileIdentity(before).hasSameContent(as: FileIdentity(try source.status())) else {
            throw FileError(
                "copy", source.path, .resourceTemporarilyUnavailable, hint: "Wait until its writer is done.")
        }
        // Before the times are set: a later write would set them anew.
        try target.flush()
        let times = [before.st_atim, before.st_mtim]
        guard futimens(target.rawDescriptor, times) == 0 else { throw .last("utimens", to) }
        try target.commit(durable: true, replacing: replacing)
    }

    /// Makes a folder and those above it that are missing.
    ///
    /// * `folders`: gathers the folders to sync; without it they are synced before this returns.
    public static func createFolder(
        _ path: FilePath, mode: FilePermissions = [.ownerReadWriteExecute, .groupReadExecute],
        folders: FolderSync? = nil, disk: DiskSync = DiskSync()
    ) throws(FileError) {
        if path.withPlatformString({ mkdir($0, mode.rawValue) }) != 0 {
            switch errno {
            case EEXIST:
                // `access` with a trailing slash follows a link and fails on what is no folder.
                let isFolder = path.appending(".").withPlatformString { access($0, F_OK) } == 0
                guard isFolder else { throw FileError("mkdir", path, .fileExists, hint: "Move the file of that name.") }
                return
            case ENOENT where path.parent != path && !path.isEmpty:
                try createFolder(path.parent, mode: mode, folders: folders, disk: disk)
                try createFolder(path, mode: mode, folders: folders, disk: disk)
                return
            default:
                throw .last("mkdir", path)
            }
        }
        if let folders { folders.add(path.parent) } else { try disk.folder(path.parent) }
    }

    /// Removes a file; one that is gone already is as good.
    public static func remove(
        _ path: FilePath, folders: FolderSync? = nil, disk: DiskSync = DiskSync()
    )
        throws(FileError)
    {
        guard path.withPlatformString({ unlink($0) }) == 0 || errno == ENOENT else { throw .last("remove", path) }
        if let folders { folders.add(path.parent) } else { try disk.folder(path.parent) }
    }

    /// Removes a folder if it is empty; leaves it otherwise.
    public static func removeEmptyFolder(_ path: FilePath) throws(FileError) {
        if path.withPlatformString({ rmdir($0) }) != 0, ![ENOTEMPTY, EEXIST, ENOENT].contains(errno) {
            throw .last("rmdir", path)
        }
    }

    static func renameWithoutReplacing(_ from: FilePath, _ to: FilePath) throws(FileError) {
        let result = from.withPlatformString { from in
            to.withPlatformString { clinux_rename_noreplace(AT_FDCWD, from, AT_FDCWD, $0) }
        }
        if result == 0 { return }
        // Some network and FUSE file systems do not know the flag.
        guard errno == EINVAL || errno == ENOSYS else { throw failedRename(from, to) }
        let linked = from.withPlatformString { from in to.withPlatformString { link(from, $0) } }
        if linked == 0 {
            guard from.withPlatformString({ unlink($0) }) == 0 else { throw .last("remove", from) }
            return
        }
        guard [EPERM, EOPNOTSUPP, EMLINK, ENOSYS].contains(errno) else { throw failedRename(from, to) }
        // Neither way: look, then rename. Only on such file systems may another writer slip in between.
        if try FileLook.exists(to) { throw FileError("rename", to, .fileExists) }
        try rename(from, to)
    }

    private static func rename(_ from: FilePath, _ to: FilePath) throws(FileError) {
        let result = from.withPlatformString { from in to.withPlatformString { Glibc.rename(from, $0) } }
        if result != 0 { throw failedRename(from, to) }
    }

    /// The error of the last call, at the path that is to blame.
    private static func failedRename(_ from: FilePath, _ to: FilePath) -> FileError {
        let reason = Errno(rawValue: errno)
        let isSourceGone = reason == .noSuchFileOrDirectory && (try? FileLook.exists(from)) == false
        return FileError("rename", isSourceGone ? from : to, reason)
    }

    private static func copyContent(of source: OpenFile, to target: AtomicFileWriter) throws(FileError) {
        while true {  // inside the kernel, sharing blocks where the file system can
            let count = clinux_copy_range(source.descriptor.rawValue, target.rawDescriptor, 1 << 30)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { break }
        }
        // The kernel cannot, or says that this is the end, which of some file systems is not true: go on from
        // where it stopped, with a buffer of our own.
        var offset = Int64(lseek(target.rawDescriptor, 0, SEEK_CUR))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try source.read(into: buffer, at: offset)
            if count == 0 { return }
            try target.append(UnsafeRawBufferPointer(rebasing: buffer.prefix(count)))
            offset += Int64(count)
        }
    }
}
